"""Write the CatBoost models that internal/scan/treefile/testdata holds:
python catboost_cases.py FOLDER, with CatBoost 1.2.10, and python catboost_cases.py FOLDER texts, with CatBoost 1.2.

One of each kind of tree, of statistics over categories, and of what is learnt of texts and embeddings.
"""
import gzip
import os
import sys

import numpy as np
from catboost import CatBoost, Pool, __version__

to = sys.argv[1]
os.makedirs(to, exist_ok=True)
rng = np.random.default_rng(0)
x, y = rng.random((200, 3)), rng.integers(0, 3, 200)
words = "the cat sat on a mat".split()
texts = [" ".join(rng.choice(words, 4)) for _ in x]
categories = [f"c{i}" for i in rng.integers(0, 9, 200)]
pairs = [f"d{i}" for i in rng.integers(0, 2, 200)]
embeddings = rng.normal(size=(200, 2))
plain = Pool(x, y)
cases = {
    "even": (lambda: plain, {"loss_function": "MultiClass"}),
    "depthwise": (lambda: plain, {"loss_function": "MultiClass", "grow_policy": "Depthwise"}),
    "lossguide": (lambda: Pool(x, x[:, 0]), {"loss_function": "RMSE", "grow_policy": "Lossguide"}),
    "categories": (lambda: Pool([list(r) for r in zip(categories, pairs, x[:, 0])], y, cat_features=[0, 1]), {"loss_function": "MultiClass", "simple_ctr": ["Borders", "Buckets", "Counter"]}),
    "means": (lambda: Pool([list(r) for r in zip(categories, pairs, x[:, 0])], x[:, 1], cat_features=[0, 1]), {"loss_function": "RMSE", "simple_ctr": ["BinarizedTargetMeanValue", "Counter"]}),
    "texts": (lambda: Pool([list(r) for r in zip(texts, x[:, 0])], ["cat" in t for t in texts], text_features=[0]), {"loss_function": "Logloss", "feature_calcers": ["BoW", "NaiveBayes", "BM25"]}),
    "embeddings": (lambda: Pool([[a, list(e)] for a, e in zip(x[:, 0], embeddings)], embeddings[:, 0] > 0, embedding_features=[1]), {"loss_function": "Logloss"}),
}
for name in sys.argv[2:] or cases:
    pool, settings = cases[name]
    m = CatBoost(settings | {"iterations": 3, "depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1, "random_seed": 1}).fit(pool())
    path = os.path.join(to, name + ("" if __version__ == "1.2.10" else "-" + __version__) + ".cbm")
    m.save_model(path)
    with open(path, "rb") as f:
        data = f.read()
    os.remove(path)
    with open(path + ".gz", "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0))
    print(path, len(data))
