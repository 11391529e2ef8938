"""Runs both sides of the comparison in turn and prints a table of each; README.md says what they are."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def line(command):
    out = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--networks", type=pathlib.Path, required=True)
    parser.add_argument("--masked", type=pathlib.Path, required=True)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="each side takes its best")
    args = parser.parse_args()
    mnist = args.networks / "mnist"
    dense, nets = args.networks / "mnistfc/mnist-net_256x2.onnx.gz", args.networks / "mnist-nets"

    print("| Network | Epsilon | Clean | AutoAttack of torchattacks leaves | Assize leaves |\n|---|---|---|---|---|")
    for name, path, epsilon in [("256x2", dense, 0.05), ("256x2 masked", args.masked, 0.05), ("madry_small_adv", nets / "mnist_madry_small_adv.onnx.gz", 0.3)]:
        peer = line([sys.executable, HERE / "peer.py", "auto", path, "--mnist", mnist, "--epsilon", epsilon, "--threads", max(args.threads)])
        ours = line([args.binary, "-task", "ensemble", "-network", path, "-mnist", mnist, "-epsilon", epsilon])
        print(f"| {name} | {epsilon} | {peer['clean']} | {peer['standing']} | {ours['standing']} |", flush=True)

    print("\n| Network | Epsilon | ART rows/s | Assize rows/s | ratio | all steps | ART leaves | Assize leaves |\n|---|---|---|---|---|---|---|---|")
    for name, path, epsilon, rows in [("256x2", dense, 0.05, 2000), ("digits", "digits", 0.05, 597),
                                      ("Convnet_maxpool", nets / "Convnet_maxpool.onnx", 0.1, 1000), ("cnn_a_adv", nets / "mnist_cnn_a_adv.onnx.gz", 0.3, 500)]:
        best = {}
        for _ in range(args.pairs):
            for threads in args.threads:
                common = [path, "--mnist", mnist, "--epsilon", epsilon, "--rows", rows, "--steps", 40, "--threads", threads]
                best.setdefault(("art", threads), []).append(line([sys.executable, HERE / "peer.py", "pgd", *common]))
                ours = [args.binary, "-task", "pgd", "-network", path, "-mnist", mnist, "-epsilon", epsilon, "-rows", rows, "-steps", 40, "-workers", threads]
                best.setdefault(("early", threads), []).append(line(ours))
                best.setdefault(("all", threads), []).append(line([*ours, "-early=false"]))
        rate = lambda side: max(statistics.median(r["rows_per_second"] for r in runs) for (s, _), runs in best.items() if s == side)  # noqa: E731
        left = lambda side: best[side, args.threads[0]][0]["standing"]  # noqa: E731
        print(f"| {name} | {epsilon} | {rate('art'):.0f} | {rate('early'):.0f} | {rate('early') / rate('art'):.1f} | {rate('all') / rate('art'):.1f} | {left('art')} | {left('early')} |", flush=True)


main()
