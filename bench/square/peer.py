"""Runs Square Attack of torchattacks or of Adversarial Robustness Toolbox on one target and prints a JSON line.

    python peer.py TARGET --peer torchattacks|art --norm linf|l2 --epsilon E --rows N --queries N

TARGET is digits or the path of an MNIST network in ONNX, run by PyTorch on one thread with the same weights. Every row that reaches the network is counted; a row counts
as broken when its decision differs from that of the row as it is, and the change is within epsilon.
"""

import argparse
import json
import pathlib
import sys
import time
import warnings

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "hopskipjump"))
import peer  # noqa: E402

warnings.filterwarnings("ignore")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--peer", default="torchattacks")
    parser.add_argument("--norm", default="linf")
    parser.add_argument("--epsilon", type=float, default=0.05)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--queries", type=int, default=1000)
    args = parser.parse_args()

    import torch

    estimator, rows = peer.load(args.target, "native", 1)
    rows = rows[: args.rows].astype(np.float32)
    network = estimator.model
    network = getattr(network, "_model", network)
    count = 0

    def counting(_, inputs):
        nonlocal count
        count += len(inputs[0])

    with torch.no_grad():
        before = network(torch.from_numpy(rows)).argmax(1)
    torch.manual_seed(1)
    np.random.seed(1)
    clocks = time.perf_counter(), time.process_time()
    if args.peer == "torchattacks":
        import torchattacks

        network.register_forward_pre_hook(counting)
        attack = torchattacks.Square(network, norm={"linf": "Linf", "l2": "L2"}[args.norm], eps=args.epsilon, n_queries=args.queries, seed=1)
        found = attack(torch.from_numpy(rows), before).numpy()
    else:
        from art.attacks.evasion import SquareAttack

        answer = estimator.predict

        def predict(x, *a, **k):
            counting(None, (x,))
            return answer(x.astype(np.float32, copy=False), *a, **k)

        estimator.predict = predict
        attack = SquareAttack(
            estimator, norm=np.inf if args.norm == "linf" else 2, eps=args.epsilon, max_iter=args.queries - 1, p_init=0.8, batch_size=len(rows), verbose=False)
        found = attack.generate(rows, y=np.eye(10, dtype=np.float32)[before.numpy()])
    wall, cpu = time.perf_counter() - clocks[0], time.process_time() - clocks[1]
    asked = count
    change = (found - rows).reshape(len(rows), -1)
    size = np.abs(change).max(1) if args.norm == "linf" else np.linalg.norm(change, axis=1)
    with torch.no_grad():
        after = network(torch.from_numpy(found.astype(np.float32))).argmax(1)
    broken = ((after != before).numpy() & (size <= args.epsilon * (1 + 1e-5))).sum()
    print(json.dumps({"queries": asked, "queries_per_row": asked / len(rows), "seconds": wall, "cpu_seconds": cpu,
                      "queries_per_second": asked / cpu, "broken": int(broken)}))


if __name__ == "__main__":
    main()
