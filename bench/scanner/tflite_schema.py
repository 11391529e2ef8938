"""Writes the tables of TensorFlow Lite's schema: python tflite_schema.py > internal/scan/tflite/data/schema.txt

Read from the code that TensorFlow generates from schema.fbs. A line is a table and its fields in order:
a number is a value of so many bytes, "[4]" a vector of values of 4 bytes, "text", "[text]", "T:Name" a table,
"[T:Name]" a vector of tables, "U:A|B" a union. "builtin" lists the operators in the order of their numbers.
"""
import inspect, re, sys
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

WIDTH = {"Bool": 1, "Int8": 1, "Uint8": 1, "Int16": 2, "Uint16": 2, "Int32": 4, "Uint32": 4, "Float32": 4, "Int64": 8, "Uint64": 8, "Float64": 8}
UNIONS = {("Operator", "BuiltinOptions"): "BuiltinOptions", ("Operator", "BuiltinOptions2"): "BuiltinOptions2", ("QuantizationParameters", "Details"): "QuantizationDetails",
          ("DimensionMetadata", "ArraySegments"): "SparseIndexVector", ("DimensionMetadata", "ArrayIndices"): "SparseIndexVector"}

DEPRECATED = {("ResizeBilinearOptions", 4): "4", ("ResizeBilinearOptions", 6): "4", ("SignatureDef", 10): "text"}  # not in the code any more


def members(name):
    values = {v: k for k, v in vars(getattr(schema, name)).items() if isinstance(v, int)}
    return "U:" + "|".join(values[i] for i in range(1, max(values) + 1))


def field(table, name, source):
    if "Union(" in source:
        return members(UNIONS[table, name])
    vector = "def %s(self, j)" % name in source
    inner = re.search(r"obj = (\w+)\(\)", source)
    if inner:
        kind = "T:" + inner[1]
    elif "_tab.String(" in source:
        kind = "text"
    else:
        kind = str(WIDTH[re.search(r"number_types\.(?!UOffsetT)(\w+)Flags", source.split("if o != 0:")[1])[1]])
    return "[%s]" % kind if vector else kind


print(f"# Tables of the schema of TensorFlow Lite {tf.__version__}, by bench/scanner/tflite_schema.py.")
for table, cls in sorted(vars(schema).items()):
    if not inspect.isclass(cls) or not hasattr(cls, "GetRootAs"):
        continue
    fields = {}
    for name, f in vars(cls).items():
        offset = inspect.isfunction(f) and re.search(r"self\._tab\.Offset\((\d+)\)", inspect.getsource(f))
        if offset and re.sub(r"(AsNumpy|Length|IsNone)$", "", name) not in set(vars(cls)) - {name}:
            fields[int(offset[1])] = field(table, name, inspect.getsource(f))
    if True:
        fields |= {k: kind for (of, k), kind in DEPRECATED.items() if of == table}
    assert sorted(fields) == list(range(4, 4 + 2 * len(fields), 2)), (table, fields)
    print(table, *(fields[k] for k in sorted(fields)))
codes = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
print("builtin", *(codes[i] for i in range(max(codes) + 1)))
