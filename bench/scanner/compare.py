"""Compares scanners on labelled files: python compare.py ASSIZE ATTACKS RANDOM BENIGN [PEERS]

ATTACKS and RANDOM are folders with labels.tsv, BENIGN one with files that do no harm,
PEERS the folder of the programs picklescan, modelscan and fickling.
"""
import collections, json, pathlib, subprocess, sys

assize, attacks, rand, benign = (pathlib.Path(a).resolve() for a in sys.argv[1:5])
peers = pathlib.Path(sys.argv[5]).resolve() if len(sys.argv) > 5 else None


def labels(folder):
    for line in open(folder / "labels.tsv"):
        path, events = line.rstrip("\n").split("\t")
        yield path, bool(events)


def ours(folder):
    r = subprocess.run([assize, "scan", "--format", "json", folder], capture_output=True, text=True)
    return {f["path"]: f["outcome"] for f in json.loads(r.stdout)["files"] if "!" not in f["path"]}


def theirs(paths):
    """What the peers say of each file: "clean", "flagged", "error" or "not scanned"."""
    r = subprocess.run([peers / "python", pathlib.Path(__file__).with_name("peers.py")], input="\n".join(paths), capture_output=True, text=True, check=True)
    counts = collections.defaultdict(collections.Counter)
    for line in r.stdout.splitlines():
        if line.startswith("RESULT\t"):
            _, tool, said, _ = line.split("\t")
            counts[tool][said] += 1
    return counts


bad = 0
for name, folder in (("attacks", attacks), ("random", rand)):
    found, counts = ours(folder), collections.Counter()
    for path, runs in labels(folder):
        counts[runs, found[path]] += 1
        if runs and found[path] == "clean":
            bad += 1
            print("executes and is called clean:", path)
    total = sum(n for (runs, _), n in counts.items() if runs)
    hit = counts[True, "malicious"] + counts[True, "dangerous"]
    print(f"{name}: {total} execute, {hit} of them malicious or dangerous ({100 * hit / total:.1f} %)", dict(sorted(((f"{'executes' if r else 'quiet'}, {o}", n) for (r, o), n in counts.items()))))
print("benign:", dict(collections.Counter(ours(benign).values())))
if peers:
    for what, paths in (("executing", [p for p, runs in labels(attacks) if runs]), ("benign", sorted(map(str, benign.iterdir())))):
        for tool, said in theirs(paths).items():
            print(tool, what, dict(said))
sys.exit(bad > 0)
