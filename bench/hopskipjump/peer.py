"""Runs HopSkipJump of Adversarial Robustness Toolbox on one target and prints a JSON line with what it reached.

    python peer.py TARGET --norm l2|linf --rows N --iterations N --engine native|onnxruntime [--batch N] [--threads N]

TARGET is credit, digits or the path of an MNIST network in ONNX. Inputs are scaled to 0..1 on both sides; every
question to the model is counted. README.md says which versions, and compare.py runs both sides in turn.
"""

import argparse
import json
import logging
import pathlib
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

ROOT = pathlib.Path(__file__).resolve().parents[2]


def credit():
    import pandas as pd

    features = pd.read_csv(ROOT / "examples/credit/features.csv").set_index("name")
    low, span = features["min"].to_numpy(np.float32), (features["max"] - features["min"]).to_numpy(np.float32)

    def table(name):
        t = pd.read_csv(ROOT / f"examples/credit/{name}.csv")
        return t[list(features.index)].to_numpy(np.float32), t["default"].to_numpy()

    return low, span, table


def load(target, engine, threads):
    """Returns the estimator and the rows, scaled to 0..1, in the order of the test set."""
    import art.estimators.classification as estimators

    if target == "credit":
        low, span, table = credit()
        rows = (table("test")[0] - low) / span
        if engine == "native":
            import xgboost as xgb

            monotone = {"duration_months": 1, "checking": -1, "history": -1, "savings": -1, "employment": -1}
            names = [line.split(",")[0] for line in (ROOT / "examples/credit/features.csv").read_text().splitlines()[1:]]
            model = xgb.XGBClassifier(
                n_estimators=150, max_depth=3, learning_rate=0.05, subsample=0.7, colsample_bytree=0.6, min_child_weight=3,
                reg_lambda=3, base_score=0.5, monotone_constraints=tuple(monotone.get(n, 0) for n in names), tree_method="exact",
                n_jobs=threads, random_state=7)
            x, y = table("train")
            model.fit(x, y)
            served = np.loadtxt(ROOT / "examples/credit/served.csv", skiprows=1)
            same = np.abs(model.predict_proba(rows * span + low)[:, 1] - served).max()
            assert same < 1e-5, f"the model trained here differs from the recorded one by {same}"
            model = whole(model)
            graph = runtime(ROOT / "examples/credit/model.onnx", 1)
            x = (np.random.default_rng(0).random((1000, len(low))) * span + low).astype(np.float32)
            same = np.abs(model.predict_proba(x) - graph.run(["probabilities"], {"input": x})[0]).max()
            assert same < 1e-5, f"the model trained here differs from model.onnx by {same} between whole numbers"
            # ART's own preprocessing undoes the scaling: (x - (-low/span)) / (1/span).
            return estimators.XGBoostClassifier(
                model, clip_values=(0, 1), preprocessing=(-low / span, 1 / span), nb_features=len(low), nb_classes=2), rows
        session = runtime(ROOT / "examples/credit/model.onnx", threads)
        return estimators.BlackBoxClassifierNeuralNetwork(
            lambda x: session.run(["probabilities"], {"input": (x * span + low).astype(np.float32, copy=False)})[0],
            (len(low),), 2, clip_values=(0, 1)), rows

    if target == "digits":
        path, shape = ROOT / "examples/digits/model.onnx", (1, 8, 8)
        rows = np.load(ROOT / "examples/digits/test.npz")["x"]
    else:
        import gzip

        path, shape = pathlib.Path(target), (1, 28, 28)
        raw = gzip.decompress((path.parent / "../mnist/t10k-images-idx3-ubyte.gz").read_bytes())
        rows = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    if engine == "native":
        import torch

        torch.set_num_threads(threads)
        return estimators.PyTorchClassifier(
            torch_of(path), torch.nn.CrossEntropyLoss(), shape, 10, clip_values=(0, 1)), rows
    session = runtime(path, threads, free=True)
    name = session.get_inputs()[0].name
    return estimators.BlackBoxClassifierNeuralNetwork(
        lambda x: session.run(None, {name: x.astype(np.float32, copy=False)})[0], shape, 10, clip_values=(0, 1)), rows


def whole(model):
    """The same trees with thresholds rounded up to whole numbers, as the export to ONNX writes them for whole-number columns."""
    import xgboost as xgb

    def walk(node):
        if isinstance(node, dict):
            if "split_conditions" in node:
                inner = [left != -1 for left in node["left_children"]]
                node["split_conditions"] = [float(np.ceil(v)) if i else v for v, i in zip(node["split_conditions"], inner)]
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    tree = json.loads(bytes(model.get_booster().save_raw("json")))
    walk(tree)
    out = xgb.XGBClassifier(n_jobs=model.n_jobs)
    out.load_model(bytearray(json.dumps(tree).encode()))
    return out


def runtime(path, threads, free=False):
    import onnx
    import onnxruntime

    graph = onnx.load(path)
    if free:
        for value in [*graph.graph.input, *graph.graph.output]:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
        for weight in graph.graph.initializer:  # a reshape to one row becomes one to the batch
            if weight.data_type == onnx.TensorProto.INT64 and len(weight.dims) == 1:
                value = onnx.numpy_helper.to_array(weight).copy()
                if len(value) == 2 and value[0] == 1:
                    value[0] = -1
                    weight.CopyFrom(onnx.numpy_helper.from_array(value, weight.name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def torch_of(path):
    """The network of an ONNX file as a torch module: convolutions, pools, dense layers. Pads are of width 0 in these files."""
    import onnx
    import torch
    from torch import nn

    graph = onnx.load(path).graph
    weights = {w.name: torch.from_numpy(onnx.numpy_helper.to_array(w).copy()) for w in graph.initializer}
    layers = []
    for node in graph.node:
        at = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            w = weights[node.input[1]]
            pads = at.get("pads", [0, 0, 0, 0])
            layer = nn.Conv2d(w.shape[1], w.shape[0], tuple(w.shape[2:]), stride=tuple(at.get("strides", [1, 1])), padding=(pads[0], pads[1]))
            layer.weight.data, layer.bias.data = w, weights[node.input[2]]
            layers.append(layer)
        elif node.op_type == "Gemm":
            w = weights[node.input[1]]
            w = w if at.get("transB") else w.T.contiguous()
            layer = nn.Linear(w.shape[1], w.shape[0])
            layer.weight.data, layer.bias.data = w, weights[node.input[2]].flatten()
            layers.append(layer)
        elif node.op_type in ("MaxPool", "AveragePool"):
            pool = nn.MaxPool2d if node.op_type == "MaxPool" else nn.AvgPool2d
            layers.append(pool(tuple(at["kernel_shape"]), stride=tuple(at["strides"]), padding=tuple(at.get("pads", [0, 0])[:2])))
        elif node.op_type == "BatchNormalization":
            scale, bias, mean, var = (weights[n] for n in node.input[1:5])
            layer = nn.BatchNorm2d(len(scale), eps=at.get("epsilon", 1e-5))
            layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var = scale, bias, mean, var
            layers.append(layer)
        elif node.op_type == "Relu":
            layers.append(nn.ReLU())
        elif node.op_type in ("Flatten", "Reshape"):
            layers.append(nn.Flatten())
        elif node.op_type not in ("Constant", "Softmax", "Identity", "Pad"):
            raise SystemExit(f"{path}: operator {node.op_type} is not handled")
    return nn.Sequential(*layers).eval()


class Stuck(Exception):
    """ART's search for a step size has no end where its current row, after rounding, gains no more. Such a row is left
    out with its time and its questions."""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--norm", default="l2")
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--engine", default="native")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    from art.attacks.evasion import HopSkipJump

    estimator, rows = load(args.target, args.engine, args.threads)
    rows = rows[: args.rows].astype(np.float32)
    before = estimator.predict(rows).argmax(1)
    count, answer = 0, estimator.predict
    limit = 10 * sum(int(100 * np.sqrt(i + 1)) for i in range(args.iterations))

    def counting(x, *a, **k):
        nonlocal count
        count += len(x)
        if count > limit:
            raise Stuck
        return answer(x.astype(np.float32, copy=False), *a, **k)  # under NumPy 2 ART asks in float64 here and there

    estimator.predict = counting
    np.random.seed(1)
    attack = HopSkipJump(estimator, batch_size=args.batch, norm=2 if args.norm == "l2" else np.inf, max_iter=args.iterations, verbose=False)
    estimator.predict(rows[:1])
    queries, wall, cpu, distances = 0, 0.0, 0.0, []
    for row, decision in zip(rows, before):
        count = 0
        clocks = time.perf_counter(), time.process_time()
        try:
            found = attack.generate(row[None])
        except Stuck:
            distances.append(None)
            continue
        wall, cpu = wall + time.perf_counter() - clocks[0], cpu + time.process_time() - clocks[1]
        queries += count - 2  # not the label and ART's own check of success
        change = (found - row[None]).ravel()
        moved = answer(found.astype(np.float32)).argmax(1)[0] != decision
        distances.append(float(np.linalg.norm(change) if args.norm == "l2" else np.abs(change).max()) if moved else None)
    done = max(1, sum(d is not None for d in distances))
    print(json.dumps({"queries": queries, "queries_per_row": queries / done, "seconds": wall, "cpu_seconds": cpu,
                      "queries_per_second": queries / cpu, "distances": distances}))


if __name__ == "__main__":
    main()
