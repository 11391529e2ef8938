"""Writes a gradient-masked copy of a network in ONNX: its last layer times 100, so that the softmax of its logits is
0 or 1 to the last bit and cross-entropy has no slope. No decision changes.

    python mask.py NETWORK.onnx[.gz] OUT.onnx
"""

import gzip
import pathlib
import sys

import onnx

path = pathlib.Path(sys.argv[1])
raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
model = onnx.load_from_string(raw)
last = [n for n in model.graph.node if n.op_type == "Gemm"][-1]
for weight in model.graph.initializer:
    if weight.name in last.input[1:]:
        weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * 100, weight.name))
onnx.save(model, sys.argv[2])
