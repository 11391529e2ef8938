"""Writes internal/scan/rules/data/vetted_libraries.txt from the libraries that are installed.

    python bench/scanner/vetted.py > internal/scan/rules/data/vetted_libraries.txt

What it vets, and why it is harmless:
- torch: the list of torch.load(weights_only=True), which PyTorch itself vets, and the modules of torch.nn
  (instances and their attributes; no constructor, no forward).
- numpy: what ndarray, dtype, scalars, masked arrays, random generators and ufuncs pickle as; element types.
- scikit-learn, xgboost, lightgbm: classes as instances with state. Not vetted are classes with __del__, tests,
  data sets that are fetched, and what runs functions that it is given.
- scipy: sparse matrices and splines alone. Distributions are left out: their __setstate__ runs code made from the state.
- pandas: frames, series, indexes and the arrays and types in them.
"""
import _compat_pickle
import collections
import importlib
import inspect
import pkgutil
import re
import sys
import warnings

warnings.filterwarnings("ignore")
vet = collections.defaultdict(set)  # (flags, module) -> names


def add(flags, module, *names):
    vet[flags, module].update(names)


def harmless(cls):
    """An instance of the class does nothing by itself when it is made and thrown away."""
    return not any("__del__" in vars(c) for c in cls.__mro__ if c is not object)


def classes(package, leave_out):
    """The classes that the modules of a package define."""
    root = importlib.import_module(package)
    for m in [root.__name__] + [m.name for m in pkgutil.walk_packages(root.__path__, package + ".")]:
        if re.search(leave_out, m):
            continue
        try:
            module = importlib.import_module(m)
        except BaseException:  # optional dependencies, deprecated modules
            continue
        for name, c in vars(module).items():
            if inspect.isclass(c) and c.__module__ == m and c.__qualname__ == name and harmless(c):
                yield m, name, c
        for name, f in vars(module).items():
            if name.startswith("__pyx_unpickle_") or name == "newObj":
                add("call", m, name)


def torch_names():
    import torch
    from torch._weights_only_unpickler import _get_allowed_globals
    for full in _get_allowed_globals():
        module, _, name = full.rpartition(".")
        if module in ("builtins", "collections", "_codecs"):
            continue
        o = getattr(importlib.import_module(module), name)
        if name == "_rebuild_from_type_v2":
            add("special=apply", module, name)
            continue
        add("call,new" if inspect.isclass(o) else "call", module, name)
    for name, _ in vars(torch).items():
        if isinstance(getattr(torch, name), (torch.dtype, torch.layout, torch.memory_format)):
            add("call", "torch", name)
    add("call,new", "torch", "Generator")
    add("special=bytes", "torch.storage", "_load_from_bytes")
    add("call,new", "torch.storage", "UntypedStorage", "TypedStorage", "_UntypedStorage", "_TypedStorage")
    add("call,new", "torch.nn.parameter", "Parameter", "Buffer", "UninitializedParameter", "UninitializedBuffer")
    for m, name, c in classes("torch.nn.modules", r"_functions|lazy"):
        if issubclass(c, torch.nn.Module):
            flags = "new,container" if issubclass(c, (torch.nn.ModuleList, torch.nn.ModuleDict, torch.nn.Sequential)) else "new"
            add(flags, m, name)
    for name in ("relu", "gelu", "silu", "elu", "leaky_relu", "tanh", "sigmoid", "softmax", "log_softmax", "cross_entropy", "mse_loss"):
        add("call", "torch.nn.functional", name)
        if hasattr(torch._C._nn, name):
            add("call", "torch._C._nn", name)
    for name in ("BackwardHook", "RemovableHandle"):
        add("new", "torch.utils.hooks", name)


def numpy_names():
    import numpy
    for core in ("numpy.core", "numpy._core"):
        add("call", core + ".multiarray", "_reconstruct", "scalar")
        add("call", core + ".numeric", "_frombuffer")
        add("call", core + "._multiarray_umath", "_reconstruct", "scalar")
        add("call,new", core + ".records", "recarray", "record")
    add("call,new", "numpy", "ndarray", "recarray", "record")
    add("new", "numpy", "matrix", "poly1d", "ma", "char")
    add("new", "numpy.matrixlib.defmatrix", "matrix")
    add("new,special=dtype", "numpy", "dtype")
    for name, o in vars(numpy).items():
        if inspect.isclass(o) and issubclass(o, numpy.generic):
            add("call,new", "numpy", name, o.__name__)
        if isinstance(o, numpy.ufunc):
            add("call", "numpy", name)
            add("call", "numpy._core._multiarray_umath", name)
            add("call", "numpy.core._multiarray_umath", name)
    for name in ("mean", "median", "sum", "std", "var", "min", "max", "amin", "amax", "nanmean", "nanmedian", "ravel", "squeeze", "reshape", "nan_to_num", "round", "clip", "argmax", "argmin"):
        add("call", "numpy", name)
    for name in ("bool8", "float_", "complex_", "unicode_", "string_", "object0"):
        add("call,new", "numpy", name)
    for name, o in vars(numpy.dtypes).items():
        if inspect.isclass(o):
            add("call,new", "numpy.dtypes", name)
    for m in ("numpy.ma.core", "numpy.ma"):
        add("call", m, "_mareconstruct")
        add("new", m, "MaskedArray", "MaskedConstant", "mvoid")
    add("call", "numpy.random._pickle", "__bit_generator_ctor")
    add("special=apply", "numpy.random._pickle", "__generator_ctor", "__randomstate_ctor")
    for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
        add("call,new", "numpy.random._" + name.lower().replace("pcg64dxsm", "pcg64"), name)
    add("call,new", "numpy.random.bit_generator", "SeedSequence", "SeedlessSeedSequence")
    add("call", "numpy.random.bit_generator", "__pyx_unpickle_SeedSequence")
    add("new", "numpy.random.mtrand", "RandomState")
    add("new", "numpy.random._generator", "Generator")


def scipy_names():
    import scipy.sparse
    for m, name, c in classes("scipy.sparse", r"tests|linalg|csgraph"):
        if issubclass(c, scipy.sparse.sparray) or issubclass(c, scipy.sparse.spmatrix) or name.startswith("_"):
            add("new", m, name)
            if m.startswith("scipy.sparse._"):
                add("new", m.replace("._", ".", 1), name)
    for name in ("interp1d", "CubicSpline", "PPoly", "BPoly", "PchipInterpolator", "Akima1DInterpolator", "BSpline", "UnivariateSpline"):
        c = getattr(importlib.import_module("scipy.interpolate"), name)
        add("new", c.__module__, name)
    add("call", "scipy._lib.array_api_compat.numpy._aliases", "asarray")
    add("call,new", "scipy.spatial._ckdtree", "cKDTree")


def learners():
    out = r"\.tests|conftest|externals|_build_utils|\.datasets|_mocking|estimator_checks|_testing|_test_common|\.parallel|callback|inspection\._plot|_repr_html|discovery|sklearn\.utils\.fixes"
    for m, name, c in classes("sklearn", out):
        cython = not hasattr(c, "__dictoffset__") or c.__dictoffset__ == 0
        flags = "call,new" if cython and not m.endswith(".base") else "new"
        if name.startswith("PyFuncDistance"):  # calls the function that it is given
            continue
        if issubclass(c, dict):
            flags += ",container"
        add(flags, m, name)
    add("call,new,container", "sklearn.utils._bunch", "Bunch")
    add("new,container", "sklearn.utils", "Bunch")
    for m in ("sklearn._loss._loss",):
        for name, c in vars(importlib.import_module(m)).items():
            if inspect.isclass(c):
                add("call,new", m, name)
    for m, name, c in classes("xgboost", r"testing|tracker|dask|spark|rabit|plotting|libpath"):
        add("new", m, name)
    for m, name, c in classes("lightgbm", r"dask|plotting|libpath"):
        add("new", m, name)
    # Both free what they hold when they are thrown away; their __setstate__ puts nothing there that is not theirs.
    add("new", "xgboost.core", "Booster")
    add("new", "lightgbm.basic", "Booster")
    add("call", "sklearn.feature_selection._univariate_selection", "f_classif", "f_regression", "chi2", "f_oneway", "r_regression")
    add("call", "sklearn.feature_selection._mutual_info", "mutual_info_classif", "mutual_info_regression")
    add("call", "sklearn.cluster._kmeans", "_kmeans_single_lloyd", "_kmeans_single_elkan")
    for m in ("joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"):
        add("new,special=array", m, "NumpyArrayWrapper")


def pandas_names():
    keep = r"^pandas\.core\.(frame|series|indexes|internals|arrays|dtypes\.dtypes|flags)|^pandas\._libs\.(arrays|internals|tslibs|interval|missing|properties)|^pandas\.api\.types"
    for m in pkgutil.walk_packages(importlib.import_module("pandas").__path__, "pandas."):
        if not re.search(keep, m.name) or re.search(r"\.tests|accessor", m.name):
            continue
        try:
            module = importlib.import_module(m.name)
        except ImportError:  # optional dependencies
            continue
        for name, c in vars(module).items():
            if inspect.isclass(c) and c.__module__.startswith("pandas") and c.__qualname__ == name and harmless(c):
                for module in {m.name, c.__module__}:  # public classes say that they are of "pandas", older ones where they stand
                    add("call,new" if m.name.startswith("pandas._libs") else "new", module, name)
            elif name.startswith("__pyx_unpickle_"):
                add("call", m.name, name)
    add("call", "pandas.core.indexes.base", "_new_Index")
    add("call", "pandas.core.indexes.datetimes", "_new_DatetimeIndex")
    for module in ("pandas", "pandas.core.dtypes.dtypes"):
        add("call,new", module, "PeriodDtype", "IntervalDtype", "DatetimeTZDtype", "CategoricalDtype", "SparseDtype", "StringDtype")
    add("call", "pandas", "NA", "NaT")
    add("call", "pandas._libs.missing", "NA")
    add("call,new", "pandas.core.internals.managers", "BlockManager", "SingleBlockManager")
    add("call", "pandas.core.indexes.interval", "_new_IntervalIndex")
    add("call", "pandas.core.indexes.period", "_new_PeriodIndex")
    add("call", "pandas._libs.internals", "_unpickle_block")
    add("call", "pandas._libs.tslibs.timestamps", "_unpickle_timestamp")
    add("call", "pandas._libs.tslibs.timedeltas", "_timedelta_unpickle")
    add("call", "pandas._libs.tslibs.nattype", "_nat_unpickle")
    add("call", "pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked")
    add("call", "pandas._libs.missing", "NAType")
    add("call", "pandas._libs.tslibs.period", "Period")
    add("call,new", "pandas.core.arrays.string_", "StringDtype")


def python2():
    for (m, n), (m3, n3) in sorted(_compat_pickle.NAME_MAPPING.items()):
        yield f"python2 {m}:{n} {m3}:{n3}"
    for m, m3 in sorted(_compat_pickle.IMPORT_MAPPING.items()):
        yield f"python2 {m} {m3}"


def main():
    for part in (torch_names, numpy_names, scipy_names, learners, pandas_names):
        part()
    print("# Written by bench/scanner/vetted.py from Python", sys.version.split()[0], "with", end="")
    for lib in ("torch", "numpy", "scipy", "sklearn", "xgboost", "lightgbm", "pandas", "joblib"):
        print("", lib, importlib.import_module(lib).__version__.split("+")[0], end="")
    print(". See rules.go for the form of a line.")
    for (flags, module), names in sorted(vet.items(), key=lambda kv: (kv[0][1], kv[0][0])):
        print("vet", flags, module, *sorted(names))
    print(*python2(), sep="\n")


main()
