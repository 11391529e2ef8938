"""Writes records/operations-2026-11.jsonl: four weeks of an operating log, invented, for the applications of test.csv.

The probabilities are those of served.csv and the decisions follow from them by the thresholds of assize.yaml; the
times, officers and outcomes are drawn at random from a seed. Needs Python 3.9 or later and nothing else.

    python operations.py
"""

import csv
import datetime as dt
import hashlib
import json
import pathlib
import random

SEED = 11
REFER_FROM, CUTOFF = 0.15, 0.25
BEGIN, END = dt.datetime(2026, 10, 20, 5), dt.datetime(2026, 11, 15, 23)  # UTC
SUMMER_ENDS = dt.datetime(2026, 10, 25, 1)


def office(rng, moment):
    """Returns moment, or the next one on a weekday between 7:00 and 16:00 UTC."""
    while moment.weekday() >= 5 or not 7 <= moment.hour < 16:
        moment += dt.timedelta(minutes=rng.randrange(20, 90))
    return moment


def events(folder):
    """Yields (time, event, fields)."""
    rng = random.Random(SEED)
    model = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()[:12]
    yield BEGIN, "service_started", {"version": "1.0.0", "model": model}
    stop = dt.datetime(2026, 11, 4, 21, 3)
    yield stop, "service_stopped", {"reason": "maintenance", "operator": "operator-02"}
    yield stop + dt.timedelta(minutes=22), "service_started", {"version": "1.0.0", "model": model}
    moment = BEGIN + dt.timedelta(minutes=4)
    while moment < END:
        yield moment, "health_check", {"ok": True, "queue": rng.randrange(4)}
        moment += dt.timedelta(hours=6, seconds=rng.randrange(-40, 40))
    for week in range(4):
        yield BEGIN + dt.timedelta(days=7 * week, hours=5, minutes=1), "drift_check", {"psi": round(rng.uniform(0.01, 0.07), 3), "alarm": False}
    with open(folder / "served.csv", newline="") as f:
        served = [float(row["probability"]) for row in csv.DictReader(f)]
    moment = BEGIN + dt.timedelta(hours=3)
    for number, p in enumerate(served):
        moment = office(rng, moment + dt.timedelta(minutes=rng.expovariate(1 / 140)))
        if moment > END - dt.timedelta(days=4):
            return
        case = f"A-2026-{number + 1:05d}"
        if rng.random() < 0.04:  # typed wrongly: range-check refuses it, and it comes again
            yield moment, "input_refused", {"application": case, "by": "range-check", "field": rng.choice(["amount", "duration_months"])}
            moment += dt.timedelta(minutes=3)
        if p < REFER_FROM:
            yield moment, "decision_accept", {"application": case, "score": round(p, 2)}
            yield moment + dt.timedelta(minutes=rng.randrange(2, 9)), "offer_sent", {"application": case}
            continue
        refer = p < CUTOFF
        yield moment, "decision_refer" if refer else "decision_refuse", {"application": case, "score": round(p, 2)}
        # Officers work off what is referred within a day, and look at every refusal before it goes out.
        due = 20 if refer else 40
        looked = office(rng, moment + dt.timedelta(minutes=rng.randrange(15, 60 * due // 4)))
        if looked - moment > dt.timedelta(hours=due):  # over a weekend somebody is on duty
            looked = moment + dt.timedelta(hours=rng.uniform(2, due))
        accepts = rng.random() < (0.6 if refer else 0.05)
        outcome = "accept" if accepts else "refuse"
        yield looked, "human_decision", {"application": case, "officer": f"officer-{rng.randrange(1, 6):02d}", "outcome": outcome, "override": not refer and accepts}
        sent = looked + dt.timedelta(minutes=rng.randrange(5, 300))
        yield sent, "offer_sent" if accepts else "refusal_sent", {"application": case}


def main():
    folder = pathlib.Path(__file__).parent
    before, text = "", ""
    for n, (moment, event, fields) in enumerate(sorted(events(folder), key=lambda e: e[0]), 1):
        zone = dt.timezone(dt.timedelta(hours=2 if moment < SUMMER_ENDS else 1))
        local = moment.replace(microsecond=0, tzinfo=dt.timezone.utc).astimezone(zone)
        line = json.dumps({"time": local.isoformat(), "id": f"op-{n:06d}", "event": event, **fields, "before": before}, separators=(",", ":"))
        before = hashlib.sha256(line.encode()).hexdigest()
        text += line + "\n"
    path = folder / "records" / "operations-2026-11.jsonl"
    path.write_bytes(text.encode())
    print(path.name, n, "entries, sha256", hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
