# Writes golden.json: what Python's onnx package reads in the models of the
# shared test data. Run from this folder with onnx 1.23.2:
#   python golden.py ../../../../shared/data > golden.json
import glob, gzip, hashlib, json, os, sys, tarfile

import onnx

root = sys.argv[1]


def operators(nodes, counts):
    for n in nodes:
        domain = "" if n.domain == "ai.onnx" else n.domain
        key = domain + ":" + n.op_type
        counts[key] = counts.get(key, 0) + 1
        for a in n.attribute:
            for g in list(a.graphs) + ([a.g] if a.HasField("g") else []):
                operators(g.node, counts)
    return counts


def value(v):
    t = v.type.tensor_type
    if v.type.WhichOneof("value") != "tensor_type":
        return [v.name, v.type.WhichOneof("value")]
    dims = None
    if t.HasField("shape"):
        dims = [str(d.dim_value) if d.HasField("dim_value") else d.dim_param for d in t.shape.dim]
    return [v.name, t.elem_type, dims]


def facts(b):
    m = onnx.load_from_string(b)
    initial = {t.name for t in m.graph.initializer}
    return {
        "ir": m.ir_version,
        "opsets": [[o.domain, o.version] for o in m.opset_import],
        "producer": m.producer_name,
        "inputs": [value(v) for v in m.graph.input if v.name not in initial],
        "outputs": [value(v) for v in m.graph.output],
        "operators": operators(m.graph.node, {}),
        "initializers": [[t.name, t.data_type, list(t.dims)] for t in m.graph.initializer],
        "sums": [round(float(onnx.numpy_helper.to_array(t).astype("float64").sum()), 3) for t in m.graph.initializer],
    }


out = {}
for path in sorted(glob.glob(root + "/**/*.onnx", recursive=True) + glob.glob(root + "/**/*.onnx.gz", recursive=True)):
    name = os.path.relpath(path, root)
    if "acasxu/ACASXU" in name and "_1_1_" not in name:
        continue
    with (gzip.open if path.endswith("gz") else open)(path, "rb") as f:
        out[name] = facts(f.read())
lines = []
with tarfile.open(root + "/onnx-conformance/onnx-node-tests.tgz") as tar:
    for member in tar:
        if member.name.endswith("/model.onnx"):
            f = facts(tar.extractfile(member).read())
            name = os.path.basename(os.path.dirname(member.name))
            ops = ",".join(f"{k}={v}" for k, v in sorted(f["operators"].items()))
            values = ";".join(v[0] for v in f["inputs"] + f["outputs"])
            lines.append(f"{name} {f['ir']} {ops} {values}\n")
text = "".join(sorted(lines))
models = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in out.items())
whole = {"models": len(lines), "sha256": hashlib.sha256(text.encode()).hexdigest()}
print(f'{{\n "onnx": "{onnx.__version__}",\n "conformance": {json.dumps(whole)},\n "models": {{\n{models}\n }}\n}}')
