"""Records gradients for the tests of package grad.

    python make_golden.py ../../../../../shared/data    (versions: see "versions" in the output)

Writes golden.json.gz. Each operator case is a small ONNX model, an input, a
cotangent, and what PyTorch's autograd computes from them in double precision
with its own functions (not an ONNX importer): the output and the gradient.
Before a case is recorded, the gradient is compared with central differences
of the ONNX model itself, run in double precision by onnx.reference. Further
cases are small networks as torch.onnx.export writes them, with autograd's
gradients, and scikit-learn pipelines as skl2onnx writes them, with central
differences of what scikit-learn computes. Network
cases name a file of the shared data; PyTorch runs its layers in double
precision on the first images.
"""
import base64, gzip, io, json, os, sys

import numpy as np
import onnx
import onnx.reference
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

SHARED = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20261122)
cases = []
worst = 0.0


def b64(a):
    return base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()


def narrow(a):
    """The nearest doubles that float32 holds."""
    return np.asarray(a, dtype=np.float32).astype(np.float64)


def tensor(name, a, dtype):
    a = np.asarray(a)
    return numpy_helper.from_array(a.astype(dtype) if a.dtype.kind == "f" else a, name)


def build(nodes, consts, x_shape, rank, dtype, opset, ml):
    elem = TensorProto.DOUBLE if dtype == np.float64 else TensorProto.FLOAT
    fixed = []
    for n in nodes:
        n = onnx.NodeProto.FromString(n.SerializeToString())
        for a in n.attribute:
            if n.op_type == "Cast" and a.name == "to" and a.i == TensorProto.FLOAT:
                a.i = elem
        fixed.append(n)
    graph = helper.make_graph(
        fixed, "case", [helper.make_tensor_value_info("x", elem, x_shape)],
        [helper.make_tensor_value_info("y", elem, [f"d{i}" for i in range(rank)])], [tensor(k, v, dtype) for k, v in consts.items()])
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("ai.onnx.ml", 1)] if ml else [])
    m = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    if not ml:
        onnx.checker.check_model(m)
    return m


def case(name, nodes, f, shape, consts=None, opset=17, ml=False, x=None, symbolic=True, differences=True, h=1e-6):
    """nodes: ONNX nodes from x to y; f: the same with torch; shape: of x."""
    global worst
    consts = {k: narrow(v) if np.asarray(v).dtype.kind == "f" else np.asarray(v) for k, v in (consts or {}).items()}
    if isinstance(nodes, onnx.NodeProto):
        nodes = [nodes]
    x = narrow(rng.normal(size=shape) if x is None else x)
    t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = f(t, {k: torch.tensor(v) for k, v in consts.items()})
    ct = narrow(rng.normal(size=tuple(y.shape)))
    (g,) = torch.autograd.grad(y, t, torch.tensor(ct))
    declared = (["N"] + list(shape[1:])) if symbolic else list(shape)
    difference = -1.0
    if differences:
        ref = onnx.reference.ReferenceEvaluator(build(nodes, consts, declared, y.ndim, np.float64, opset, ml))
        run = lambda v: np.asarray(ref.run(None, {"x": v})[0], dtype=np.float64)
        np.testing.assert_allclose(run(x), y.detach().numpy(), rtol=2e-6, atol=2e-6, err_msg=name)
        numeric = np.zeros(x.size)
        for i in range(x.size):
            a, b = x.copy().reshape(-1), x.copy().reshape(-1)
            a[i] += h
            b[i] -= h
            numeric[i] = ((run(a.reshape(x.shape)) - run(b.reshape(x.shape))) * ct).sum() / (2 * h)
        difference = float(np.abs(numeric.reshape(x.shape) - g.numpy()).max() / max(1.0, np.abs(g.numpy()).max()))
        if difference > 1e-5:
            raise SystemExit(f"{name}: torch and central differences disagree by {difference:.3g}")
        worst = max(worst, difference)
    cases.append({"name": name, "model": b64(np.frombuffer(build(nodes, consts, declared, y.ndim, np.float32, opset, ml).SerializeToString(), np.uint8)),
                  "shape": list(x.shape), "x": b64(x.astype(np.float32)), "out": list(y.shape), "cotangent": b64(ct.astype(np.float32)),
                  "y": b64(y.detach().numpy()), "gradient": b64(g.numpy()), "difference": difference})


def node(op, inputs, outputs=("y",), **attrs):
    domain = attrs.pop("domain", None)
    return helper.make_node(op, list(inputs), list(outputs), domain=domain, **attrs)


def positive(*shape):
    return rng.uniform(0.3, 2, size=shape)


def elementwise():
    unary = {
        "Neg": torch.neg, "Abs": torch.abs, "Exp": torch.exp, "Sin": torch.sin, "Cos": torch.cos, "Atan": torch.atan,
        "Relu": torch.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Softplus": F.softplus,
        "Softsign": F.softsign, "Identity": lambda v: v * 1,
    }
    for op, fn in unary.items():
        case(op, node(op, "x"), lambda t, c, fn=fn: fn(t), (3, 4, 2))
    # onnx.reference approximates erf, and leaves the absolute value out of the 1-norm: no central differences.
    case("Erf", node("Erf", "x"), lambda t, c: torch.erf(t), (3, 4, 2), differences=False)
    for op, fn in {"Log": torch.log, "Sqrt": torch.sqrt, "Reciprocal": torch.reciprocal}.items():
        case(op, node(op, "x"), lambda t, c, fn=fn: fn(t), (3, 4), x=positive(3, 4))
    case("LeakyRelu", node("LeakyRelu", "x", alpha=0.125), lambda t, c: F.leaky_relu(t, 0.125), (3, 5))
    case("ThresholdedRelu", node("ThresholdedRelu", "x", alpha=0.5), lambda t, c: F.threshold(t, 0.5, 0.0), (3, 5))
    case("Elu", node("Elu", "x", alpha=1.5), lambda t, c: F.elu(t, 1.5), (3, 5))
    case("Celu", node("Celu", "x", alpha=2.0), lambda t, c: F.celu(t, 2.0), (3, 5))
    case("Selu", node("Selu", "x"), lambda t, c: F.selu(t), (3, 5))
    case("HardSigmoid", node("HardSigmoid", "x", alpha=1 / 6, beta=0.5), lambda t, c: F.hardsigmoid(t), (4, 5), x=3 * rng.normal(size=(4, 5)))
    case("HardSwish", node("HardSwish", "x"), lambda t, c: F.hardswish(t), (4, 5), x=3 * rng.normal(size=(4, 5)))
    case("Mish", node("Mish", "x"), lambda t, c: F.mish(t), (3, 5), opset=18)
    case("Gelu", node("Gelu", "x"), lambda t, c: F.gelu(t), (3, 5), opset=20, differences=False)
    case("Gelu tanh", node("Gelu", "x", approximate="tanh"), lambda t, c: F.gelu(t, approximate="tanh"), (3, 5), opset=20)
    slope = {"s": positive(4, 1, 1)}
    case("PRelu", node("PRelu", ("x", "s")), lambda t, c: F.prelu(t, c["s"].reshape(-1)), (2, 4, 3, 3), slope)
    for op, fn in {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "Max": torch.maximum, "Min": torch.minimum}.items():
        case(op, node(op, ("x", "c")), lambda t, c, fn=fn: fn(t, c["c"]), (3, 4), {"c": rng.normal(size=(2, 3, 4))}, symbolic=False)
        case(op + " rows", node(op, ("x", "c")), lambda t, c, fn=fn: fn(t, c["c"]), (3, 1, 4), {"c": rng.normal(size=(5, 1))})
        case(op + " reversed", node(op, ("c", "x")), lambda t, c, fn=fn: fn(c["c"], t), (3, 4), {"c": rng.normal(size=(4,))}, x=positive(3, 4))
        case(op + " itself", [node("Exp", "x", ("e",)), node("ReduceSum", ("e",), ("s",), keepdims=1), node(op, ("e", "s"))],
             lambda t, c, fn=fn: fn(torch.exp(t), torch.exp(t).sum().reshape(1, 1)), (3, 4))
    case("Max ties", node("Max", ("x", "c")), lambda t, c: torch.maximum(t, c["c"]), (2, 3), {"c": [[1.0, 0.0, 2.0]]}, x=[[1, 2, -1], [1, 0, 3]], differences=False)
    case("Sum", node("Sum", ("x", "c", "x")), lambda t, c: 2 * t + c["c"], (3, 4), {"c": rng.normal(size=(4,))})
    case("Mean", node("Mean", ("x", "c", "x")), lambda t, c: (2 * t + c["c"]) / 3, (3, 4), {"c": rng.normal(size=(4,))})
    case("Pow", node("Pow", ("x", "c")), lambda t, c: t ** c["c"], (3, 4), {"c": [2.0, 3.0, 1.0, 0.0]})
    case("Pow root", node("Pow", ("x", "c")), lambda t, c: t ** c["c"], (3, 4), {"c": np.array(0.5)}, x=positive(3, 4))
    case("Pow exponent", node("Pow", ("c", "x")), lambda t, c: c["c"] ** t, (3, 4), {"c": positive(4)})
    clip = {"lo": np.array(-0.5), "hi": np.array(0.7)}
    case("Clip", node("Clip", ("x", "lo", "hi")), lambda t, c: torch.clamp(t, -0.5, float(np.float32(0.7))), (3, 4), clip)
    case("Clip opset 6", node("Clip", "x", min=-0.5, max=0.75), lambda t, c: torch.clamp(t, -0.5, 0.75), (3, 4), opset=9, differences=False)
    where = {"k": rng.random(size=(3, 4)) < 0.5, "c": rng.normal(size=(4,))}
    case("Where", node("Where", ("k", "x", "c")), lambda t, c: torch.where(c["k"], t, c["c"]), (3, 1), where, symbolic=False)
    case("Where else", node("Where", ("k", "c", "x")), lambda t, c: torch.where(c["k"], c["c"], t), (3, 4), where, symbolic=False)
    case("Where compare", [node("Greater", ("x", "z"), ("b",)), node("Mul", ("x", "x"), ("q",)), node("Where", ("b", "q", "x"))],
         lambda t, c: torch.where(t > 0.25, t * t, t), (3, 4), {"z": np.array(0.25)})
    case("Dropout", node("Dropout", "x"), lambda t, c: t * 1, (3, 4))
    case("Dropout opset 7", node("Dropout", "x", ratio=0.5), lambda t, c: t * 1, (3, 4), opset=9, differences=False)
    case("Cast", [node("Cast", "x", ("d",), to=TensorProto.DOUBLE), node("Mul", ("d", "d"), ("e",)), node("Cast", ("e",), to=TensorProto.FLOAT)],
         lambda t, c: t * t, (3, 4))


def softmaxes():
    for axis in (-1, 1, 2):
        case(f"Softmax {axis}", node("Softmax", "x", axis=axis), lambda t, c, a=axis: torch.softmax(t, a), (2, 4, 3))
        case(f"LogSoftmax {axis}", node("LogSoftmax", "x", axis=axis), lambda t, c, a=axis: torch.log_softmax(t, a), (2, 4, 3))
    case("Softmax opset 11 flattens", node("Softmax", "x", axis=1), lambda t, c: torch.softmax(t.flatten(1), 1).reshape(t.shape), (2, 4, 3), opset=11, differences=False)
    case("Softmax opset 11", node("Softmax", "x", axis=1), lambda t, c: torch.softmax(t, 1), (2, 4), opset=11, differences=False)


def products():
    for ta in (0, 1):
        for tb in (0, 1):
            w, b = rng.normal(size=(4, 5)), rng.normal(size=(5,))
            case(f"Gemm {ta}{tb}", node("Gemm", ("x", "w", "b"), alpha=0.5, beta=2.0, transA=ta, transB=tb),
                 lambda t, c, ta=ta, tb=tb: 0.5 * (t.T if ta else t) @ (c["w"].T if tb else c["w"]) + 2 * c["b"],
                 (4, 3) if ta else (3, 4), {"w": w.T if tb else w, "b": b}, symbolic=not ta)
            case(f"Gemm right {ta}{tb}",
                 [node("ReduceSum", ("x", "ax"), ("s",), keepdims=1), node("Gemm", ("w", "x", "s"), alpha=0.5, beta=2.0, transA=ta, transB=tb)],
                 lambda t, c, ta=ta, tb=tb: 0.5 * (c["w"].T if ta else c["w"]) @ (t.T if tb else t) + 2 * t.sum((0, 1), keepdim=True),
                 (5, 4) if tb else (4, 5), {"w": rng.normal(size=(4, 3) if ta else (3, 4)), "ax": np.array([0, 1])}, symbolic=False)
    mm = lambda t, c: t @ c["w"]
    mr = lambda t, c: c["w"] @ t
    case("MatMul", node("MatMul", ("x", "w")), mm, (3, 4), {"w": rng.normal(size=(4, 5))})
    case("MatMul batch", node("MatMul", ("x", "w")), mm, (2, 3, 4), {"w": rng.normal(size=(4, 5))})
    case("MatMul broadcast", node("MatMul", ("x", "w")), mm, (2, 1, 3, 4), {"w": rng.normal(size=(5, 4, 2))})
    case("MatMul broadcast 2", node("MatMul", ("x", "w")), mm, (3, 4), {"w": rng.normal(size=(5, 4, 2))})
    case("MatMul right", node("MatMul", ("w", "x")), mr, (5, 4, 2), {"w": rng.normal(size=(3, 4))})
    case("MatMul right 2", node("MatMul", ("w", "x")), mr, (4, 2), {"w": rng.normal(size=(5, 3, 4))}, symbolic=False)
    case("MatMul vector", node("MatMul", ("x", "w")), mm, (4,), {"w": rng.normal(size=(4, 5))}, symbolic=False)
    case("MatMul by vector", node("MatMul", ("x", "w")), mm, (2, 3, 4), {"w": rng.normal(size=(4,))})
    case("MatMul vector right", node("MatMul", ("w", "x")), mr, (4,), {"w": rng.normal(size=(2, 3, 4))}, symbolic=False)
    case("MatMul inner", node("MatMul", ("x", "w")), mm, (4,), {"w": rng.normal(size=(4,))}, symbolic=False)
    case("attention", [node("MatMul", ("x", "q"), ("xq",)), node("MatMul", ("x", "k"), ("xk",)), node("Transpose", ("xk",), ("kt",), perm=[0, 2, 1]),
                       node("MatMul", ("xq", "kt"), ("s",)), node("Softmax", ("s",), ("p",), axis=-1), node("MatMul", ("x", "v"), ("xv",)), node("MatMul", ("p", "xv"))],
         lambda t, c: torch.softmax((t @ c["q"]) @ (t @ c["k"]).transpose(1, 2), -1) @ (t @ c["v"]), (2, 3, 4),
         {k: rng.normal(size=(4, 5)) for k in "qkv"})


def convolutions():
    def conv(name, size, w, b=True, opset=17, **a):
        kw = w[2:]
        n = len(kw)
        s, d, g = a.get("strides", [1] * n), a.get("dilations", [1] * n), a.get("group", 1)
        p = a.get("pads", [0] * 2 * n)
        def f(t, c):
            flat = []
            for i in reversed(range(n)):
                flat += [p[i], p[n + i]]
            return (F.conv1d if n == 1 else F.conv2d)(F.pad(t, flat), c["w"], c["b"], stride=s, dilation=d, groups=g)
        case(name, node("Conv", ("x", "w", "b"), **a), f, size, {"w": rng.normal(size=w), "b": rng.normal(size=w[0])})
    conv("Conv 1-D", (2, 3, 9), (4, 3, 3))
    conv("Conv 1-D strided", (2, 3, 9), (4, 3, 3), strides=[2], pads=[1, 1])
    conv("Conv", (2, 3, 6, 5), (4, 3, 3, 2))
    conv("Conv of 16 channels", (2, 16, 6, 5), (4, 16, 3, 2), pads=[0, 1, 1, 0])
    conv("Conv of 17 channels dilated", (1, 17, 6, 6), (3, 17, 2, 3), dilations=[2, 1], pads=[1, 1, 1, 1])
    conv("Conv padded", (2, 3, 6, 5), (4, 3, 3, 3), pads=[1, 1, 1, 1])
    conv("Conv padded unevenly", (2, 3, 6, 5), (4, 3, 3, 2), pads=[2, 0, 1, 1])
    conv("Conv padded beyond", (2, 2, 4, 4), (3, 2, 2, 2), pads=[3, 2, 2, 3])
    conv("Conv 1x1", (2, 3, 4, 4), (5, 3, 1, 1))
    conv("Conv dilated", (2, 2, 8, 9), (3, 2, 3, 2), dilations=[2, 3], pads=[1, 2, 1, 0])
    conv("Conv grouped", (2, 4, 6, 6), (6, 2, 3, 3), group=2, pads=[1, 1, 1, 1])
    conv("Conv depthwise", (2, 4, 6, 6), (4, 1, 3, 3), group=4, pads=[1, 1, 1, 1])
    conv("Conv strided", (2, 3, 7, 8), (4, 3, 3, 3), strides=[2, 3], pads=[1, 1, 1, 1])
    conv("Conv strided remainder", (2, 3, 8, 10), (4, 3, 3, 3), strides=[2, 4])
    conv("Conv strided 1x1", (2, 3, 8, 7), (4, 3, 1, 1), strides=[3, 2])
    conv("Conv strided grouped", (2, 4, 9, 8), (6, 2, 3, 4), strides=[2, 2], group=2, pads=[1, 0, 2, 1])
    conv("Conv strided dilated", (2, 2, 11, 9), (3, 2, 3, 2), strides=[2, 3], dilations=[2, 2], pads=[1, 1, 1, 1])
    same = {"w": rng.normal(size=(4, 3, 3, 2)), "b": rng.normal(size=4)}
    case("Conv SAME_UPPER", node("Conv", ("x", "w", "b"), auto_pad="SAME_UPPER", strides=[2, 2]),
         lambda t, c: F.conv2d(F.pad(t, [0, 1, 1, 1]), c["w"], c["b"], stride=2), (2, 3, 7, 5), same)
    case("Conv SAME_LOWER", node("Conv", ("x", "w", "b"), auto_pad="SAME_LOWER", strides=[1, 1]),
         lambda t, c: F.conv2d(F.pad(t, [1, 0, 1, 1]), c["w"], c["b"]), (2, 3, 7, 5), same)
    def transposed(name, size, w, extra, **a):
        n = len(w) - 2
        p = a.get("pads", [0] * 2 * n)
        fn = F.conv_transpose1d if n == 1 else F.conv_transpose2d
        case(name, node("ConvTranspose", ("x", "w", "b"), **a, **({"output_padding": extra} if any(extra) else {})),
             lambda t, c: fn(t, c["w"], c["b"], stride=a.get("strides", 1), padding=p[:n], output_padding=extra, groups=a.get("group", 1), dilation=a.get("dilations", 1)),
             size, {"w": rng.normal(size=w), "b": rng.normal(size=w[1] * a.get("group", 1))}, differences="group" not in a)
    transposed("ConvTranspose", (2, 3, 4, 5), (3, 2, 3, 3), [0, 0], strides=[2, 2], pads=[1, 1, 1, 1])
    transposed("ConvTranspose 1-D", (2, 3, 5), (3, 2, 4), [0], strides=[3])
    transposed("ConvTranspose output_padding", (2, 3, 4, 3), (3, 2, 3, 3), [1, 2], strides=[2, 3], pads=[1, 0, 1, 0])
    transposed("ConvTranspose grouped", (2, 4, 4, 4), (4, 3, 2, 2), [0, 0], strides=[2, 2], group=2)
    transposed("ConvTranspose dilated", (2, 2, 4, 4), (2, 3, 2, 3), [0, 0], dilations=[2, 2], pads=[1, 1, 1, 1])


def pools():
    def maxpool(name, size, diff=True, **a):
        n = len(size) - 2
        p = a.get("pads", [0] * 2 * n)
        fn = {1: F.max_pool1d, 2: F.max_pool2d}[n]
        case(name, node("MaxPool", "x", **a), lambda t, c: fn(t, a["kernel_shape"], a.get("strides", [1] * n), p[:n], a.get("dilations", 1), bool(a.get("ceil_mode", 0))), size, differences=diff)
    maxpool("MaxPool", (2, 3, 6, 8), kernel_shape=[2, 2], strides=[2, 2])
    maxpool("MaxPool remainder", (2, 3, 7, 9), kernel_shape=[2, 2], strides=[2, 3])
    maxpool("MaxPool overlapping", (2, 3, 7, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    maxpool("MaxPool stride 1", (2, 3, 5, 6), kernel_shape=[3, 2])
    maxpool("MaxPool dilated", (2, 2, 8, 8), kernel_shape=[2, 3], dilations=[2, 2], strides=[2, 2])
    maxpool("MaxPool ceil", (2, 2, 7, 8), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    maxpool("MaxPool 1-D", (2, 3, 9), kernel_shape=[3], strides=[3])
    case("MaxPool ties", node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2]), lambda t, c: F.max_pool2d(t, 2), (2, 2, 4, 4),
         x=rng.integers(0, 2, size=(2, 2, 4, 4)), differences=False)
    case("MaxPool ties overlapping", node("MaxPool", "x", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]), lambda t, c: F.max_pool2d(t, 3, 1, 1), (2, 2, 5, 5),
         x=rng.integers(0, 2, size=(2, 2, 5, 5)), differences=False)
    case("MaxPool of Relu", [node("Relu", "x", ("r",)), node("MaxPool", ("r",), kernel_shape=[2, 3], strides=[2, 3])], lambda t, c: F.max_pool2d(torch.relu(t), (2, 3)), (2, 3, 5, 6))
    case("MaxPool of Relu read twice", [node("Relu", "x", ("r",)), node("MaxPool", ("r",), ("m",), kernel_shape=[2, 2], strides=[2, 2]), node("GlobalAveragePool", ("r",), ("a",)), node("Mul", ("m", "a"))],
         lambda t, c: F.max_pool2d(torch.relu(t), 2) * torch.relu(t).mean((2, 3), keepdim=True), (2, 3, 4, 6))
    def avgpool(name, size, diff=True, **a):
        n = len(size) - 2
        p = a.get("pads", [0] * 2 * n)
        fn = {1: F.avg_pool1d, 2: F.avg_pool2d}[n]
        case(name, node("AveragePool", "x", **a), lambda t, c: fn(t, a["kernel_shape"], a.get("strides", [1] * n), p[:n], bool(a.get("ceil_mode", 0)), bool(a.get("count_include_pad", 0))), size, differences=diff)
    avgpool("AveragePool", (2, 3, 6, 8), kernel_shape=[2, 2], strides=[2, 2])
    avgpool("AveragePool remainder", (2, 3, 7, 9), kernel_shape=[2, 3], strides=[3, 3])
    avgpool("AveragePool overlapping", (2, 3, 7, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    avgpool("AveragePool counting padding", (2, 3, 7, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
    avgpool("AveragePool ceil", (2, 2, 7, 8), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    avgpool("AveragePool of many", (1, 2, 38, 37), kernel_shape=[3, 3], strides=[2, 1], pads=[1, 1, 1, 1])
    avgpool("AveragePool 1-D of many", (1, 2, 40), kernel_shape=[3], strides=[2], ceil_mode=1)
    avgpool("AveragePool 1-D", (2, 3, 9), kernel_shape=[3], strides=[2])
    case("GlobalAveragePool", node("GlobalAveragePool", "x"), lambda t, c: t.mean((2, 3), keepdim=True), (2, 3, 4, 3))
    case("GlobalMaxPool", node("GlobalMaxPool", "x"), lambda t, c: t.amax((2, 3), keepdim=True), (2, 3, 4, 3))


def normalisations():
    bn = {"s": rng.normal(size=3), "b": rng.normal(size=3), "m": rng.normal(size=3), "v": positive(3)}
    f = lambda t, c: F.batch_norm(t, c["m"], c["v"], c["s"], c["b"], eps=float(np.float32(1e-3)))
    for shape in ((2, 3, 4, 4), (4, 3), (2, 3, 5)):
        case(f"BatchNormalization {len(shape)}-D", node("BatchNormalization", ("x", "s", "b", "m", "v"), epsilon=1e-3), f, shape, bn)
    case("BatchNormalization opset 9", node("BatchNormalization", ("x", "s", "b", "m", "v"), epsilon=1e-3), f, (2, 3, 4, 4), bn, opset=9, differences=False)
    ln = {"s": rng.normal(size=(3, 4)), "b": rng.normal(size=(3, 4))}
    case("LayerNormalization", node("LayerNormalization", ("x", "s", "b"), axis=-2), lambda t, c: F.layer_norm(t, (3, 4), c["s"], c["b"], float(np.float32(1e-5))), (2, 3, 4), ln)
    case("LayerNormalization last", node("LayerNormalization", ("x", "s")), lambda t, c: F.layer_norm(t, (4,), c["s"], None, float(np.float32(1e-5))), (2, 3, 4), {"s": rng.normal(size=4)})
    case("LayerNormalization opset 20", node("LayerNormalization", ("x", "s")), lambda t, c: F.layer_norm(t, (4,), c["s"], None, float(np.float32(1e-5))), (2, 3, 4), {"s": rng.normal(size=4)}, opset=20)
    inorm = {"s": rng.normal(size=3), "b": rng.normal(size=3)}
    case("InstanceNormalization", node("InstanceNormalization", ("x", "s", "b")), lambda t, c: F.instance_norm(t, weight=c["s"], bias=c["b"], eps=float(np.float32(1e-5))), (2, 3, 4, 4), inorm)
    for p in (1, 2):
        case(f"LpNormalization {p}", node("LpNormalization", "x", p=p, axis=1), lambda t, c, p=p: F.normalize(t, p=p, dim=1), (3, 4), differences=p == 2)


def reductions():
    ops = {
        "ReduceSum": lambda t, a, k: t.sum(a, keepdim=k), "ReduceMean": lambda t, a, k: t.mean(a, keepdim=k),
        "ReduceMax": lambda t, a, k: t.amax(a, keepdim=k), "ReduceMin": lambda t, a, k: t.amin(a, keepdim=k),
        "ReduceL1": lambda t, a, k: t.abs().sum(a, keepdim=k), "ReduceL2": lambda t, a, k: t.pow(2).sum(a, keepdim=k).sqrt(),
        "ReduceSumSquare": lambda t, a, k: t.pow(2).sum(a, keepdim=k), "ReduceLogSumExp": lambda t, a, k: torch.logsumexp(t, a, keepdim=k),
        "ReduceLogSum": lambda t, a, k: t.sum(a, keepdim=k).log(),
    }
    for op, fn in ops.items():
        x = positive(2, 3, 4)
        for axes, keep in (([1], 1), ([-1], 0), ([1, 2], 0), (None, 0), (None, 1)):
            real = axes if axes else [0, 1, 2]
            for opset in (17, 18):
                if opset == 18 or op == "ReduceSum":
                    consts, inputs, attrs = ({"a": np.array(axes)}, ("x", "a"), {}) if axes else ({}, ("x",), {})
                    if op == "ReduceSum" and opset == 18:
                        continue
                else:
                    consts, inputs, attrs = {}, ("x",), ({"axes": axes} if axes else {})
                case(f"{op} {axes} {keep} opset {opset}", node(op, inputs, keepdims=keep, **attrs), lambda t, c, fn=fn, k=keep, a=tuple(real): fn(t, a, bool(k)), (2, 3, 4), consts, opset=opset, x=x)
    case("ReduceSum opset 11", node("ReduceSum", "x", axes=[1], keepdims=0), lambda t, c: t.sum(1), (2, 3), opset=11, differences=False)
    case("CumSum", node("CumSum", ("x", "a"), exclusive=1), lambda t, c: torch.cumsum(t, 1) - t, (2, 5), {"a": np.array(1)})


def shapes():
    i64 = lambda *v: np.array(v, dtype=np.int64)
    case("Reshape", node("Reshape", ("x", "s")), lambda t, c: t.reshape(2, 6, 2), (2, 3, 4), {"s": i64(0, -1, 2)})
    case("Reshape of shapes", [node("Shape", "x", ("sh",)), node("Gather", ("sh", "z"), ("n",)), node("Unsqueeze", ("n", "ax"), ("n1",)), node("Concat", ("n1", "m"), ("to",), axis=0), node("Reshape", ("x", "to"), ("r",)),
                               node("Transpose", ("r",), perm=[0, 2, 1])],
         lambda t, c: t.reshape(2, 4, 3).transpose(1, 2), (2, 3, 4), {"z": np.array(0), "ax": i64(0), "m": i64(4, -1)})
    case("Flatten", node("Flatten", "x", axis=1), lambda t, c: t.flatten(1), (2, 3, 4))
    case("Flatten 2", node("Flatten", "x", axis=2), lambda t, c: t.reshape(6, 4), (2, 3, 4))
    case("Squeeze", node("Squeeze", ("x", "a")), lambda t, c: t.squeeze(1), (2, 1, 4), {"a": i64(1)})
    case("Squeeze opset 11", node("Squeeze", "x", axes=[1]), lambda t, c: t.squeeze(1), (2, 1, 4), opset=11, differences=False)
    case("Unsqueeze", node("Unsqueeze", ("x", "a")), lambda t, c: t[:, None, :, None], (2, 4), {"a": i64(1, 3)})
    case("Unsqueeze opset 11", node("Unsqueeze", "x", axes=[1]), lambda t, c: t[:, None], (2, 4), opset=11, differences=False)
    case("Transpose", node("Transpose", "x", perm=[2, 0, 3, 1]), lambda t, c: t.permute(2, 0, 3, 1), (2, 3, 4, 5))
    case("Transpose all", node("Transpose", "x"), lambda t, c: t.permute(2, 1, 0), (2, 3, 4))
    case("Concat", [node("Mul", ("x", "x"), ("q",)), node("Concat", ("x", "c", "q"), axis=1)], lambda t, c: torch.cat([t, c["c"], t * t], 1), (2, 3), {"c": rng.normal(size=(2, 2))})
    case("Concat batch", [node("Mul", ("x", "x"), ("q",)), node("Concat", ("x", "q"), axis=0)], lambda t, c: torch.cat([t, t * t], 0), (2, 3))
    case("Split", [node("Split", ("x", "s"), ("a", "b", "e"), axis=1), node("Mul", ("a", "e"))], lambda t, c: t[:, :2] * t[:, 3:], (2, 5), {"s": i64(2, 1, 2)})
    case("Split evenly opset 11", [node("Split", "x", ("a", "b"), axis=1), node("Mul", ("a", "b"))], lambda t, c: t[:, :2] * t[:, 2:], (2, 4), opset=11, differences=False)
    case("Split opset 18", [node("Split", "x", ("a", "b"), axis=1, num_outputs=2), node("ReduceSum", ("b", "ax"), ("bs",)), node("Mul", ("a", "bs"))], lambda t, c: t[:, :3] * t[:, 3:].sum(1, keepdim=True), (2, 5), {"ax": i64(1)}, opset=18)
    case("Slice", node("Slice", ("x", "s", "e", "a")), lambda t, c: t[:, 1:3, -2:], (2, 4, 5), {"s": i64(1, -2), "e": i64(3, 2**62), "a": i64(1, 2)})
    case("Slice steps", node("Slice", ("x", "s", "e", "a", "st")), lambda t, c: t[:, 1::2].flip(2)[:, :, ::2], (2, 6, 5), {"s": i64(1, -1), "e": i64(100, -2**62), "a": i64(1, 2), "st": i64(2, -2)})
    case("Slice opset 9", node("Slice", "x", starts=[1], ends=[3], axes=[1]), lambda t, c: t[:, 1:3], (2, 4), opset=9, differences=False)
    case("Pad", node("Pad", ("x", "p", "v")), lambda t, c: F.pad(t, [0, 3, 1, 2], value=0.5), (2, 3, 4), {"p": i64(0, 1, 0, 0, 2, 3), "v": np.array(0.5)})
    case("Pad negative", node("Pad", ("x", "p")), lambda t, c: F.pad(t, [-1, 2, 1, -1]), (2, 3, 4), {"p": i64(0, 1, -1, 0, -1, 2)}, differences=False)
    case("Pad opset 9", node("Pad", "x", pads=[0, 1, 0, 2], value=0.25), lambda t, c: F.pad(t, [1, 2], value=0.25), (2, 3), opset=9, differences=False)
    case("Pad opset 18 axes", node("Pad", ("x", "p", "", "a")), lambda t, c: F.pad(t, [1, 2]), (2, 3, 4), {"p": i64(1, 2), "a": i64(-1)}, opset=18)
    for mode, tm in (("reflect", "reflect"), ("edge", "replicate")):
        case(f"Pad {mode}", node("Pad", ("x", "p"), mode=mode), lambda t, c, m=tm: F.pad(t, [2, 3, 1, 2], mode=m), (1, 2, 4, 5), {"p": i64(0, 0, 1, 2, 0, 0, 2, 3)})
    case("Pad wrap", node("Pad", ("x", "p"), mode="wrap"), lambda t, c: F.pad(t, [2, 3, 1, 2], mode="circular"), (1, 2, 4, 5), {"p": i64(0, 0, 1, 2, 0, 0, 2, 3)}, opset=19)
    case("Gather", node("Gather", ("x", "i"), axis=1), lambda t, c: t[:, [3, 0, 3, -1]], (2, 5), {"i": i64(3, 0, 3, -1)})
    case("Gather scalar", node("Gather", ("x", "i"), axis=1), lambda t, c: t[:, 2], (2, 5, 3), {"i": np.array(2)})
    case("Gather matrix", node("Gather", ("x", "i"), axis=1), lambda t, c: t[:, c["i"]], (2, 5, 3), {"i": np.array([[0, 2], [2, 4], [1, 1]])})
    case("GatherElements", node("GatherElements", ("x", "i"), axis=1), lambda t, c: torch.gather(t, 1, c["i"]), (2, 4), {"i": np.array([[0, 0, 3], [2, 1, 2]])}, symbolic=False)
    case("Expand", node("Expand", ("x", "s")), lambda t, c: t.expand(3, 2, 4), (2, 1), {"s": i64(3, 2, 4)}, symbolic=False)
    case("Expand of shapes", [node("Shape", "c", ("s",)), node("Expand", ("x", "s"))], lambda t, c: t.expand(3, 2, 4), (2, 4), {"c": np.zeros((3, 2, 4))}, symbolic=False)
    case("Tile", node("Tile", ("x", "r")), lambda t, c: t.repeat(1, 2, 3), (2, 3, 4), {"r": i64(1, 2, 3)})
    case("DepthToSpace", node("DepthToSpace", "x", blocksize=2), lambda t, c: t.reshape(2, 2, 2, 3, 2, 2).permute(0, 3, 4, 1, 5, 2).reshape(2, 3, 4, 4), (2, 12, 2, 2))
    case("DepthToSpace CRD", node("DepthToSpace", "x", blocksize=2, mode="CRD"), lambda t, c: F.pixel_shuffle(t, 2), (2, 12, 2, 3))
    case("SpaceToDepth", node("SpaceToDepth", "x", blocksize=2), lambda t, c: t.reshape(2, 3, 2, 2, 3, 2).permute(0, 3, 5, 1, 2, 4).reshape(2, 12, 2, 3), (2, 3, 4, 6))


def sklearn():
    ml = dict(ml=True, differences=False)
    d = {"domain": "ai.onnx.ml"}
    off, sc = narrow(rng.normal(size=4)), narrow(rng.normal(size=4))
    case("Scaler", node("Scaler", "x", offset=list(off), scale=list(sc), **d), lambda t, c: (t - torch.tensor(off)) * torch.tensor(sc), (3, 4), **ml)
    case("Scaler one", node("Scaler", "x", offset=[0.5], scale=[2.0], **d), lambda t, c: (t - 0.5) * 2, (3, 4), **ml)
    case("Normalizer L1", node("Normalizer", "x", norm="L1", **d), lambda t, c: F.normalize(t, p=1, dim=1), (3, 4), **ml)
    case("Normalizer L2", node("Normalizer", "x", norm="L2", **d), lambda t, c: F.normalize(t, p=2, dim=1), (3, 4), **ml)
    case("Normalizer MAX", node("Normalizer", "x", norm="MAX", **d), lambda t, c: t / t.amax(1, keepdim=True), (3, 4), x=positive(3, 4), **ml)
    fill = narrow(rng.normal(size=4))
    case("Imputer", node("Imputer", "x", imputed_value_floats=list(fill), replaced_value_float=float("nan"), **d),
         lambda t, c: torch.where(torch.isnan(t), torch.tensor(fill), t), (2, 4), x=[[1, np.nan, 2, 3], [np.nan, 0, 1, -1]], **ml)
    coef, b = narrow(rng.normal(size=(3, 4))), narrow(rng.normal(size=3))
    lin = lambda t: t @ torch.tensor(coef).T + torch.tensor(b)
    case("LinearRegressor", node("LinearRegressor", "x", coefficients=list(coef.flatten()), intercepts=list(b), targets=3, **d), lambda t, c: lin(t), (2, 4), **ml)
    for post, fn in (("NONE", lambda v: v), ("LOGISTIC", torch.sigmoid), ("SOFTMAX", lambda v: torch.softmax(v, 1))):
        case(f"LinearClassifier {post}", node("LinearClassifier", "x", ("label", "y"), coefficients=list(coef.flatten()), intercepts=list(b), classlabels_ints=[0, 1, 2], multi_class=1, post_transform=post, **d),
             lambda t, c, fn=fn: fn(lin(t)), (2, 4), **ml)


class Attention(torch.nn.Module):
    """A small vision transformer."""
    def __init__(self):
        super().__init__()
        self.patch = torch.nn.Conv2d(3, 16, 4, 4)
        self.cls, self.pos = torch.nn.Parameter(torch.randn(1, 1, 16)), torch.nn.Parameter(torch.randn(1, 5, 16))
        self.layer = torch.nn.TransformerEncoderLayer(16, 2, 24, batch_first=True, activation="gelu", norm_first=True)
        self.head = torch.nn.Linear(16, 4)

    def forward(self, x):
        t = self.patch(x).flatten(2).transpose(1, 2)
        t = torch.cat([self.cls.expand(t.shape[0], -1, -1), t], 1) + self.pos
        return self.head(self.layer(t)[:, 0])


class Squeeze(torch.nn.Module):
    """A depthwise network with squeeze and excitation."""
    def __init__(self):
        super().__init__()
        self.stem, self.depth = torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        self.norm, self.down, self.up, self.head = torch.nn.BatchNorm2d(8), torch.nn.Linear(8, 2), torch.nn.Linear(2, 8), torch.nn.Linear(32, 4)

    def forward(self, x):
        x = F.hardswish(self.depth(F.silu(self.norm(self.stem(x)))))
        x = x * torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3))))))[:, :, None, None]
        return self.head(F.adaptive_avg_pool2d(x, 2).reshape(x.size(0), -1)).log_softmax(1)


class Grouped(torch.nn.Module):
    """Group normalisation and overlapping pools."""
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = torch.nn.Conv2d(3, 8, 3, 1, 1), torch.nn.GroupNorm(2, 8), torch.nn.Linear(8, 4)

    def forward(self, x):
        return self.head(F.max_pool2d(F.elu(self.norm(self.conv(x))), 3, 2, 1).amax((2, 3)))


def exported():
    """Models as torch.onnx.export writes them, and their gradients by autograd."""
    torch.manual_seed(0)
    for opset in (11, 14, 18):
        for cls in (Attention, Squeeze, Grouped):
            if cls is Attention and opset < 14:
                continue
            m, buffer = cls().eval(), io.BytesIO()
            torch.onnx.export(m, torch.zeros(2, 3, 8, 8), buffer, opset_version=opset, input_names=["x"], output_names=["y"],
                              dynamic_axes={"x": {0: "N"}, "y": {0: "N"}}, dynamo=False)
            x = narrow(rng.random(size=(3, 3, 8, 8)))
            t = torch.tensor(x, requires_grad=True)
            y = m.double()(t)
            ct = narrow(rng.normal(size=tuple(y.shape)))
            (g,) = torch.autograd.grad(y, t, torch.tensor(ct))
            whole(f"exported {cls.__name__} opset {opset}", buffer.getvalue(), x, ct, y.detach().numpy(), g.numpy())


def whole(name, model, x, ct, y, g):
    cases.append({"name": name, "model": b64(np.frombuffer(model, np.uint8)), "shape": list(x.shape), "x": b64(x.astype(np.float32)), "out": list(y.shape),
                  "cotangent": b64(ct.astype(np.float32)), "y": b64(y), "gradient": b64(g), "difference": -1.0})


def pipelines():
    """scikit-learn pipelines as skl2onnx writes them, and central differences of what scikit-learn computes in double precision."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
    from skl2onnx import to_onnx
    X = rng.normal(size=(200, 5))
    three, two, real = np.argmax(X[:, :3] + rng.normal(size=(200, 3)), 1), (X[:, 0] + rng.normal(size=200) > 0).astype(int), X @ rng.normal(size=5)
    columns = ColumnTransformer([("a", StandardScaler(), [0, 3]), ("b", MinMaxScaler(), [4, 1])])
    for name, m, y in (
        ("logistic 2", make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), two), ("logistic 3", LogisticRegression(), three),
        ("columns", make_pipeline(columns, LogisticRegression()), two), ("normaliser", make_pipeline(Normalizer(), LogisticRegression()), three),
        ("one against rest", OneVsRestClassifier(LogisticRegression()), three), ("SGD", SGDClassifier(loss="log_loss", random_state=0), three),
        ("MLP 2", MLPClassifier((6,), max_iter=50, random_state=0), two), ("MLP 3", MLPClassifier((6,), activation="tanh", max_iter=50, random_state=0), three),
        ("ridge", make_pipeline(StandardScaler(), Ridge()), real), ("MLP regression", MLPRegressor(hidden_layer_sizes=(6,), max_iter=50, random_state=0), real),
    ):
        m.fit(X, y)
        x = narrow(X[:3])
        f = m.predict_proba if hasattr(m, "predict_proba") else lambda v: m.predict(v).reshape(-1, 1)
        out = f(x)
        ct, g = narrow(rng.normal(size=out.shape)), np.zeros_like(x)
        for j in range(x.shape[1]):
            a, b = x.copy(), x.copy()
            a[:, j] += 1e-6
            b[:, j] -= 1e-6
            g[:, j] = ((f(a) - f(b)) * ct).sum(1) / 2e-6
        for opset in (12, 17):
            model = to_onnx(m, X[:1].astype(np.float32), target_opset={"": opset, "ai.onnx.ml": 3})
            whole(f"scikit-learn {name} opset {opset}", model.SerializeToString(), x, ct, out, g)


def torch_network(model, x):
    """Runs the layers that the shared networks use."""
    w = {i.name: torch.tensor(numpy_helper.to_array(i).astype(np.float64)) for i in model.graph.initializer}
    v = dict(w)
    v[model.graph.input[0].name] = x
    for n in model.graph.node:
        a = {p.name: helper.get_attribute_value(p) for p in n.attribute}
        i = [v[k] for k in n.input]
        p = a.get("pads", [0, 0, 0, 0])
        if n.op_type == "Conv":
            assert p[:2] == p[2:]
            y = F.conv2d(*i, stride=a["strides"], padding=p[:2], dilation=a["dilations"], groups=a["group"])
        elif n.op_type == "Gemm":
            y = F.linear(i[0], i[1], i[2])
        elif n.op_type == "MaxPool":
            y = F.max_pool2d(i[0], a["kernel_shape"], a["strides"])
        elif n.op_type == "AveragePool":
            y = F.avg_pool2d(i[0], a["kernel_shape"], a["strides"])
        else:
            y = {"Relu": torch.relu, "Flatten": lambda t: t.flatten(1), "Sub": torch.sub, "Div": torch.div, "Pad": lambda t: t}[n.op_type](*i)
        v[n.output[0]] = y
    return v[model.graph.output[0].name]


def networks():
    read = lambda name: (gzip.open if name.endswith("gz") else open)(name, "rb").read()
    mnist = np.frombuffer(read(f"{SHARED}/mnist/t10k-images-idx3-ubyte.gz"), np.uint8)[16:].reshape(-1, 784)[:3].astype(np.float32) / np.float32(255)
    cifar = np.load(io.BytesIO(read(f"{SHARED}/cifar-nets/X_sdp.npy.gz")))[:2].transpose(0, 3, 1, 2).astype(np.float32)
    repository = os.path.join(HERE, "../../../..")
    digits = np.load(f"{repository}/examples/digits/test.npz")
    digits = digits[[k for k in digits.files if digits[k].ndim >= 2][0]][:3].reshape(3, 1, 8, 8).astype(np.float32)
    names = ["mnistfc/mnist-net_256x2.onnx.gz", "mnistfc/mnist-net_256x4.onnx.gz", "mnistfc/mnist-net_256x6.onnx.gz"]
    names += ["mnist-nets/" + n for n in ("Convnet_avgpool.onnx", "Convnet_maxpool.onnx", "mnist_cnn_a_adv.onnx.gz", "mnist_madry_small_adv.onnx.gz", "mnist_6_100_nat.onnx.gz")]
    out = []
    for name, path, x in [(n, f"{SHARED}/{n}", mnist) for n in names] + [("cifar-nets/cifar_cnn_a_adv.onnx.gz", f"{SHARED}/cifar-nets/cifar_cnn_a_adv.onnx.gz", cifar),
                                                                       ("examples/digits/model.onnx", f"{repository}/examples/digits/model.onnx", digits)]:
        m = onnx.load_from_string(read(path))
        dims = [d.dim_value for d in m.graph.input[0].type.tensor_type.shape.dim]
        x = x.reshape([len(x)] + dims[1:])
        t = torch.tensor(x.astype(np.float64), requires_grad=True)
        y = torch_network(m, t)
        ct = narrow(rng.normal(size=tuple(y.shape)))
        (g,) = torch.autograd.grad(y, t, torch.tensor(ct))
        out.append({"name": name, "shape": list(x.shape), "x": b64(x), "out": list(y.shape), "cotangent": b64(ct.astype(np.float32)), "y": b64(y.detach().numpy()), "gradient": b64(g.numpy())})
    return out


for group in (elementwise, softmaxes, products, convolutions, pools, normalisations, reductions, shapes, sklearn, exported, pipelines):
    group()
import skl2onnx, sklearn
golden = {"versions": {"scikit-learn": sklearn.__version__, "skl2onnx": skl2onnx.__version__, "torch": torch.__version__, "onnx": onnx.__version__, "numpy": np.__version__, "python": sys.version.split()[0]},
          "command": "python make_golden.py SHARED-DATA", "cases": cases, "networks": networks()}
with open(os.path.join(HERE, "golden.json.gz"), "wb") as f:
    with gzip.GzipFile(fileobj=f, mode="wb", mtime=0, compresslevel=9) as z:
        z.write(json.dumps(golden).encode())
print(len(cases), "cases; torch and central differences agree within", worst)
