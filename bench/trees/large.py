"""Writes a whole target whose model has 10,000 trees of depth 6, trained by XGBoost, as its own JSON.

python bench/trees/large.py FOLDER, then assize assess FOLDER --depth standard. It has 20 features: some whole, one one-hot
group, some that cannot change, and a relation, so that every path of the search is taken.
"""

import csv
import pathlib
import sys

import numpy as np
import xgboost as xgb

TREES, DEPTH, ROWS, TEST = 10_000, 6, 4000, 600
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
r = np.random.default_rng(18)
n, group = 20, range(15, 20)
names = [f"number_{i}" for i in range(10)] + [f"whole_{i}" for i in range(5)] + [f"kind_{i}" for i in range(5)]


def rows(count):
    x = np.zeros((count, n), dtype=np.float32)
    x[:, :10] = r.random((count, 10))
    x[:, 10:15] = r.integers(0, 10, (count, 5))
    kind = r.integers(0, 5, count)
    x[np.arange(count), 15 + kind] = 1
    score = 3 * np.sin(6 * x[:, 0]) + 2 * x[:, 1] * x[:, 10] / 5 - x[:, 11] / 3 + np.array([0, 1, -1, 0.5, -0.5])[kind]
    return x, (score + r.normal(size=count) > 0.7).astype(int)


x, y = rows(ROWS)
booster = xgb.train({"objective": "binary:logistic", "max_depth": DEPTH, "eta": 0.01, "subsample": 0.7, "min_child_weight": 0, "gamma": 0, "lambda": 0.1,
                     "colsample_bytree": 0.6, "tree_method": "hist", "seed": 18}, xgb.DMatrix(x, label=y), TREES)
booster.save_model(folder / "model.json")
q, want = rows(TEST)
with open(folder / "test.csv", "w", newline="") as f:
    w = csv.writer(f)
    w.writerow(names + ["refused"])
    w.writerows([*map(repr, map(float, row)), label] for row, label in zip(q, want))
features = []
for i, name in enumerate(names):
    kind = "real" if i < 10 else "integer" if i < 15 else "binary"
    low_high = "max: 1" if i < 10 else "max: 9" if i < 15 else "max: 1"
    extra = ", group: kind" if i in group else ", mutable: \"no\"" if i % 5 == 4 else ""
    features.append(f"    - {{name: {name}, type: {kind}, min: 0, {low_high}{extra}}}")
(folder / "assize.yaml").write_text(f"""assize: 1
target: {{name: large-ensemble, version: 1.0.0, provider: bench, intended_purpose: "How a search behaves on ten thousand trees", classification: {{annex_iii: "5(b)"}}}}
artefacts:
  - {{name: test, kind: dataset, path: test.csv, label: refused}}
  - {{name: model, kind: model, path: model.json}}
interface:
  input: {{layout: columns}}
  output: {{kind: probabilities, classes: [accepted, refused]}}
decision: {{rule: cutoff, positive: refused, cutoff: 0.5, outcomes: {{below: accept, above: refuse}}, favourable: [accept]}}
domain:
  confirmed_by: {{name: bench, date: 2026-11-01}}
  relations: ["x.number_0 <= x.number_1 + 0.9", "abs(x.whole_0 - orig.whole_0) <= 4"]
  features:
{chr(10).join(features)}
threat_model:
  evasion: {{norm: linf, epsilon: 0.05, unit: range}}
claims: [evasion]
""")
