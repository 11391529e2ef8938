# Writes zipmap.onnx, a classifier as skl2onnx exports it by default (with
# ZipMap), and zipmap.json, what scikit-learn answers. Run from this folder
# with scikit-learn 1.9.1 and skl2onnx 1.20.0: python zipmap.py
import json

from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

x, y = load_iris(return_X_y=True)
x = x.astype("float32")
model = LogisticRegression(max_iter=1000).fit(x, y)
with open("zipmap.onnx", "wb") as f:
    f.write(to_onnx(model, x[:1], target_opset=17).SerializeToString())
rows = x[::15]
json.dump({"x": rows.ravel().tolist(), "labels": model.predict(rows).tolist(),
           "probabilities": model.predict_proba(rows).ravel().tolist()}, open("zipmap.json", "w"))
