"""Trains the dense network of the tests and the benchmark on examples/credit.

    pip install scikit-learn==1.9.1 skl2onnx==1.20.0 && python network.py
"""

import pathlib

import numpy as np
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

here = pathlib.Path(__file__).parent
rows = np.loadtxt(here.parents[3] / "examples/credit/train.csv", delimiter=",", skiprows=1, dtype=np.float32)
x, y = rows[:, :-1], rows[:, -1].astype(int)
network = make_pipeline(StandardScaler(), MLPClassifier((24, 12), alpha=2, max_iter=2000, random_state=1)).fit(x, y)
graph = to_onnx(network, x[:1], options={"zipmap": False}, target_opset=18)
(here / "network.onnx").write_bytes(graph.SerializeToString())
print("accuracy", network.score(x, y), "refused", (network.predict_proba(x)[:, 1] >= 0.25).mean())
