"""Says what files do when they are loaded: python oracle.py LIST, a line "loader<TAB>path" each.

For each line it prints "path<TAB>events", events separated by spaces, none where
nothing happens. Each file is loaded in a child of its own with the libraries
imported before and CPython's audit hooks on, so that what is seen is what the
file did. For tests alone: the files must be known to do no harm.
"""
import os, resource, sys, warnings

import joblib, numpy, pickle, torch  # noqa: F401 before the hook, so that their imports are not the file's

warnings.filterwarnings("ignore")
WATCHED = ("os.", "subprocess.", "socket.", "ctypes.", "shutil.", "sqlite3.", "tempfile.", "marshal.loads", "code.__new__", "pty.", "urllib.", "smtplib.", "ftplib.",
           "http.", "poplib.", "imaplib.", "telnetlib.", "nntplib.", "webbrowser.", "mmap.", "glob.", "exec", "compile", "assize.", "function.__new__", "object.__getattr__", "builtins.input", "setopencodehook", "sys._getframe", "sys.settrace", "sys.setprofile", "signal.")
QUIET = ("os.listdir", "os.scandir", "os.putenv.", "object.__getattr__", "sys._getframe", "mmap.__new__")


def load(loader, path):
    if loader == "pickle":
        with open(path, "rb") as f:
            pickle.load(f)
    elif loader == "pickle-py":
        with open(path, "rb") as f:
            pickle._Unpickler(f).load()
    elif loader == "several":
        with open(path, "rb") as f:
            while f.peek(1):
                pickle.load(f)
    elif loader == "skip":  # finds the next pickle as tools that carve files do
        b = open(path, "rb").read()
        pickle.loads(b[b.rindex(b"\x80\x04"):])
    elif loader == "joblib":
        joblib.load(path)
    elif loader == "torch":
        torch.load(path, weights_only=False)
    elif loader == "numpy":
        x = numpy.load(path, allow_pickle=True)
        if hasattr(x, "files"):
            [x[k] for k in x.files]
    elif loader == "nested":  # what an application does with bytes that it finds in its settings
        v = pickle.load(open(path, "rb"))
        pickle.loads(v if isinstance(v, bytes) else __import__("base64").b64decode(v))


def child(loader, path, pipe):
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    on, seen = [False], set()

    def hook(event, args):
        if not on[0]:
            return
        if event == "open" and args and args[0] != path and (isinstance(args[1], str) and set(args[1]) & set("wax+") or isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            seen.add("open-write")
        elif event == "open" and args and isinstance(args[0], str) and args[0] != path and not args[0].endswith((".py", ".pyc", ".so")):
            seen.add("open-read")
        elif event == "import" and str(args[0]) in ("this", "antigravity"):
            seen.add("import")
        elif event.startswith(WATCHED) and not event.startswith(QUIET):
            if event in ("exec", "compile", "marshal.loads") and any(frame_of_import()):
                return
            seen.add(event)
        if event.startswith(("os.system", "os.exec", "os.posix_spawn", "subprocess.", "os.fork", "pty.spawn")) and event not in seen:
            seen.add(event)
        os.pwrite(pipe, (" ".join(sorted(seen)) + "\n").ljust(4096).encode()[:4096], 0)

    def frame_of_import():
        f = sys._getframe(2)
        while f:
            yield f.f_code.co_filename.startswith("<frozen importlib")
            f = f.f_back

    sys.addaudithook(hook)
    on[0] = True
    try:
        load(loader, path)
    except BaseException:
        pass
    on[0] = False
    os._exit(0)


def main():
    import tempfile
    for line in open(sys.argv[1]):
        loader, path = line.rstrip("\n").split("\t")
        with tempfile.TemporaryFile() as t:
            pid = os.fork()
            if pid == 0:
                child(loader, path, t.fileno())
            os.waitpid(pid, 0)
            t.seek(0)
            print(path, t.read(4096).decode().strip(), sep="\t", flush=True)


main()
