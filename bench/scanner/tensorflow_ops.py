"""Write the operators of TensorFlow that a graph may hold: every registered one, without
those of internal/scan/savedmodel/data/denied.txt, which leave the graph.

    python tensorflow_ops.py > internal/scan/savedmodel/data/vetted.txt
"""
import os
import textwrap

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from tensorflow.python.framework import op_def_registry  # noqa: F401
from tensorflow.python.client import pywrap_tf_session as c
from tensorflow.core.framework import op_def_pb2

buf = c.TF_GetAllOpList()
ops = op_def_pb2.OpList()
ops.ParseFromString(c.TF_GetBuffer(buf))
here = os.path.dirname(os.path.abspath(__file__))
denied = set()
with open(os.path.join(here, "../../internal/scan/savedmodel/data/denied.txt")) as f:
    for line in f:
        denied.update(line.split("#")[0].split()[1:])
names = sorted(o.name for o in ops.op if o.name not in denied)
print(f"# Operators of TensorFlow {tf.__version__}, by bench/scanner/tensorflow_ops.py.")
print("\n".join(textwrap.wrap(" ".join(names), 150)))
