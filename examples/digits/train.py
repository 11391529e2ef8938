"""Trains the digits example and writes model.onnx, train.npz, test.npz and served.npz.

The data come inside scikit-learn. Run inside this folder after `pip install -r requirements.txt`:

    python train.py
"""

import hashlib
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from scipy.stats import beta
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 7


def network():
    """A small convolutional network: N×1×8×8 pixels in 0..1 to N×10 logits."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def fit(model, x, y, epochs=60):
    order = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=order).split(32):
            # Noise of about one grey level in sixteen, so that single levels do not matter.
            noisy = (x[batch] + 0.06 * torch.randn(x[batch].shape, generator=order)).clamp(0, 1)
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(noisy), y[batch]).backward()
            optimiser.step()
        schedule.step()
    return model.eval()


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    images, y = load_digits(return_X_y=True)
    x = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    x_train, x_test, y_train, y_test = train_test_split(x, y.astype(np.int64), test_size=597, stratify=y, random_state=SEED)
    np.savez_compressed("train.npz", x=x_train, y=y_train)
    np.savez_compressed("test.npz", x=x_test, y=y_test)

    model = fit(network(), torch.from_numpy(x_train), torch.from_numpy(y_train))
    with torch.no_grad():
        logits = model(torch.from_numpy(x_test)).numpy()
    np.savez_compressed("served.npz", logits=logits)
    torch.onnx.export(model, (torch.zeros(2, 1, 8, 8),), "model.onnx", input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}}, opset_version=17, dynamo=False)
    graph = onnx.load("model.onnx", load_external_data=False)
    onnx.checker.check_model(graph, full_check=True)

    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    run = session.run(["logits"], {"input": x_test})[0]
    correct, n = int((logits.argmax(1) == y_test).sum()), len(y_test)
    print(f"train: n {len(y_train)}; test: n {n}, smallest and largest class {np.bincount(y_test).min()}, {np.bincount(y_test).max()}")
    print(f"test accuracy {correct}/{n} = {correct / n:.4f} "
          f"[{beta.ppf(0.025, correct, n - correct + 1):.4f}, {beta.ppf(0.975, correct + 1, n - correct):.4f}] (95 % Clopper-Pearson), "
          f"balanced {balanced_accuracy_score(y_test, logits.argmax(1)):.4f}")
    print(f"parity: largest difference {np.abs(run - logits).max():.2e}, disagreements {int((run.argmax(1) != logits.argmax(1)).sum())}")
    print("graph:", [node.op_type for node in graph.graph.node], [(e.domain, e.version) for e in graph.opset_import],
          sum(int(np.prod(i.dims)) for i in graph.graph.initializer), "parameters")
    for name in "model.onnx", "train.npz", "test.npz", "served.npz":
        data = pathlib.Path(name).read_bytes()
        print(f"{name}: {len(data)} bytes, sha256:{hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
