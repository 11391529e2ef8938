"""Writes random pickles and what they do: python grammar.py COUNT SEED FOLDER

Programs are built by a grammar that keeps track of the stack, so that most of them
run far, and one in four is then damaged. Each is loaded by CPython's two unpicklers in
a child with audit hooks on; FOLDER/labels.tsv says "path<TAB>events". Payloads do nothing.
"""
import os, pathlib, pickle, random, resource, struct, sys, warnings

import _codecs, collections, copyreg, datetime, decimal, functools, operator, types  # noqa: F401 imported before the hook

warnings.filterwarnings("ignore")
count, seed, out = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
out.mkdir(parents=True, exist_ok=True)
R = random.Random(seed)
NAMES = [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"), ("__builtin__", "eval"), ("builtins", "getattr"), ("collections", "OrderedDict"), ("collections", "defaultdict"), ("collections", "Counter"), ("collections", "deque"), ("functools", "partial"), ("functools", "reduce"), ("_codecs", "encode"), ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("builtins", "list"), ("builtins", "set"), ("builtins", "tuple"), ("builtins", "dict"), ("builtins", "bytearray"), ("builtins", "object"), ("builtins", "map"), ("builtins", "str"), ("builtins", "type"), ("datetime", "timedelta"), ("decimal", "Decimal"), ("types", "SimpleNamespace"), ("operator", "attrgetter"), ("operator", "getitem"), ("posixpath", "os.system"), ("pickle", "loads"), ("subprocess", "Popen"), ("builtins", "compile"), ("collections", "_sys.modules"), ("argparse", "Namespace"), ("random", "Random"), ("pathlib", "PurePosixPath")]
TEXT = ["os", "system", "posix", "builtins", "eval", "true", "1+1", "x", "latin1", "__class__", "__globals__", "__setstate__", "append", "collections", "OrderedDict", "getattr", "a", "update", "__init__"]
INNER = b"\x80\x04cos\nsystem\n(\x8c\x04truetR."


class Program:
    def __init__(self):
        self.b, self.depth, self.marks, self.memo, self.top = bytearray(), 0, [], [], []

    def emit(self, code, pops, *pushes):
        self.b += code
        for _ in range(pops):
            if self.top:
                self.top.pop()
        self.top += pushes

    def text(self, s):
        b = s.encode()
        how = R.randrange(6)
        self.emit([b"\x8c" + bytes([len(b)]) + b, b"X" + struct.pack("<I", len(b)) + b, b"V" + "".join(f"\\u{ord(c):04x}" if R.random() < .3 else c for c in s).encode() + b"\n", b"S'" + b + b"'\n", b"U" + bytes([len(b)]) + b, b"\x8d" + struct.pack("<Q", len(b)) + b][how], 0, "s")

    def name(self, which=None):
        m, n = which or R.choice(NAMES)
        how = R.randrange(3)
        if how == 0 or "." in n:
            self.text(m); self.text(n); self.emit(b"\x93", 2, "g")
        elif how == 1:
            self.emit(b"c" + m.encode() + b"\n" + n.encode() + b"\n", 0, "g")
        else:
            self.memoized(lambda: self.text(m)); self.text(n); self.emit(b"\x93", 2, "g")

    def memoized(self, make):
        make()
        how = R.randrange(4)
        if how == 0:
            self.b += b"\x94"
        elif how == 1:
            k = R.randrange(12); self.b += b"q" + bytes([k]); self.memo.append((k, self.top[-1]))
        elif how == 2:
            k = R.randrange(12); self.b += b"p" + str(k).encode() + b"\n"; self.memo.append((k, self.top[-1]))

    def value(self, d=0):
        how = R.randrange(14 if d < 3 else 6)
        if how < 3: self.text(R.choice(TEXT))
        elif how == 3: self.emit(R.choice([b"K\x01", b"J\x02\x00\x00\x00", b"I3\n", b"L4L\n", b"\x8a\x01\x05"]), 0, "i")
        elif how == 4: self.emit(R.choice([b"N", b"\x88", b"]", b"}", b")", b"\x8f", b"F1.5\n"]), 0, "c")
        elif how == 5: self.emit(b"C" + bytes([len(INNER)]) + INNER, 0, "b")
        elif how == 6: self.name()
        elif how == 7 and self.memo:
            k, kind = R.choice(self.memo)
            self.emit(R.choice([b"h" + bytes([k]), b"g" + str(k).encode() + b"\n", b"j" + struct.pack("<I", k)]), 0, kind)
        elif how in (8, 9): self.call(d + 1)
        elif how == 10: self.container(d + 1)
        else: self.memoized(lambda: self.text(R.choice(TEXT)))

    def args(self, d):
        n = R.choice([0, 1, 1, 1, 2, 2, 3])
        if R.random() < .6:
            self.b += b"("
            for _ in range(n): self.value(d)
            self.emit(b"t", n, "t")
        else:
            for _ in range(n): self.value(d)
            self.emit([b")", b"\x85", b"\x86", b"\x87"][n], n, "t")

    def payload(self):
        """Something that runs when nothing before it breaks."""
        m, n, arg = R.choice([("os", "system", "true"), ("posix", "system", "true"), ("builtins", "eval", "1+1"), ("__builtin__", "eval", "1+1"), ("posixpath", "os.system", "true"), ("builtins", "exec", "1+1")])
        how = R.randrange(6)
        if how < 3:
            self.name((m, n)); self.b += b"("; self.text(arg); self.emit(b"t", 1, "t"); self.emit(b"R", 2, "o")
        elif how == 3:
            self.b += b"("; self.name((m, n)); self.text(arg); self.emit(b"o", 2, "o")
        elif how == 4 and "." not in n:
            self.b += b"("; self.text(arg); self.emit(b"i" + m.encode() + b"\n" + n.encode() + b"\n", 1, "o")
        else:
            self.name(("functools", "partial")); self.b += b"("; self.name((m, n)); self.text(arg); self.emit(b"tR", 3, "o"); self.emit(b")R", 1, "o")

    def call(self, d):
        if R.random() < .3:
            return self.payload()
        how = R.randrange(8)
        if how < 4:
            self.name() if R.random() < .8 else self.value(d)
            self.args(d); self.emit(b"R", 2, "o")
        elif how == 4:
            self.b += b"("; self.name(); n = R.randrange(3)
            for _ in range(n): self.value(d)
            self.emit(b"o", n + 1, "o")
        elif how == 5:
            self.b += b"("; n = R.randrange(3)
            for _ in range(n): self.value(d)
            m, nm = R.choice(NAMES); self.emit(b"i" + m.encode() + b"\n" + nm.encode() + b"\n", n, "o")
        elif how == 6:
            self.name(); self.args(d); self.emit(b"\x81", 2, "o")
        else:
            self.name(); self.args(d); self.emit(b"}\x92", 2, "o")
        if R.random() < .25:
            self.value(d); self.emit(b"b", 1)
        if R.random() < .1:
            self.value(d); self.value(d); self.emit(b"s", 2)
        if R.random() < .1:
            self.value(d); self.emit(b"a", 1)

    def container(self, d):
        self.b += b"("; n = R.choice([0, 2, 2, 4])
        for _ in range(n): self.value(d)
        self.emit(R.choice([b"l", b"d", b"t", b"\x91"]), n, "c")

    def build(self):
        if R.random() < .8: self.b += b"\x80" + bytes([R.choice([0, 1, 2, 3, 4, 4, 4, 5])])
        frame = R.random() < .2
        start = len(self.b)
        for _ in range(R.randrange(1, 5)):
            self.value()
            if R.random() < .5: self.emit(R.choice([b"0", b"20", b"2"]), 0)
        self.value()
        self.b += b"."
        if frame:
            n = len(self.b) - start + R.choice([0, 0, 0, -3, 5, 1 << 40])
            self.b[start:start] = b"\x95" + struct.pack("<Q", max(n, 0))
        b = bytes(self.b)
        if R.random() < .25:
            b = bytearray(b)
            for _ in range(R.randrange(1, 3)):
                i = R.randrange(len(b))
                how = R.randrange(3)
                if how == 0: b[i] = R.randrange(256)
                elif how == 1: del b[i]
                else: b[i:i] = bytes([R.choice(b"()]}N0.2tRbaso\x81\x93\x94")])
                if not b: b = bytearray(b"N.")
        return bytes(b)


def events(data):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)); resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2): os.dup2(null, fd)
        watched = ("os.", "subprocess.", "exec", "compile", "socket.", "ctypes.", "shutil.", "marshal.loads", "code.__new__", "tempfile.", "sys.settrace", "function.__new__")
        on = [False]

        def hook(event, args):
            if on[0] and (event.startswith(watched) and event != "os.listdir" or event == "open" and args[0] != os.devnull and not str(args[0]).endswith((".py", ".pyc", ".so"))):
                f = sys._getframe(1)
                while f:
                    if f.f_code.co_filename.startswith("<frozen importlib"): return
                    f = f.f_back
                on[0] = False
                os.write(w, (event + " ").encode())
                on[0] = True

        sys.addaudithook(hook)
        for load in (pickle.loads, pickle._loads):
            on[0] = True
            try:
                load(data)
            except BaseException:
                pass
            on[0] = False
        os._exit(0)
    os.close(w)
    seen = b""
    while chunk := os.read(r, 4096): seen += chunk
    os.close(r); os.waitpid(pid, 0)
    return " ".join(sorted(set(seen.decode().split())))


with open(out / "labels.tsv", "w") as labels:
    for k in range(count):
        p = Program(); data = p.build()
        path = out / f"{k:05d}.bin"; path.write_bytes(data)
        labels.write(f"{path}\t{events(data)}\n")
