"""Trains the diagnosis example and writes model.onnx, train.csv, test.csv, served.csv and features.csv.

The data come inside scikit-learn. Run inside this folder after `pip install -r requirements.txt`:

    python train.py
"""

import csv
import hashlib
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from scipy.stats import beta
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 11
CUTOFF, BAND = 0.5, 0.2
# Of each quantity: unit, and the largest value that the microscope and the outlines of nuclei can give.
UNITS = {
    "radius": ("µm", 60), "texture": ("grey levels", 100), "perimeter": ("µm", 400), "area": ("µm²", 6000), "smoothness": ("", 0.5),
    "compactness": ("", 2.5), "concavity": ("", 2.5), "concave_points": ("", 0.6), "symmetry": ("", 1), "fractal_dimension": ("", 0.5),
}


class Network(nn.Module):
    """A small dense network: N×30 measurements in their own units to the N×2 probabilities of benign and malignant."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.layers = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))

    def logits(self, x):
        return self.layers((x - self.mean) / self.std)

    def forward(self, x):
        return torch.softmax(self.logits(x), dim=1)


def fit(model, x, y, epochs=150):
    order = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-2)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=order).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model.logits(x[batch]), y[batch], label_smoothing=0.05).backward()
            optimiser.step()
    return model.eval()


def names(columns):
    """scikit-learn's 'mean concave points' as 'concave_points_mean'."""
    out = []
    for c in columns:
        kind, _, quantity = c.partition(" ") if not c.endswith(" error") else ("error", "", c.removesuffix(" error"))
        out.append(f"{quantity.replace(' ', '_')}_{kind}")
    return out


def write(path, header, rows):
    with open(path, "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(header)
        w.writerows(rows)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = load_breast_cancer()
    header = names(data.feature_names)
    x, y = data.data.astype(np.float32), (1 - data.target).astype(np.int64)  # 1 is malignant
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=150, stratify=y, random_state=SEED)
    for path, xs, ys in ("train.csv", x_train, y_train), ("test.csv", x_test, y_test):
        write(path, header + ["diagnosis"], [[str(v) for v in row] + [("benign", "malignant")[t]] for row, t in zip(xs, ys)])
    rows = []
    for name in header:
        quantity, kind = name.rsplit("_", 1)
        unit, most = UNITS[quantity]
        rows.append([name, "real", 0, most / 4 if kind == "error" and quantity != "texture" else most, unit, "yes"])
    write("features.csv", ["name", "type", "min", "max", "unit", "mutable"], rows)
    low, high = x.min(0), x.max(0)
    for (name, _, least, most, *_), a, b in zip(rows, low, high):
        assert least <= a and b <= most, f"{name}: the data reach from {a} to {b}, the declared range from {least} to {most}"

    model = fit(Network(torch.from_numpy(x_train.mean(0)), torch.from_numpy(x_train.std(0))), torch.from_numpy(x_train), torch.from_numpy(y_train))
    with torch.no_grad():
        served = model(torch.from_numpy(x_test)).numpy()
    write("served.csv", ["benign", "malignant"], [[str(v) for v in row] for row in served])
    torch.onnx.export(model, (torch.zeros(2, 30),), "model.onnx", input_names=["measurements"], output_names=["probabilities"],
                      dynamic_axes={"measurements": {0: "batch"}, "probabilities": {0: "batch"}}, opset_version=17, dynamo=False)
    onnx.checker.check_model(onnx.load("model.onnx", load_external_data=False), full_check=True)
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    run = session.run(["probabilities"], {"measurements": x_test})[0]

    p = served[:, 1]
    print(f"train: n {len(y_train)}, malignant {y_train.sum()}; test: n {len(y_test)}, malignant {y_test.sum()}")
    for what, k, n in (
            ("sensitivity", int(((p >= CUTOFF) & (y_test == 1)).sum()), int((y_test == 1).sum())),
            ("specificity", int(((p < CUTOFF) & (y_test == 0)).sum()), int((y_test == 0).sum())),
            ("accuracy", int(((p >= CUTOFF) == (y_test == 1)).sum()), len(y_test))):
        lower = beta.ppf(0.025, k, n - k + 1)
        upper = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
        print(f"{what} {k}/{n} = {k / n:.4f} [{lower:.4f}, {upper:.4f}] (95 % Clopper-Pearson)")
    print(f"AUC {roc_auc_score(y_test, p):.4f}; second reader {int(((p >= BAND) & (p < CUTOFF)).sum())}")
    print(f"parity: largest difference {np.abs(run - served).max():.2e}")
    for name in "model.onnx", "train.csv", "test.csv", "served.csv":
        data = pathlib.Path(name).read_bytes()
        print(f"{name}: {len(data)} bytes, sha256:{hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
