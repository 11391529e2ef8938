"""Tries assize init on models and data of many origins: puts each pair into a folder of its own, drafts a manifest with --yes,
assesses with it at depth quick, and prints how far it came.

    python bench/init/try.py PATH-TO-ASSIZE SHARED-DATA

Needs numpy and pandas. Formats that Assize does not read as data (LIBSVM, IDX, tab-separated text, pairs of NPY) are written as CSV
or NPZ here, as a user would have to. A first assessment works when its dossier verifies and it measured evasion.
"""

import gzip
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import pandas as pd

ASSIZE, DATA = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])


def put(folder, name, source):
    """Copies a file, unpacked."""
    source = DATA / source
    if source.suffix == ".gz" and not name.endswith(".gz"):
        (folder / name).write_bytes(gzip.decompress(source.read_bytes()))
    else:
        shutil.copy(source, folder / name)


def idx(name):
    raw = gzip.decompress((DATA / "mnist" / name).read_bytes())
    dims = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw[4 + 4 * len(dims):], np.uint8).reshape(dims)


def mnist(folder, shape, rows=300):
    x = idx("t10k-images-idx3-ubyte.gz")[:rows].astype(np.float32) / 255
    np.savez(folder / "test.npz", x=x.reshape(-1, *shape), y=idx("t10k-labels-idx1-ubyte.gz")[:rows].astype(np.int64))


def pair(folder, where, shape):
    x = np.load(gzip.open(DATA / where / "X_sdp.npy.gz"))
    x = x.transpose(0, 3, 1, 2) if shape == "nchw" else x
    np.savez(folder / "test.npz", x=x.astype(np.float32), y=np.load(DATA / where / "y_sdp.npy").astype(np.int64))


def libsvm(folder, text, width, offset, label="label", rows=500):
    lines = []
    for line in text.splitlines()[:rows]:
        first, *pairs = line.split()
        x = [0.0] * width
        for p in pairs:
            k, v = p.split(":")
            if 0 <= int(k) - offset < width:
                x[int(k) - offset] = float(v)
        lines.append(x + [int(float(first))])
    lowest = min(r[-1] for r in lines)
    frame = pd.DataFrame(lines, columns=[f"f{i}" for i in range(width)] + [label])
    frame[label] = frame[label].replace({-1: 0}) if lowest == -1 else frame[label] - lowest if lowest > 0 else frame[label]
    frame.to_csv(folder / "test.csv", index=False)


def read(name):
    raw = (DATA / name).read_bytes()
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()


def tsv(folder, name, label=True, rows=500):
    frame = pd.read_csv(DATA / name, sep="\t", header=None).head(rows)
    if not label:
        frame.columns = [f"f{i}" for i in range(frame.shape[1])]
        frame.to_csv(folder / "test.csv", index=False)
        return
    frame.columns = ["label"] + [f"f{i}" for i in range(frame.shape[1] - 1)]
    frame["label"] = frame["label"].astype(int)
    frame.to_csv(folder / "test.csv", index=False)


def german(folder):
    x, split = pd.read_csv(DATA / "tabular/german_X.csv.gz"), pd.read_csv(DATA / "tabular/german_y_split.csv")
    for part in "train", "test":
        rows = split[split.split == part]
        frame = x.loc[rows.row].copy()
        frame["good"] = rows.y.values
        frame.to_csv(folder / f"{part}.csv", index=False)


def credit(folder):
    frame = pd.read_csv(DATA / "tabular/credit_processed.csv.gz")
    scale = json.loads((DATA / "privacy/credit_mlp.json").read_text())
    inputs = [c for c in frame.columns if c != "NoDefaultNextMonth"]
    x = (frame[inputs].to_numpy() - np.array(scale["mean"])) / np.array(scale["std"])
    out = pd.DataFrame(x.astype(np.float32), columns=inputs)
    out["NoDefaultNextMonth"] = frame["NoDefaultNextMonth"]
    out.head(2000).to_csv(folder / "test.csv", index=False)


def location(folder):
    with tarfile.open(DATA / "privacy/dataset_location.tgz") as t:
        member = next(m for m in t.getmembers() if m.isfile() and m.size > 1 << 20)
        rows = [line.decode().replace('"', "").split(",") for line in t.extractfile(member).readlines()[:600]]
    frame = pd.DataFrame([[int(v) for v in r] for r in rows])
    frame = pd.concat([frame.iloc[:, 1:], frame.iloc[:, :1] - 1], axis=1)
    frame.columns = [f"place{i}" for i in range(frame.shape[1] - 1)] + ["label"]
    frame.to_csv(folder / "test.csv", index=False)


def digits(folder):
    frame = pd.read_csv(DATA / "privacy/digits.csv.gz").head(500)
    x = frame.iloc[:, 2:] / 16
    x["label"] = frame["label"]
    x.to_csv(folder / "test.csv", index=False)


def chosen():
    """All cases, or those whose name holds the third argument."""
    return [(n, m) for n, m in cases() if len(sys.argv) < 4 or sys.argv[3] in n]


def cases():
    yield "german logistic regression", lambda f: (put(f, "model.onnx", "tabular/german_lr.onnx"), german(f))
    yield "german XGBoost", lambda f: (put(f, "model.json", "tabular/german_xgb.json"), german(f))
    yield "Taiwan credit network", lambda f: (put(f, "model.onnx", "privacy/credit_mlp.onnx"), credit(f))
    yield "location network", lambda f: (put(f, "model.onnx", "privacy/location_overfit_A.onnx.gz"), location(f))
    yield "digits regression", lambda f: (put(f, "model.onnx", "privacy/digits_lr.onnx"), digits(f))
    for n in 2, 4, 6:
        yield f"mnistfc 256x{n}", lambda f, n=n: (put(f, "model.onnx", f"mnistfc/mnist-net_256x{n}.onnx.gz"), mnist(f, (784, 1)))
    for n in "avg", "max":
        yield f"Convnet {n}pool", lambda f, n=n: (put(f, "model.onnx", f"mnist-nets/Convnet_{n}pool.onnx"), mnist(f, (1, 28, 28)))
    yield "mnist_cnn_a_adv", lambda f: (put(f, "model.onnx", "mnist-nets/mnist_cnn_a_adv.onnx.gz"), mnist(f, (1, 28, 28)))
    yield "mnist_madry_small_adv", lambda f: (put(f, "model.onnx", "mnist-nets/mnist_madry_small_adv.onnx.gz"), mnist(f, (1, 28, 28)))
    yield "mnist_6_100_nat", lambda f: (put(f, "model.onnx", "mnist-nets/mnist_6_100_nat.onnx.gz"), mnist(f, (784,)))
    yield "cifar_cnn_a_adv", lambda f: (put(f, "model.onnx", "cifar-nets/cifar_cnn_a_adv.onnx.gz"), pair(f, "cifar-nets", "nchw"))
    for n in "AB":
        yield f"backdoor CNN {n}", lambda f, n=n: (put(f, "model.onnx", f"backdoor/mnist_cnn_{n}.onnx"), mnist(f, (1, 28, 28)))
    yield "breast cancer, robust trees", lambda f: (put(f, "model.bin", "trees/breast_cancer_robust.0008.model"), libsvm(f, read("trees/example_breast_cancer0.libsvm"), 11, 0))
    yield "diabetes forest", lambda f: (put(f, "model.bin", "trees/diabetes_rf.model.gz"), libsvm(f, read("trees/diabetes_scale0.test.gz"), 9, 0))
    yield "ijcnn forest", lambda f: (put(f, "model.bin", "trees/ijcnn_rf.model.gz"), libsvm(f, read("trees/ijcnn1s0.t.gz"), 23, 0))
    yield "LightGBM breast cancer", lambda f: (put(f, "model.txt", "tree-model-formats/lg_breast_cancer.txt.gz"), tsv(f, "tree-model-formats/breast_cancer_test.tsv", label=False))
    yield "LightGBM DART", lambda f: (put(f, "model.txt", "tree-model-formats/lg_dart_breast_cancer.model"), tsv(f, "tree-model-formats/breast_cancer_test.tsv", label=False))
    yield "LightGBM multiclass", lambda f: (put(f, "model.txt", "tree-model-formats/lgmulticlass.model.gz"), tsv(f, "tree-model-formats/multiclass_test.tsv"))
    yield "LightGBM forest, iris", lambda f: (put(f, "model.txt", "tree-model-formats/lg_rf_iris.model"), libsvm(f, read("tree-model-formats/iris_test.libsvm"), 4, 0))
    yield "XGBoost dermatology", lambda f: (put(f, "model.bin", "tree-model-formats/xgdermatology.model"), libsvm(f, read("tree-model-formats/dermatology_test.libsvm"), 33, 0))
    yield "XGBoost agaricus", lambda f: (put(f, "model.bin", "tree-model-formats/xgagaricus.model"), libsvm(f, read("tree-model-formats/agaricus_test.libsvm.gz"), 127, 0))
    yield "sponge", lambda f: (put(f, "model.onnx", "availability/sponge_loop.onnx"),)
    yield "cartpole controller", lambda f: (put(f, "model.onnx", "rl-control/cartpole.onnx"),)
    yield "ACAS Xu 1_1", lambda f: (put(f, "model.onnx", "acasxu/ACASXU_run2a_1_1_batch_2000.onnx"),)
    yield "COMPAS, no model", lambda f: (put(f, "data.csv", "tabular/compas-scores-two-years.csv.gz"),)


def run(*args):
    return subprocess.run([str(ASSIZE), *map(str, args)], capture_output=True, text=True, timeout=600)


def main():
    good = total = 0
    for name, make in chosen():
        with tempfile.TemporaryDirectory() as d:
            folder = pathlib.Path(d) / "target"
            folder.mkdir()
            make(folder)
            total += 1
            drafted = run("init", "--yes", folder)
            if drafted.returncode:
                print(f"{name}: no manifest: {' '.join(drafted.stderr.split())}")
                continue
            done = run("assess", folder, "--depth", "quick")
            dossier = folder / "dossier"
            if done.returncode not in (0, 3) or run("verify", dossier).returncode:
                print(f"{name}: no assessment: {' '.join(done.stderr.split()[-60:])}")
                continue
            seen = json.loads((dossier / "dossier.json").read_text())
            attack = [o for o in seen["observations"] if o["probe"] == "evasion/hopskipjump"]
            accuracy = [o for o in seen["observations"] if o["probe"] == "performance/classification"]
            state = attack[0]["state"] if attack else "not planned"
            figure = accuracy[0].get("metrics", {}).get("accuracy", {}).get("value") if accuracy else None
            works = state == "measured"
            good += works
            print(f"{name}: {'works' if works else 'assessed, evasion ' + state}, accuracy {figure}")
    print(f"{good} of {total} end in a working first assessment")


if __name__ == "__main__":
    main()
