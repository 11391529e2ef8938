"""Write the names that a Keras configuration may use: every class and function that
Keras exports or serialises itself, without those that run code of the file's choice
or read files that it names.

    python keras_names.py > internal/scan/keras/data/vetted.txt
"""
import importlib
import inspect
import os
import pkgutil

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import keras.src

# What these do is up to the file: code, a saved model or a file of its choice.
LEFT_OUT = {
    "Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer", "StringLookup", "IntegerLookup", "TextVectorization",
    "FeatureSpace", "Map", "Cond", "WhileLoop", "Scan", "AssociativeScan", "ForiLoop", "Switch", "Fori", "VectorizedMap", "CustomGradient",
}
# Of functions, those that compute on tensors.
FUNCTIONS = ("keras.activations", "keras.losses", "keras.metrics", "keras.initializers", "keras.regularizers", "keras.ops", "keras.constraints")

names = set()
for modname in ["keras"] + ["keras." + m for m in (
        "activations constraints dtype_policies initializers layers losses metrics models optimizers optimizers.schedules "
        "optimizers.legacy quantizers random regularizers ops ops.nn ops.numpy ops.linalg ops.image visualization").split()]:
    try:
        mod = importlib.import_module(modname)
    except ImportError:
        continue
    for name, v in vars(mod).items():
        if name.startswith("_") or name in LEFT_OUT:
            continue
        if inspect.isclass(v):
            names.add(("class", modname, name))
        elif inspect.isfunction(v) and modname.startswith(FUNCTIONS):
            if name not in {"get", "serialize", "deserialize", "map", "cond", "while_loop", "scan", "associative_scan", "fori_loop", "switch", "vectorized_map", "custom_gradient"}:
                names.add(("function", modname, name))
# Operations keep the module in which they are defined.
for info in pkgutil.walk_packages(keras.src.ops.__path__, "keras.src.ops."):
    if "test" in info.name:
        continue
    for name, v in vars(__import__(info.name, fromlist=["x"])).items():
        if inspect.isclass(v) and issubclass(v, keras.Operation) and v.__module__ == info.name and name not in LEFT_OUT:
            names.add(("class", info.name, name))
        if inspect.isclass(v) and issubclass(v, keras.Operation) and name not in LEFT_OUT:
            names.add(("class", "keras.ops", name))
names.add(("class", "keras.src.models.functional", "Functional"))
names.add(("class", "keras.src.models.sequential", "Sequential"))
print(f"# Names of Keras {keras.__version__} that a configuration may use, by bench/scanner/keras_names.py.")
rows = {}
for kind, mod, name in sorted(names):
    rows.setdefault((kind, mod), []).append(name)
for (kind, mod), list_ in rows.items():
    print(kind, mod, *list_)
