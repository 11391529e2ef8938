"""Compares exact distances of tree ensembles with a mixed integer programme solved by CBC.

The programme is Kantchelian, Tygar and Joseph 2016 (sections 3.2 and 3.3): a binary per (feature, threshold), a share
per leaf, and a bound on the largest change. MODEL is an XGBoost text dump in JSON, ROWS a LIBSVM file.

    python milp.py --binary ./trees --model MODEL --rows ROWS --count 30
"""

import argparse
import gzip
import json
import statistics
import subprocess
import time

import numpy as np
import pulp


def read(path):
    with (gzip.open(path, "rt") if path.endswith(".gz") else open(path)) as f:
        return f.read()


def feature(node):
    return int(str(node["split"]).lstrip("f"))


def programme(trees, x, up):
    """The programme of the nearest input whose margin is above 0 (up), or at most 0."""
    p = pulp.LpProblem("nearest", pulp.LpMinimize)
    far = pulp.LpVariable("far", 0)
    p += far
    splits = {}

    def collect(n):
        if "leaf" not in n:
            t = float(np.float32(n["split_condition"]))
            splits.setdefault(feature(n), set()).add(t)
            for c in n["children"]:
                collect(c)

    for t in trees:
        collect(t)
    below = {}
    for f, ts in splits.items():
        before = None
        for t in sorted(ts):
            b = below[f, t] = pulp.LpVariable(f"b_{len(below)}", cat="Binary")
            if before is not None:
                p += before <= b
            before = b
            if t > x[f]:
                p += far >= (t - x[f]) * (1 - b)
            else:
                p += far >= (x[f] - t) * b
    margin, count = [], 0
    for t in trees:
        def leaves(n):
            nonlocal count
            if "leaf" in n:
                count += 1
                l = pulp.LpVariable(f"l_{count}", 0, 1)
                margin.append(float(np.float32(n["leaf"])) * l)
                return [l]
            yes, no = sorted(n["children"], key=lambda c: c["nodeid"] != n["yes"])
            a, b = leaves(yes), leaves(no)
            s = below[feature(n), float(np.float32(n["split_condition"]))]
            p.addConstraint(pulp.lpSum(a) <= s)
            p.addConstraint(pulp.lpSum(b) <= 1 - s)
            return a + b

        p += pulp.lpSum(leaves(t)) == 1
    total = pulp.lpSum(margin)
    p += total >= 1e-7 if up else total <= -1e-7
    return p, far


def add_up(trees, x):
    total = 0.0
    for n in trees:
        while "leaf" not in n:
            goes = n["yes"] if x[feature(n)] < np.float32(n["split_condition"]) else n["no"]
            n = next(c for c in n["children"] if c["nodeid"] == goes)
        total += float(np.float32(n["leaf"]))
    return total


def main():
    a = argparse.ArgumentParser()
    for name in ("binary", "model", "rows"):
        a.add_argument("--" + name, required=True)
    a.add_argument("--count", type=int, default=30)
    a.add_argument("--seconds", type=float, default=600, help="limit of one programme")
    a = a.parse_args()
    trees = json.loads(read(a.model))
    out = subprocess.run([a.binary, "-model", a.model, "-rows", a.rows, "-count", str(a.count)], check=True, capture_output=True, text=True).stdout
    worst, ours, theirs, compared = 0.0, [], [], 0
    for line, row in zip(out.splitlines(), read(a.rows).splitlines()):
        _, lower, upper, exact, us = line.split(",")
        x = np.zeros(1000, np.float32)
        for pair in row.split()[1:]:
            k, v = pair.split(":")
            x[int(k)] = v
        p, far = programme(trees, x.astype(float), add_up(trees, x) <= 0)
        start = time.perf_counter()
        status = p.solve(pulp.COIN_CMD(msg=False, threads=1, timeLimit=a.seconds, gapRel=0, gapAbs=0))
        theirs.append(time.perf_counter() - start)
        ours.append(float(us) / 1e6)
        if pulp.LpStatus[status] != "Optimal" or theirs[-1] >= a.seconds:
            continue
        compared += 1
        assert exact == "true"
        worst = max(worst, abs(far.value() - float(lower)), abs(far.value() - float(upper)))
    print(f"{compared} rows compared, largest difference {worst:.1e}; seconds a row: CBC mean {statistics.mean(theirs):.3f} median {statistics.median(theirs):.3f}, "
          f"ours mean {statistics.mean(ours):.6f} median {statistics.median(ours):.6f}, ratio of means {statistics.mean(theirs) / statistics.mean(ours):,.0f}")


if __name__ == "__main__":
    main()
