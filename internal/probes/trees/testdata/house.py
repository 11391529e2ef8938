"""Writes house.onnx: a small boosted regression of three features, with scikit-learn and skl2onnx.

    python house.py
"""
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from skl2onnx import to_onnx

rng = np.random.default_rng(1)
n = 600
area, km, rooms = rng.uniform(0, 1, n), rng.uniform(0, 1, n), rng.integers(1, 21, n)
X = np.column_stack([area, km, rooms]).astype(np.float32)
y = 200 * area - 80 * km * area + 4 * rooms + 20 * np.sin(9 * km) + rng.normal(0, 5, n)
m = GradientBoostingRegressor(n_estimators=15, max_depth=3, learning_rate=0.3, random_state=0).fit(X, y)
with open("house.onnx", "wb") as f:
    f.write(to_onnx(m, X[:1]).SerializeToString())
