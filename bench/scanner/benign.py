"""Writes files as current libraries write them, none of which does harm: python benign.py FOLDER"""
import array, argparse, bz2, collections, datetime, decimal, enum, fractions, gzip, ipaddress, lzma, os, pathlib, pickle, random, re, sys, types, uuid, warnings, zipfile, zlib

import joblib
import lightgbm
import numpy as np
import pandas as pd
import scipy.sparse as sp
import sklearn
import torch
import xgboost
from sklearn.datasets import make_classification, make_regression
from sklearn.utils import all_estimators

warnings.filterwarnings("ignore")
out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(1)
X, y = make_classification(120, 6, random_state=1)
Xr, yr = make_regression(120, 6, random_state=1)


def put(name, obj, protocols=(2, 4, 5)):
    for p in protocols:
        with open(out / f"{name}.p{p}.pkl", "wb") as f:
            pickle.dump(obj, f, p)


def sklearn_files():
    for name, cls in all_estimators():
        for data in ((X, y), (Xr, yr), (np.abs(X), y), (X, np.stack([y, y], 1)), (np.abs(X[:, 0]), yr)):
            try:
                m = cls()
                m.fit(*data)
                break
            except BaseException:
                m = None
        if m is None:
            try:
                m = cls()
            except BaseException:
                continue
        try:
            joblib.dump(m, out / f"sklearn-{name}.joblib")
            put(f"sklearn-{name}", m, (5,))
        except BaseException:
            for f in out.glob(f"sklearn-{name}.*"):
                f.unlink()
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
    pipe = Pipeline([("c", ColumnTransformer([("n", Pipeline([("i", SimpleImputer()), ("s", StandardScaler())]), [0, 1, 2]), ("o", OneHotEncoder(handle_unknown="ignore"), [3]), ("f", FunctionTransformer(np.log1p), [4])])), ("m", RandomForestClassifier(5))])
    Z = np.abs(X).round(1)
    pipe.fit(Z, y)
    put("sklearn-pipeline", pipe)
    put("sklearn-search", GridSearchCV(sklearn.linear_model.LogisticRegression(), {"C": [1, 2]}).fit(X, y))
    for c in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
        try:
            joblib.dump({"m": pipe, "a": X}, out / f"joblib-{c}.joblib", compress=(c, 3))
        except Exception:
            pass
    joblib.dump([X, np.array([{1: 2}, "x", None], dtype=object), np.zeros(3, dtype=[("a", "f4"), ("b", "U3"), ("c", "i8", (2, 2))]), X.T, np.float64(3), np.array(5), np.array([], dtype="f4"), np.ma.array([1, 2], mask=[0, 1]), np.array(["2020-01-01"], dtype="M8[D]"), np.matrix([[1]])], out / "joblib-arrays.joblib")
    joblib.dump({"a": X, "b": X}, out / "joblib-protocol2.joblib", protocol=2)
    try:
        import skops.io
        skops.io.dump(pipe, out / "pipe.skops")
        skops.io.dump(RandomForestClassifier(3).fit(X, y), out / "forest.skops")
    except ImportError:
        pass


def boosters():
    for name, m in (("xgb-classifier", xgboost.XGBClassifier(n_estimators=4)), ("xgb-regressor", xgboost.XGBRegressor(n_estimators=4)), ("lgb-classifier", lightgbm.LGBMClassifier(n_estimators=4, verbose=-1)), ("lgb-regressor", lightgbm.LGBMRegressor(n_estimators=4, verbose=-1))):
        m.fit(X, y)
        put(name, m)
        joblib.dump(m, out / f"{name}.joblib")
    put("xgb-booster", xgboost.train({}, xgboost.DMatrix(X, y), 3))
    put("lgb-booster", lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, y), 3))


def torch_files():
    nn = torch.nn
    models = {
        "linear": nn.Linear(4, 3), "cnn": nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(676, 2)),
        "lstm": nn.LSTM(4, 5, 2), "gru": nn.GRU(4, 5), "transformer": nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2), "embedding": nn.Embedding(10, 4),
        "list": nn.ModuleList([nn.Linear(2, 2), nn.GELU()]), "dict": nn.ModuleDict({"a": nn.Linear(2, 2)}), "attention": nn.MultiheadAttention(8, 2), "norms": nn.Sequential(nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.Softmax(1)),
    }
    for name, m in models.items():
        for zipped in (True, False):
            torch.save(m.state_dict(), out / f"torch-{name}-state-{zipped}.pt", _use_new_zipfile_serialization=zipped)
            torch.save(m, out / f"torch-{name}-model-{zipped}.pt", _use_new_zipfile_serialization=zipped)
        put(f"torch-{name}", m, (2, 5))
        opt = torch.optim.AdamW(m.parameters())
        torch.save({"epoch": 3, "model": m.state_dict(), "optimizer": opt.state_dict(), "loss": 0.1, "args": argparse.Namespace(lr=0.1), "rng": torch.get_rng_state()}, out / f"torch-{name}-checkpoint.pt")
    torch.jit.save(torch.jit.trace(models["cnn"].eval(), torch.randn(1, 1, 28, 28)), out / "torchscript-trace.pt")
    torch.jit.save(torch.jit.script(models["lstm"]), out / "torchscript-script.pt")
    for d in (torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.uint16):
        torch.save(torch.ones(3).to(d), out / f"torch-{d}.pt")
    torch.save(torch.eye(3).to_sparse(), out / "torch-sparse.pt")
    torch.save([torch.device("cpu"), torch.float32, torch.Size([1, 2]), torch.randn(3)[1:], np.float32(3), np.arange(3)], out / "torch-mixed.pt")
    put("torch-tensor", torch.arange(5.0))


class Colour(enum.Enum):
    RED = 1


def data():
    for p in range(6):
        put("plain", {"a": [1, 2.5, "x", b"yy", (1, 2, 3, 4), None, True, {3}, frozenset([1]), 2**70, -1, "ü\n", complex(1, 2), range(3), slice(1, 2), bytearray(b"abc"), Ellipsis], "os.system": "eval(x)", "input": "LSTM"}, (p,))
        put("arrays", [np.arange(5), np.eye(3), np.float32(1), np.array(["a", None], dtype=object), np.zeros(2, dtype=[("x", "f8"), ("o", "O")]), np.array(["s"]), np.dtype("f4"), np.random.RandomState(1), np.random.default_rng(1), np.ma.masked_array([1], [0]), np.float64, np.log1p], (p,))
    put("collections", [collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("aab"), collections.deque([1, 2]), collections.ChainMap({})][:4])
    put("times", [datetime.datetime.now(), datetime.date.today(), datetime.timedelta(1), datetime.timezone.utc, datetime.time(1)])
    put("small", [decimal.Decimal("1.1"), fractions.Fraction(1, 3), uuid.uuid4(), pathlib.PurePosixPath("/a"), types.SimpleNamespace(a=1), re.compile("a+"), array.array("d", [1.0]), ipaddress.ip_address("::1"), random.Random(1)])
    df = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": pd.to_datetime(["2020-01-01"] * 3), "d": pd.Categorical(["a", "b", "a"]), "e": pd.array([1, None, 3], dtype="Int64"), "f": [1.5, 2.5, 3.5], "g": pd.to_timedelta([1, 2, 3])})
    put("pandas-frame", df)
    put("pandas-index", df.set_index(["a", "b"]))
    put("pandas-series", df["f"])
    put("pandas-periods", [pd.period_range("2020", periods=3), pd.IntervalIndex.from_breaks([0, 1, 2]), pd.RangeIndex(3), pd.Timestamp("2020", tz="UTC"), pd.Timedelta(1), pd.NaT, pd.NA])
    df.to_pickle(out / "pandas.pkl")
    df.to_pickle(out / "pandas.pkl.gz")
    for f in ("csr", "csc", "coo", "dok", "lil", "bsr", "dia"):
        put(f"sparse-{f}", sp.random(5, 5, 0.5, format=f))
        put(f"sparse-array-{f}", sp.random_array((5, 5), density=0.5, format=f))
    np.save(out / "a.npy", X)
    np.save(out / "structured.npy", np.zeros(3, dtype=[("a", "f4"), ("b", "U3"), ("c", "i8", (2, 2))]))
    np.save(out / "objects.npy", np.array([1, "a", {2: 3}], dtype=object), allow_pickle=True)
    np.savez(out / "a.npz", a=X, b=y, c=np.array("s"))
    np.savez_compressed(out / "b.npz", a=X, o=np.array([None, "x"], dtype=object))
    raw = pickle.dumps({"x": list(range(100))})
    (out / "raw.pkl.zlib").write_bytes(zlib.compress(raw))
    (out / "raw.pkl.gz").write_bytes(gzip.compress(raw))
    (out / "raw.pkl.bz2").write_bytes(bz2.compress(raw))
    (out / "raw.pkl.xz").write_bytes(lzma.compress(raw))
    (out / "several.pkl").write_bytes(raw * 3)
    (out / "holds-a-pickle.pkl").write_bytes(pickle.dumps({"cache": raw, "text": "os.system('x')"}))
    with zipfile.ZipFile(out / "pack.zip", "w") as z:
        z.writestr("a.pkl", raw)
        z.writestr("README.md", "import os; os.system('ls')")


data()
torch_files()
boosters()
sklearn_files()
print(len(list(out.iterdir())), "files")
