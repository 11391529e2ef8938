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


def agreement(args, dense, nets):
    print("| Network | Epsilon | Clean | AutoAttack of torchattacks leaves | Assize leaves |\n|---|---|---|---|---|")
    for name, path, epsilon in [("256x2", dense, 0.05), ("256x2 masked", args.masked, 0.05), ("madry_small_adv", nets / "mnist_madry_small_adv.onnx.gz", 0.3)]:
        peer = line([sys.executable, HERE / "peer.py", "auto", path, "--mnist", args.networks / "mnist", "--epsilon", epsilon, "--threads", max(args.threads)])
        ours = line([args.binary, "-task", "ensemble", "-network", path, "-mnist", args.networks / "mnist", "-epsilon", epsilon])
        print(f"| {name} | {epsilon} | {peer['clean']} | {peer['standing']} | {ours['standing']} |", flush=True)


def speed(args, dense, nets):
    print("Rows per second, medians with the least and the most; in brackets the threads of the best median.\n")
    print("| Network | Epsilon | ART | Assize | Assize, all steps | Ratio | All steps | ART leaves | Assize leaves |\n|---|---|---|---|---|---|---|---|---|")
    for name, path, epsilon, rows in [("256x2", dense, 0.05, 4000), ("digits", "digits", 0.05, 597),
                                      ("Convnet_maxpool", nets / "Convnet_maxpool.onnx", 0.1, 1000), ("cnn_a_adv", nets / "mnist_cnn_a_adv.onnx.gz", 0.3, 1000)]:
        runs, left = {}, {}
        for _ in range(args.rounds):
            for threads in args.threads:
                common = [path, "--mnist", args.networks / "mnist", "--epsilon", epsilon, "--rows", rows, "--steps", 40, "--threads", threads]
                ours = [args.binary, "-task", "pgd", "-network", path, "-mnist", args.networks / "mnist", "-epsilon", epsilon, "-rows", rows, "-steps", 40, "-workers", threads]
                for side, command in [("art", [sys.executable, HERE / "peer.py", "pgd", *common]), ("early", ours), ("all", [*ours, "-early=false"])]:
                    out = line(command)
                    runs.setdefault((side, threads), []).append(out["rows_per_second"])
                    left[side] = out["standing"]
        best = {side: max(args.threads, key=lambda t: statistics.median(runs[side, t])) for side in left}  # noqa: B023
        rate = {side: statistics.median(runs[side, best[side]]) for side in left}
        cell = lambda side: f"{rate[side]:.0f}, {min(runs[side, best[side]]):.0f} to {max(runs[side, best[side]]):.0f} ({best[side]})"  # noqa: B023, E731
        print(f"| {name} | {epsilon} | {cell('art')} | {cell('early')} | {cell('all')} | {rate['early'] / rate['art']:.1f} | {rate['all'] / rate['art']:.1f} "
              f"| {left['art']} | {left['early']} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--networks", type=pathlib.Path, required=True)
    parser.add_argument("--masked", type=pathlib.Path, help="what mask.py wrote; compares how much AutoAttack leaves, too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="each side takes its best")
    args = parser.parse_args()
    dense, nets = args.networks / "mnistfc/mnist-net_256x2.onnx.gz", args.networks / "mnist-nets"
    speed(args, dense, nets)
    if args.masked:
        print()
        agreement(args, dense, nets)


main()
