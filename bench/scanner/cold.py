"""Scanning a file of arrays against reading it, cold and warm: python cold.py ASSIZE [FILE...]

Cold is what users meet with a model larger than memory: before each run the file's pages are
dropped from the system's cache (posix_fadvise, Linux). Reading is `cat`, digesting `openssl
dgst -sha256`; five rounds of all commands in turn, medians. Without FILE a safetensors file of
1 GiB is made. "from disk" is what the system counted, so that a cache that stayed warm shows.
"""
import json, os, pathlib, statistics, struct, subprocess, sys, tempfile, time

ROUNDS = 5


def make(path, size=1 << 30):
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header)
        for _ in range(size >> 20):
            f.write(os.urandom(1 << 20))


def cool(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def run(command):
    start = time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, use = os.wait4(p.pid, 0)
    return time.monotonic() - start, use.ru_utime, use.ru_stime, use.ru_inblock * 512 / 1e6, use.ru_maxrss / 1024


with tempfile.TemporaryDirectory(dir=".") as d:
    assize, files = pathlib.Path(sys.argv[1]).resolve(), [pathlib.Path(f) for f in sys.argv[2:]]
    if not files:
        files = [pathlib.Path(d) / "a.safetensors"]
        make(files[0])
    for f in files:
        size = f.stat().st_size / 1e6
        jobs = {"read": ["cat", f], "digest": ["openssl", "dgst", "-sha256", f], "scan": [assize, "scan", f], "scan --no-digest": [assize, "scan", "--no-digest", f]}
        seen = {(cold, name): [] for cold in (True, False) for name in jobs}
        for _ in range(ROUNDS):
            for cold, name in seen:
                if cold:
                    cool(f)
                elif name == "read":
                    run(jobs[name])  # the last cold run may have read little
                seen[cold, name].append(run(jobs[name]))
        for cold in (True, False):
            read = [r[0] for r in seen[cold, "read"]]
            for name in jobs:
                wall, user, system, disk, mib = (statistics.median(c) for c in zip(*seen[cold, name]))
                share = statistics.median(a / b[0] for a, b in zip(read, seen[cold, name]))
                print(f"{f.name}, {'cold' if cold else 'warm'}, {name}: {wall:.2f} s, {size / wall:.0f} MB/s, {share:.2f} of reading, {user:.2f} s user, {system:.2f} s system, {disk:.0f} MB from disk, {mib:.0f} MiB")
