"""Runs both sides in turn on one core and prints a Markdown table. See README.md.

    python compare.py --binary PATH --networks FOLDER [--core 0] [--runs 3] [--rows 50] [--iterations 5]
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
    parser.add_argument("--only", help="part of a target's name")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--iterations", type=int, default=5, help="of ART; the budget of our side is what ART then asked a row on average")
    args = parser.parse_args()
    networks = pathlib.Path(args.networks).resolve()
    targets = {"credit": "credit", "digits": "digits"}
    targets |= {f"mnist {n}": networks / f"{n}.onnx" for n in ("Convnet_maxpool", "Convnet_avgpool")}
    print("| Target | Norm | ART engine | queries a row | ART queries/s | Assize queries/s | ratio | ART median distance | Assize median distance | ratio | rows ART did not finish |")
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for name, target in targets.items():
        if args.only and args.only not in name:
            continue
        for norm in ("l2", "linf"):
            for engine in ("native", "onnxruntime"):
                pairs = []
                for _ in range(args.runs):
                    art = call(args.core, sys.executable, HERE / "peer.py", target, "--norm", norm, "--rows", args.rows,
                               "--iterations", args.iterations, "--engine", engine)
                    ours = call(args.core, args.binary, "-root", HERE.parents[1], "-target", target, "-norm", norm, "-rows", args.rows,
                                "-queries", int(art["queries_per_row"]))
                    both = [(a, o) for a, o in zip(art["distances"], ours["distances"]) if a is not None and o is not None]
                    missed = sum(o is None for o in ours["distances"])
                    assert missed == 0, f"{missed} rows of ours found nothing"
                    for side, k in ((art, 0), (ours, 1)):
                        side["median_distance"] = statistics.median(pair[k] for pair in both)
                    art["stuck"] = sum(a is None for a in art["distances"])
                    pairs.append((art, ours))

                def median(of):
                    return statistics.median(of(a, o) for a, o in pairs)

                print(f"| {name} | {norm} | {engine} | {median(lambda a, o: a['queries_per_row']):.0f} | "
                      f"{median(lambda a, o: a['queries_per_second']):,.0f} | {median(lambda a, o: o['queries_per_second']):,.0f} | "
                      f"{median(lambda a, o: o['queries_per_second'] / a['queries_per_second']):.1f} | "
                      f"{median(lambda a, o: a['median_distance']):.4f} | {median(lambda a, o: o['median_distance']):.4f} | "
                      f"{median(lambda a, o: o['median_distance'] / a['median_distance']):.2f} | "
                      f"{median(lambda a, o: a['stuck']):.0f} of {args.rows} |", flush=True)


if __name__ == "__main__":
    main()
