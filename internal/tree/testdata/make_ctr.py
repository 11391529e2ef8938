"""Makes ctr.tar.gz: small random CatBoost models with statistics of categories, rows, and what the library says.

Run in this folder (python make_ctr.py; CatBoost 1.2.10, NumPy, pandas). models.json has, per model, its file, rows in which a
category is text, and raw values. Rows hold categories and pairs of categories that training did not.
"""

import io
import json
import os
import tarfile
import tempfile

import catboost
import numpy as np
import pandas as pd

entries, files = [], {}
SIMPLE = ["Borders", "Buckets", "BinarizedTargetMeanValue", "Counter", "FloatTargetMeanValue", "FeatureFreq"]


def frame(r, n, more):
    f = pd.DataFrame({"a": np.round(r.normal(size=n) * 4).astype(np.float32) / 4, "word": r.choice(["red", "green", "blue", "grey", "a b", "ß"][: 6 if more else 5], n),
                      "code": r.integers(0, 8 if more else 7, n), "b": np.round(r.normal(size=n) * 4).astype(np.float32) / 4, "two": r.choice(["u", "v", "w"][: 3 if more else 2], n)})
    return f


for seed in range(240):
    r = np.random.default_rng(seed)
    loss = ["Logloss", "MultiClass", "RMSE", "CrossEntropy"][seed % 4]
    f, q = frame(r, 200, False), frame(r, 40, True)
    y = ((f["word"] == "red") & (f["code"] > 3)).to_numpy().astype(float) + (f["a"] > 0).to_numpy() * (f["code"] % 2 == 0).to_numpy() + r.normal(size=200) / 4
    y = {"Logloss": (y > 0.5).astype(int), "MultiClass": np.digitize(y, [0.3, 1.1]), "RMSE": y, "CrossEntropy": 1 / (1 + np.exp(-y))}[loss]
    p = dict(loss_function=loss, iterations=5, depth=int(r.integers(1, 4)), learning_rate=0.5, verbose=0, thread_count=1, random_seed=seed, allow_writing_files=False,
             one_hot_max_size=[1, 2, 3][seed % 3], max_ctr_complexity=1 + seed // 4 % 3)
    if seed % 5 == 1:
        p["simple_ctr"] = [s for s in SIMPLE[:4]]
    if seed % 5 == 2:
        p["simple_ctr"] = ["Borders:TargetBorderCount=3", "Buckets:TargetBorderCount=2", "Counter:Prior=0.3"] if loss == "RMSE" else ["Buckets:Prior=0.25", "Counter:CtrBorderCount=5"]
        p["combinations_ctr"] = ["Borders", "Counter"]
    if seed % 7 == 3:
        p["counter_calc_method"] = "Full"
    if seed % 6 == 5:
        p["grow_policy"] = ["Depthwise", "Lossguide"][seed % 2]
    pool = catboost.Pool(f, y, cat_features=["word", "code", "two"])
    m = catboost.CatBoost(p)
    m.fit(pool)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.json")
        m.save_model(path, format="json", pool=pool)
        name = f"ctr-{seed}.json"
        files[name] = open(path, "rb").read()
    raw = np.asarray(m.predict(q, prediction_type="RawFormulaVal"), dtype=float).reshape(len(q), -1)
    rows = [[float(x["a"]), x["word"], str(x["code"]), float(x["b"]), x["two"]] for _, x in q.iterrows()]
    entries.append({"model": name, "rows": rows, "margins": raw.tolist(), "complexity": p["max_ctr_complexity"]})

files["models.json"] = json.dumps({"catboost": catboost.__version__, "entries": entries}).encode()
with tarfile.open("ctr.tar.gz", "w:gz") as t:
    for name, data in files.items():
        i = tarfile.TarInfo(name)
        i.size = len(data)
        t.addfile(i, io.BytesIO(data))
