"""Runs a white-box attack of a Python library on one network and prints a JSON line with what it reached.

    python peer.py TASK NETWORK --epsilon E --rows N [--steps N] [--threads N] [--batch N]

TASK is auto (AutoAttack, standard, of torchattacks) or pgd (ProjectedGradientDescent of Adversarial Robustness
Toolbox with PyTorch). NETWORK is digits or the path of an MNIST network in ONNX; README.md says which.
"""

import argparse
import gzip
import json
import logging
import pathlib
import sys
import tempfile
import time
import warnings

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/hopskipjump"))
from peer import torch_of  # noqa: E402

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


def load(network, n, mnist):
    """Returns the network as a torch module, the images and the labels, and the shape of an image."""
    if network == "digits":
        data = np.load(ROOT / "examples/digits/test.npz")
        return torch_of(ROOT / "examples/digits/model.onnx"), data["x"].reshape(-1, 1, 8, 8)[:n].astype(np.float32), data["y"][:n].astype(np.int64)
    path = pathlib.Path(network)
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    with tempfile.NamedTemporaryFile(suffix=".onnx") as f:
        f.write(raw)
        f.flush()
        model = torch_of(f.name)
    images = gzip.decompress((mnist / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((mnist / "t10k-labels-idx1-ubyte.gz").read_bytes())
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)[:n].astype(np.float32) / 255
    return model, x, np.frombuffer(labels, np.uint8, offset=8)[:n].astype(np.int64)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["auto", "pgd"])
    parser.add_argument("network")
    parser.add_argument("--mnist", type=pathlib.Path)
    parser.add_argument("--epsilon", type=float, required=True)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=256)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    np.random.seed(0)
    model, x, y = load(args.network, args.rows, args.mnist)
    if args.task == "auto":
        import torchattacks

        attack = torchattacks.AutoAttack(model, norm="Linf", eps=args.epsilon, version="standard", n_classes=10)
        start = time.time()
        out = attack(torch.from_numpy(x), torch.from_numpy(y)).detach()
        seconds = time.time() - start
        assert (out - torch.from_numpy(x)).abs().max() <= args.epsilon * (1 + 1e-4)
        with torch.no_grad():
            standing = int((model(out).argmax(1).numpy() == y).sum())
    else:
        from art.attacks.evasion import ProjectedGradientDescent
        from art.estimators.classification import PyTorchClassifier

        estimator = PyTorchClassifier(model, torch.nn.CrossEntropyLoss(), x.shape[1:], 10, clip_values=(0, 1))
        attack = ProjectedGradientDescent(
            estimator, norm=np.inf, eps=args.epsilon, eps_step=2.5 * args.epsilon / args.steps, max_iter=args.steps,
            num_random_init=1, batch_size=args.batch, verbose=False)
        attack.generate(x[:8], y[:8])  # starting up is not counted
        start, cpu = time.time(), time.process_time()
        out = attack.generate(x, y)
        seconds = time.time() - start
        print(json.dumps({"processor": time.process_time() - cpu}), file=sys.stderr)
        standing = int((estimator.predict(out).argmax(1) == y).sum())
    clean = int((model(torch.from_numpy(x)).argmax(1).numpy() == y).sum())
    print(json.dumps({"rows": len(x), "clean": clean, "standing": standing, "seconds": seconds, "rows_per_second": len(x) / seconds}))


main()
