"""Write the operators of OpenVINO's own sets, as its files name them: python openvino_ops.py > internal/scan/xmlfile/data/openvino.txt"""
import glob
import os
import re
import textwrap

import openvino

spelt = {"Constant": "Const", "Relu": "ReLU", "PRelu": "PReLU", "Softmax": "SoftMax"}  # in files
names = set()
for path in glob.glob(os.path.join(os.path.dirname(openvino.__file__), "include", "openvino", "opsets", "opset*_tbl.hpp")):
    with open(path) as f:
        names.update(re.findall(r"^_OPENVINO_OP_REG\((\w+),", f.read(), re.M))
names |= {spelt[n] for n in spelt if n in names}
print(f"# Operators of OpenVINO {openvino.__version__.split('-')[0]}, by bench/scanner/openvino_ops.py.")
print("\n".join(textwrap.wrap(" ".join(sorted(names)), 150)))
