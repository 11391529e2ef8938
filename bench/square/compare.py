"""Runs Square of both sides in turn on one core and prints a Markdown table. See README.md.

    python compare.py --binary PATH --networks FOLDER [--core 0] [--runs 3] [--rows 200] [--queries 1000]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def call(core, *command):
    out = subprocess.run(["taskset", "-c", str(core), *map(str, command)], capture_output=True, text=True, cwd=HERE)
    if out.returncode or not out.stdout.strip():
        sys.exit(f"{command}: {out.returncode}\n{out.stderr[-2000:]}")
    return json.loads(out.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--networks", required=True, help="folder of the MNIST networks; the test images lie in ../mnist")
    parser.add_argument("--core", default=0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--only", default="", help="part of a target's name")
    args = parser.parse_args()
    networks = pathlib.Path(args.networks).resolve()
    maxpool, avgpool = networks / "Convnet_maxpool.onnx", networks / "Convnet_avgpool.onnx"
    print("| Target | Norm | epsilon | Peer | peer broken | Assize broken | peer queries a row | Assize queries a row | peer queries/s | Assize queries/s | ratio | rows/s, ratio |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for name, target, norm, epsilon in (
        ("digits", "digits", "linf", 0.1), ("digits", "digits", "l2", 0.5),
        ("mnist Convnet_maxpool", maxpool, "linf", 0.06), ("mnist Convnet_maxpool", maxpool, "l2", 1.0),
        ("mnist Convnet_avgpool", avgpool, "linf", 0.1),
    ):
        for side in ("torchattacks", "art"):
            if args.only not in name:
                continue
            pairs = []
            for _ in range(args.runs):
                common = ("--norm", norm, "--epsilon", epsilon, "--rows", args.rows, "--queries", args.queries)
                theirs = call(args.core, sys.executable, HERE / "peer.py", target, "--peer", side, *common)
                ours = call(args.core, args.binary, "-root", HERE.parents[1], "-target", target, "-probe", "evasion/square", *common)
                pairs.append((theirs, ours))

            def median(of):
                return statistics.median(of(a, o) for a, o in pairs)

            print(f"| {name} | {norm} | {epsilon} | {side} | {median(lambda a, o: a['broken']):.0f} | {median(lambda a, o: o['broken']):.0f} | "
                  f"{median(lambda a, o: a['queries_per_row']):.0f} | {median(lambda a, o: o['queries_per_row']):.0f} | "
                  f"{median(lambda a, o: a['queries_per_second']):,.0f} | {median(lambda a, o: o['queries_per_second']):,.0f} | "
                  f"{median(lambda a, o: o['queries_per_second'] / a['queries_per_second']):.1f} | "
                  f"{median(lambda a, o: a['cpu_seconds'] / o['cpu_seconds']):.1f} |", flush=True)


if __name__ == "__main__":
    main()
