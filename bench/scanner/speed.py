"""Times scanners side by side: python speed.py ASSIZE PEERS

An operation-dense pickle of 80 MB for us and of a tenth for picklescan, and 400 MB of
numbers in an npy and a joblib file, three rounds in turn, one core each.
"""
import os, pathlib, pickle, resource, statistics, subprocess, sys, tempfile, time

if sys.argv[1] == "--make":  # in a process of its own, so that the memory that this takes is not counted for others
    import joblib, numpy as np
    d = pathlib.Path(sys.argv[2])
    rows = [{"id": i, "name": f"n{i}", "pos": (i, i / 2, None), "tags": ["a", "b", str(i)], "ok": i % 2 == 0} for i in range(1_250_000)]
    (d / "dense.pkl").write_bytes(pickle.dumps(rows, 4))
    (d / "tenth.pkl").write_bytes(pickle.dumps(rows[:125_000], 4))
    x = np.random.default_rng(1).random(50_000_000)
    np.save(d / "x.npy", x)
    joblib.dump({"x": x}, d / "x.joblib")
    sys.exit()

assize, peers = (pathlib.Path(a).resolve() for a in sys.argv[1:3])


def run(*command):
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    _, _, use = os.wait4(p.pid, 0)
    return time.monotonic() - start, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024


with tempfile.TemporaryDirectory() as d:
    d = pathlib.Path(d)
    subprocess.run([sys.executable, __file__, "--make", d], check=True)
    jobs = {"assize dense.pkl": (assize, "scan", d / "dense.pkl"), "picklescan tenth.pkl": (peers / "picklescan", "-p", d / "tenth.pkl"), "assize x.npy": (assize, "scan", d / "x.npy"), "assize x.joblib": (assize, "scan", d / "x.joblib"), "cat x.npy": ("cat", d / "x.npy"), "sha256sum x.npy": ("sha256sum", d / "x.npy")}
    seen = {k: [] for k in jobs}
    for _ in range(3):
        for k, command in jobs.items():
            seen[k].append(run(*command))
    for k, all in seen.items():
        size = (d / k.split()[1]).stat().st_size / 1e6
        wall, cpu, mib = (statistics.median(c) for c in zip(*all))
        print(f"{k}: {size:.0f} MB, {wall:.2f} s, {cpu:.2f} s of processor, {size / wall:.1f} MB/s, {size / cpu:.1f} MB per processor second, {mib:.0f} MiB")
