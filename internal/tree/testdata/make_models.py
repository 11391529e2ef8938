"""Makes models.tar.gz: hundreds of small random tree ensembles, rows for them, and what their libraries say.

Run in this folder with the versions that models.json names (python make_models.py). Each entry of models.json has the
model's file, the kind of rows (float32 or float64), the rows, and the library's margins and predictions, null where the
library gives none. Rows hold missing values, values at thresholds and beside them, and unseen categories.
"""

import gzip
import io
import json
import os
import platform
import sys
import tarfile
import tempfile

import catboost
import lightgbm as lgb
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import skl2onnx
import sklearn
import xgboost as xgb
from sklearn import ensemble, impute, linear_model, pipeline, preprocessing, tree
from sklearn.compose import ColumnTransformer

entries, files = [], {}


def add(name, data, rows, margins=None, predictions=None, **more):
    files[name] = data
    clean = lambda a: None if a is None else [[number(v) for v in r] for r in np.asarray(a, dtype=np.float64).reshape(len(rows), -1)]
    entries.append({"model": name, "rows": clean(rows), "margins": clean(margins), "predictions": clean(predictions), **more})


def number(v):
    v = float(v)
    return str(v) if not np.isfinite(v) else v


def table(r, n, d, missing, integers=0):
    """Numbers on a coarse grid, so that rows meet thresholds exactly, the last integers of d columns whole."""
    x = np.round(r.normal(size=(n, d)) * 4) / 4
    if integers:
        x[:, -integers:] = r.integers(0, 9, (n, integers))
    if missing:
        x[r.random(x.shape) < 0.15] = np.nan
        x[r.random(x.shape) < 0.1] = 0
    return x


def label(r, x, kind):
    score = np.nan_to_num(x[:, 0]) - np.abs(np.nan_to_num(x[:, 1])) + r.normal(size=len(x)) / 2
    if kind == "binary":
        return (score > -0.5).astype(int)
    if kind == "classes":
        return np.digitize(score, [-1.0, 0.3])
    if kind == "positive":
        return np.exp(score / 2)
    if kind == "share":
        return 1 / (1 + np.exp(-score))
    return score


def saved(save, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model" + suffix)
        save(path)
        return open(path, "rb").read()


XGB = [("binary:logistic", "binary"), ("binary:logitraw", "binary"), ("binary:hinge", "binary"), ("multi:softprob", "classes"),
       ("multi:softmax", "classes"), ("reg:squarederror", "number"), ("reg:absoluteerror", "number"), ("reg:pseudohubererror", "number"),
       ("reg:logistic", "share"), ("count:poisson", "positive"), ("reg:gamma", "positive"), ("reg:tweedie", "positive"),
       ("reg:squaredlogerror", "positive"), ("rank:pairwise", "binary"), ("reg:quantileerror", "number")]


def make_xgboost(seed):
    r = np.random.default_rng(seed)
    objective, kind = XGB[seed % len(XGB)]
    d, categorical = int(r.integers(2, 7)), seed % 3 == 1
    x = table(r, 120, d + 1, seed % 2 == 0, 1)
    if categorical:
        x[:, -1] = np.where(np.isnan(x[:, -1]), 0, x[:, -1])
    y = label(r, x, kind)
    if objective == "rank:pairwise":
        extra = {"group": [60, 60]}
    else:
        extra = {}
    types = ["q"] * d + (["c"] if categorical else ["q"])
    p = {"objective": objective, "max_depth": int(r.integers(1, 5)), "eta": 0.4, "nthread": 1, "seed": seed,
         "booster": "dart" if seed % 5 == 2 else "gbtree", "tree_method": "hist" if categorical else ["hist", "exact", "approx"][seed % 3]}
    if p["booster"] == "dart":
        p.update(rate_drop=0.5)
    if kind == "classes":
        p["num_class"] = 3
    if objective == "reg:quantileerror":
        p["quantile_alpha"] = [0.1, 0.5, 0.9] if seed % 2 else 0.5
    if seed % 7 == 3:
        p.update(num_parallel_tree=4, subsample=0.6, eta=1)
    if categorical:
        p["max_cat_to_onehot"] = 1 if seed % 2 else 20
    if seed % 4 == 0 and kind in ("binary", "share"):
        p["base_score"] = 0.3
    if objective == "reg:squarederror" and seed % 2:
        y = np.c_[y, -y]
        if p["booster"] == "gbtree" and not categorical:
            p.update(multi_strategy="multi_output_tree", tree_method="hist")
    data = lambda x, **k: xgb.DMatrix(x.astype(np.float32), feature_types=types, enable_categorical=True, **k)
    b = xgb.train(p, data(x, label=y, **extra), 6)
    q = table(r, 40, d + 1, seed % 2 == 0, 1)
    if categorical:
        q[:, -1] = r.integers(0, 12, 40)
        if seed % 2:
            q[3, -1], q[4, -1] = np.nan, -1
    q = q.astype(np.float32)
    margins, predictions = b.predict(data(q), output_margin=True), b.predict(data(q))
    if objective == "multi:softmax":
        predictions = None
    for suffix in ".json", ".ubj":
        add(f"xgboost-{seed}{suffix}", saved(b.save_model, suffix), q, margins, predictions, single=True)


LGB = [("binary", "binary"), ("multiclass", "classes"), ("multiclassova", "classes"), ("regression", "number"), ("regression_l1", "number"),
       ("huber", "number"), ("quantile", "number"), ("poisson", "positive"), ("gamma", "positive"), ("tweedie", "positive"),
       ("cross_entropy", "share"), ("cross_entropy_lambda", "share"), ("lambdarank", "binary")]


def make_lightgbm(seed):
    r = np.random.default_rng(1000 + seed)
    objective, kind = LGB[seed % len(LGB)]
    d, categorical = int(r.integers(2, 7)), seed % 3 == 1
    x = table(r, 200, d + 1, seed % 2 == 0, 1)
    y = label(r, x, kind)
    p = {"objective": objective, "num_leaves": int(r.integers(2, 14)), "learning_rate": 0.3, "verbose": -1, "num_threads": 1, "seed": seed,
         "boosting": ["gbdt", "dart", "rf", "gbdt"][seed % 4], "min_data_in_leaf": 3, "min_data_in_bin": 1, "zero_as_missing": seed % 6 == 0,
         "use_missing": seed % 9 != 5, "cat_smooth": 1, "min_data_per_group": 1, "max_cat_to_onehot": 1 if seed % 2 else 12}
    if p["boosting"] == "rf":
        p.update(bagging_freq=1, bagging_fraction=0.6)
    if kind == "classes":
        p["num_class"] = 3
    if objective in ("binary", "multiclassova") and seed % 2:
        p["sigmoid"] = 2.5
    if objective == "regression" and seed % 2:
        p["reg_sqrt"] = True
    extra = {"group": [100, 100]} if objective == "lambdarank" else {}
    b = lgb.train(p, lgb.Dataset(x, y, categorical_feature=[d] if categorical else [], **extra), 5)
    q = table(r, 40, d + 1, seed % 2 == 0, 1)
    q[0, 0], q[1, 0], q[2, 0], q[3, -1], q[4, -1], q[5, -1], q[6, -1] = 1e-36, -1e-35, 1e30, 2.9, -1, 1e10, np.nan
    margins, predictions = b.predict(q, raw_score=True), b.predict(q)
    add(f"lightgbm-{seed}.txt", saved(b.save_model, ".txt"), q, margins, predictions, average=p["boosting"] == "rf")
    add(f"lightgbm-{seed}.json", json.dumps(b.dump_model()).encode(), q, margins, predictions, average=p["boosting"] == "rf")


CAT = [("Logloss", "binary"), ("CrossEntropy", "share"), ("MultiClass", "classes"), ("MultiClassOneVsAll", "classes"), ("RMSE", "number"),
       ("MAE", "number"), ("Quantile", "number"), ("Poisson", "positive"), ("Tweedie:variance_power=1.5", "positive"), ("MultiRMSE", "number")]


def make_catboost(seed):
    r = np.random.default_rng(2000 + seed)
    loss, kind = CAT[seed % len(CAT)]
    d = int(r.integers(2, 6))
    x = table(r, 150, d, seed % 2 == 0)
    y = label(r, x, kind)
    if loss == "MultiRMSE":
        y = np.c_[y, -y]
    p = {"loss_function": loss, "iterations": 6, "depth": int(r.integers(1, 5)), "learning_rate": 0.4, "thread_count": 1, "verbose": 0, "random_seed": seed,
         "allow_writing_files": False, "one_hot_max_size": 20, "nan_mode": "Max" if seed % 4 == 0 else "Min"}
    if seed % 3 == 2 and loss not in ("MultiRMSE",):
        p["grow_policy"] = ["Depthwise", "Lossguide"][seed % 2]
    q = table(r, 40, d, seed % 2 == 0)
    frame, asked = pd.DataFrame(x.astype(np.float32)), pd.DataFrame(q.astype(np.float32))
    cats = []
    if seed % 3 == 1:
        names = [["red", "green", "blue", "grey"], ["0", "1", "2", "7"]][seed % 2]
        frame["k"] = r.choice(names[:3], len(x))
        asked["k"] = r.choice(names, len(q))
        cats = ["k"]
        y = y + (frame["k"] == names[1]) if kind == "number" and y.ndim == 1 else y
    frame.columns, asked.columns = frame.columns.astype(str), asked.columns.astype(str)
    pool = catboost.Pool(frame, y, cat_features=cats)
    m = catboost.CatBoost(p)
    m.fit(pool)
    predictions = {"Logloss": "Probability", "CrossEntropy": "Probability", "MultiClass": "Probability", "MultiClassOneVsAll": "Probability",
                   "Poisson": "Exponent", "Tweedie:variance_power=1.5": "Exponent"}.get(loss, "RawFormulaVal")
    out = m.predict(asked, prediction_type=predictions)
    if loss in ("Logloss", "CrossEntropy"):
        out = out[:, 1]
    if loss == "MultiClassOneVsAll":
        out = None  # the library divides by the sum
    texts = list(asked["k"]) if cats else None
    if cats:
        asked["k"] = [float(k) if k.isdigit() else -1 for k in asked["k"]]
    add(f"catboost-{seed}.json", saved(lambda f: m.save_model(f, format="json", pool=pool), ".json"), asked.to_numpy(), m.predict(pd.DataFrame(asked).assign(**({"k": texts} if cats else {})), prediction_type="RawFormulaVal"),
        out, texts=texts, single=True)


def make_sklearn(seed):
    r = np.random.default_rng(3000 + seed)
    classes = seed % 3
    kinds = [(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor), (ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
             (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor), (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor)]
    make = kinds[seed % 4][classes == 2]
    p = {"random_state": seed, "max_depth": int(r.integers(1, 9))}
    if seed % 4 != 3:
        p["n_estimators"] = 5
    m = make(**p)
    d = int(r.integers(2, 6))
    x = table(r, 150, d, False).astype(np.float32)
    y = label(r, x, ["binary", "classes", "number"][classes])
    q = table(r, 40, d, False).astype(np.float32)
    front = seed % 5
    if front == 1:
        m = pipeline.make_pipeline(preprocessing.StandardScaler(), m)
    elif front == 2:
        m = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.MinMaxScaler(), m)
        q[r.random(q.shape) < 0.2] = np.nan
    elif front == 3:
        m = pipeline.make_pipeline(ColumnTransformer([("a", preprocessing.RobustScaler(), [d - 1]), ("b", "passthrough", [0])]), m)
    elif front == 4:
        x[:, -1], q[:, -1] = r.integers(0, 5, len(x)), r.integers(0, 6, len(q))
        m = pipeline.make_pipeline(ColumnTransformer([("a", preprocessing.OneHotEncoder(handle_unknown="ignore"), [d - 1]), ("b", preprocessing.Binarizer(threshold=0.3), [0]), ("c", "passthrough", [1])]), m)
    m.fit(x, y)
    graph = skl2onnx.to_onnx(m, x[:1], options={"zipmap": False} if classes < 2 else None, target_opset={"": 15, "ai.onnx.ml": 3 if seed % 2 else 1})
    onnx_entry(f"sklearn-{seed}.onnx", graph, q, classes < 2)


def onnx_entry(name, graph, q, classifier):
    """What counts is what ONNX Runtime says of the graph, for that is what runs: of two classes it gives both."""
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    out = session.run(None, {session.get_inputs()[0].name: q})[1 if classifier else 0]
    add(name, graph.SerializeToString(), q, None, out, single=True, classifier=classifier)


def make_encoded(seed):
    """Pipelines over columns of their own names, one of them text."""
    r = np.random.default_rng(6000 + seed)
    n, names = 150, ["red", "green", "blue", "7"]
    def rows(n, known):
        f = pd.DataFrame(table(r, n, 2, seed % 2 == 0).astype(np.float32), columns=["a", "b"])
        f["i"] = r.integers(0, 6 if known else 8, n).astype(np.int64)
        f["k"] = r.choice(names[:3] if known else names, n)
        return f
    x, q = rows(n, True), rows(40, False)
    y = ((np.nan_to_num(x["a"]) + (x["k"] == "green") + (x["i"] > 3) + r.normal(size=n) / 3) > 0.8).astype(int)
    unknown = {"handle_unknown": "ignore"}
    ordinal = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
    text = preprocessing.OneHotEncoder(**unknown) if seed % 3 else preprocessing.OrdinalEncoder(**ordinal)
    whole = [preprocessing.OneHotEncoder(**unknown), "passthrough", preprocessing.OrdinalEncoder(**ordinal)][seed % 4 % 3]
    front = ColumnTransformer([("n", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()), ["a", "b"]), ("t", text, ["k"]), ("w", whole, ["i"])])
    back = [ensemble.RandomForestClassifier(5, max_depth=4, random_state=seed), ensemble.GradientBoostingClassifier(n_estimators=5, random_state=seed)][seed % 2]
    m = pipeline.make_pipeline(front, back).fit(x, y)
    types = skl2onnx.common.data_types
    graph = skl2onnx.to_onnx(m, initial_types=[("a", types.FloatTensorType([None, 1])), ("b", types.FloatTensorType([None, 1])), ("i", types.Int64TensorType([None, 1])), ("k", types.StringTensorType([None, 1]))],
                             options={"zipmap": False}, target_opset={"": 15, "ai.onnx.ml": 3})
    out = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {c: q[[c]].to_numpy() if c != "k" else q[[c]].to_numpy().astype(object) for c in q.columns})[1]
    texts = list(q["k"])
    q["k"] = -1
    add(f"encoded-{seed}.onnx", graph.SerializeToString(), q.to_numpy(dtype=np.float64), None, out, texts=texts, classifier=True)


def make_onnx(seed):
    """Random operators of every mode, with missing values, as no converter writes them."""
    r = np.random.default_rng(4000 + seed)
    classes, d = int(r.integers(2, 5)), 4
    classifier = seed % 2 == 0
    a = {k: [] for k in ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
                         "nodes_falsenodeids", "nodes_missing_value_tracks_true")}
    kind = "class" if classifier else "target"
    leaf = {k: [] for k in ("treeids", "nodeids", "ids", "weights")}
    one = seed % 4 == 0
    positive = seed % 8 == 0
    if one:
        classes = 2
    for t in range(4):
        count = [0]

        def node(depth):
            i = count[0]
            count[0] += 1
            at = len(a["nodes_modes"])
            inner = depth < 4 and (depth == 0 or r.random() < 0.75)
            for k, v in (("nodes_treeids", t), ("nodes_nodeids", i), ("nodes_featureids", int(r.integers(d)) if inner else 0),
                         ("nodes_values", float(np.round(r.normal() * 4) / 4) if inner else 0.0),
                         ("nodes_modes", str(r.choice(["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"])) if inner else "LEAF"),
                         ("nodes_missing_value_tracks_true", int(r.integers(2)) if inner else 0), ("nodes_truenodeids", 0), ("nodes_falsenodeids", 0)):
                a[k].append(v)
            if inner:
                a["nodes_truenodeids"][at] = node(depth + 1)
                a["nodes_falsenodeids"][at] = node(depth + 1)
            else:
                for c in [0] if one else sorted(r.choice(classes, int(r.integers(1, classes + 1)), replace=False)):
                    leaf["treeids"].append(t), leaf["nodeids"].append(i), leaf["ids"].append(int(c))
                    leaf["weights"].append(float(abs(r.normal()) if positive else r.normal()))
            return i

        node(0)
    post = ["NONE", "LOGISTIC", "SOFTMAX"][seed % 3 if not one else seed // 4 % 2]
    more = {"classlabels_int64s": list(range(classes))} if classifier else {"n_targets": classes, "aggregate_function": ["SUM", "AVERAGE"][seed // 2 % 2]}
    if seed % 3 == 1:
        more["base_values"] = [float(v) for v in r.normal(size=1 if one else classes)]
    if not classifier:
        post = "NONE"
    n = onnx.helper.make_node("TreeEnsemble" + ("Classifier" if classifier else "Regressor"), ["x"], ["label", "y"] if classifier else ["y"], domain="ai.onnx.ml",
                              post_transform=post, **a, **{f"{kind}_{k}": v for k, v in leaf.items()}, **more)
    outputs = [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, classes])]
    if classifier:
        outputs.insert(0, onnx.helper.make_tensor_value_info("label", onnx.TensorProto.INT64, [None]))
    g = onnx.helper.make_graph([n], "g", [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, d])], outputs)
    m = onnx.helper.make_model(g, opset_imports=[onnx.helper.make_opsetid("", 15), onnx.helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8)
    onnx_entry(f"onnx-{seed}.onnx", m, table(r, 40, d, True).astype(np.float32), classifier)


def make_v5(seed):
    """TreeEnsemble of ai.onnx.ml 5, with sets."""
    r = np.random.default_rng(5000 + seed)
    d, targets = 4, 1 + seed % 3
    dtype = np.float64 if seed % 4 == 3 else np.float32
    nodes, leaves, roots, members = [], [], [], []

    def grow(depth):
        if depth > 0 and (depth == 4 or r.random() < 0.3):
            leaves.append((int(r.integers(targets)), float(r.normal())))
            return len(leaves) - 1, 1
        i = len(nodes)
        mode = int(r.integers(7))
        nodes.append(None)
        f, t = int(r.integers(d - 1)), float(np.round(r.normal() * 4) / 4)
        if mode == 6:
            f, t = d - 1, 0.0
            members.append((i, [float(v) for v in sorted(r.choice(9, 3, replace=False))]))
        nodes[i] = [f, t, mode, int(r.integers(2)), grow(depth + 1), grow(depth + 1)]
        return i, 0

    for _ in range(4):
        roots.append(grow(0)[0])
    tensor = lambda name, v, t: onnx.numpy_helper.from_array(np.array(v, dtype=t), name)
    sets = [v for _, s in sorted(members) for v in s + [np.nan]]
    n = onnx.helper.make_node("TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml", n_targets=targets, aggregate_function=1, post_transform=0, tree_roots=roots,
                              nodes_featureids=[v[0] for v in nodes], nodes_splits=tensor("s", [v[1] for v in nodes], dtype), nodes_modes=tensor("m", [v[2] for v in nodes], np.uint8),
                              nodes_missing_value_tracks_true=[v[3] for v in nodes], nodes_truenodeids=[v[4][0] for v in nodes], nodes_trueleafs=[v[4][1] for v in nodes],
                              nodes_falsenodeids=[v[5][0] for v in nodes], nodes_falseleafs=[v[5][1] for v in nodes], leaf_targetids=[v[0] for v in leaves],
                              leaf_weights=tensor("w", [v[1] for v in leaves], dtype), **({"membership_values": tensor("v", sets, dtype)} if sets else {}))
    elem = onnx.TensorProto.DOUBLE if dtype == np.float64 else onnx.TensorProto.FLOAT
    g = onnx.helper.make_graph([n], "g", [onnx.helper.make_tensor_value_info("x", elem, [None, d])], [onnx.helper.make_tensor_value_info("y", elem, [None, targets])])
    m = onnx.helper.make_model(g, opset_imports=[onnx.helper.make_opsetid("", 15), onnx.helper.make_opsetid("ai.onnx.ml", 5)], ir_version=10)
    q = table(r, 40, d, True, 1).astype(dtype)
    onnx_entry(f"onnx5-{seed}.onnx", m, q, False)


def make_linear(seed):
    r = np.random.default_rng(7000 + seed)
    x, q = table(r, 100, 3, False).astype(np.float32), table(r, 20, 3, False).astype(np.float32)
    kind = ["binary", "classes", "number"][seed % 3]
    m = linear_model.Ridge() if kind == "number" else linear_model.LogisticRegression()
    if seed % 2:
        m = pipeline.make_pipeline(preprocessing.StandardScaler(), m)
    y = label(r, x, kind)
    m.fit(x, np.c_[y, -y] if seed % 6 == 5 else y)
    onnx_entry(f"linear-{seed}.onnx", skl2onnx.to_onnx(m, x[:1], options={"zipmap": False} if kind != "number" else None, target_opset=15), q, kind != "number")


def main():
    skipped = []
    for make, count in (make_xgboost, 60), (make_lightgbm, 52), (make_catboost, 40), (make_sklearn, 60), (make_onnx, 48), (make_v5, 24), (make_encoded, 24), (make_linear, 12):
        for seed in range(count):
            try:
                make(seed)
            except Exception as e:
                skipped.append(f"{make.__name__} {seed}: {type(e).__name__}: {str(e)[:150]}")
                print(skipped[-1], file=sys.stderr)
    versions = {"python": platform.python_version(), **{m.__name__: m.__version__ for m in (xgb, lgb, catboost, sklearn, skl2onnx, onnx, onnxruntime, np)}}
    files["models.json"] = json.dumps({"versions": versions, "command": "python make_models.py", "skipped": skipped, "entries": entries}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            t.addfile(info, io.BytesIO(files[name]))
    with open("models.tar.gz", "wb") as f:
        f.write(gzip.compress(buffer.getvalue(), 9, mtime=0))
    print(len(entries), "models,", sum(len(e["rows"]) for e in entries), "rows,", os.path.getsize("models.tar.gz"), "bytes")


if __name__ == "__main__":
    main()
