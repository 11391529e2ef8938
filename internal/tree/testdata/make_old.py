"""Makes old-<version>.tar.gz: random models of an older XGBoost, in every format it writes, as make_models.py does.

Run in this folder once per version: python make_old.py, with xgboost 1.7.6 (which still writes the old binary format) and
with 2.1.4.
"""

import gzip
import io
import json
import os
import tarfile
import tempfile

import numpy as np
import xgboost as xgb

KINDS = [("binary:logistic", "binary"), ("binary:logitraw", "binary"), ("binary:hinge", "binary"), ("multi:softprob", "classes"), ("reg:squarederror", "number"),
         ("reg:logistic", "binary"), ("count:poisson", "positive"), ("reg:gamma", "positive"), ("reg:tweedie", "positive"), ("rank:pairwise", "binary")]
entries, files = [], {}
number = lambda v: float(v) if np.isfinite(v) else str(float(v))
clean = lambda a, n: [[number(v) for v in row] for row in np.asarray(a, dtype=np.float64).reshape(n, -1)]


def make(seed):
    r = np.random.default_rng(9000 + seed)
    objective, kind = KINDS[seed % len(KINDS)]
    d = int(r.integers(2, 6))
    x, q = (np.round(r.normal(size=(n, d)) * 4).astype(np.float32) / 4 for n in (120, 30))
    if seed % 2:
        x[r.random(x.shape) < 0.2], q[r.random(q.shape) < 0.2] = np.nan, np.nan
    score = np.nan_to_num(x[:, 0]) - np.abs(np.nan_to_num(x[:, 1])) + r.normal(size=len(x)) / 2
    y = {"binary": score > -0.5, "classes": np.digitize(score, [-1, 0.3]), "positive": np.exp(score / 2), "number": score}[kind]
    p = {"objective": objective, "max_depth": 3, "eta": 0.4, "nthread": 1, "seed": seed, "booster": ["gbtree", "dart"][seed // 10 % 2], "rate_drop": 0.4}
    if kind == "classes":
        p["num_class"] = 3
    if seed % 3 == 0:
        p["base_score"] = 0.3
    b = xgb.train(p, xgb.DMatrix(x, y, group=[60, 60] if objective.startswith("rank") else None), 5)
    for suffix in [".json", ".ubj"] + ([".model"] if xgb.__version__ < "2" else []):
        with tempfile.TemporaryDirectory() as folder:
            b.save_model(os.path.join(folder, "m" + suffix))
            name = f"old-{seed}{suffix}"
            files[name] = open(os.path.join(folder, "m" + suffix), "rb").read()
        m = xgb.DMatrix(q)
        entries.append({"model": name, "rows": clean(q, len(q)), "margins": clean(b.predict(m, output_margin=True), len(q)), "predictions": clean(b.predict(m), len(q))})


for seed in range(30):
    make(seed)
files["models.json"] = json.dumps({"versions": {"xgboost": xgb.__version__}, "command": "python make_old.py", "entries": entries}).encode()
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as t:
    for name in sorted(files):
        info = tarfile.TarInfo(name)
        info.size = len(files[name])
        t.addfile(info, io.BytesIO(files[name]))
with open(f"old-{xgb.__version__}.tar.gz", "wb") as f:
    f.write(gzip.compress(buffer.getvalue(), 9, mtime=0))
print(xgb.__version__, len(entries), "models,", os.path.getsize(f"old-{xgb.__version__}.tar.gz"), "bytes")
