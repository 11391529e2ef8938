"""Scorecards as their libraries export them, and the scores that these give.

Recorded with scorecardpy 0.1.9.7, optbinning 1.0.0 and toad (where it is
installed, in an environment of its own), pandas, scikit-learn:

    python make_cards.py scorecardpy OUT.json
    python make_cards.py optbinning OUT.json
    python make_cards.py toad OUT.json

OUT.json is a list of {"card": CSV, "columns": [...], "rows": [[...]], "scores": [...]}.
Values of a row are numbers, text or null (missing). Rows hold every bound
itself and values close to it.
"""
import json
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")


def data(seed, n=1500):
    r = np.random.default_rng(seed)
    d = pd.DataFrame({
        "age": r.integers(18, 75, n).astype(float),
        "amount": np.round(r.lognormal(8, 0.8, n), 1),
        "rate": np.round(r.random(n), 3),
        "housing": r.choice(["own", "rent", "for free, with parents"], n, p=[0.5, 0.3, 0.2]),
        "purpose": r.choice(["car (new)", "car (used)", "radio/tv", "education", "repairs", "other's"], n),
    })
    z = 0.04 * (40 - d.age) + 0.0004 * (d.amount - 3000) + 2 * (d.rate - 0.5) + (d.housing == "rent") - 0.8 * (d.purpose == "car (used)")
    d["bad"] = (r.random(n) < 1 / (1 + np.exp(1 - z))).astype(int)
    for c in ["age", "rate", "purpose"]:
        d.loc[r.random(n) < 0.06, c] = np.nan
    return d


def probe_rows(d, bounds, seed, beside=(0, -0.01, 0.01)):
    """150 rows of the data, and rows that hold every bound and its neighbours."""
    r = np.random.default_rng(seed)
    t = d.drop(columns="bad").sample(150, random_state=seed).reset_index(drop=True)
    extra = []
    for name, values in bounds.items():
        for v in values:
            for w in beside:
                row = t.iloc[int(r.integers(len(t)))].copy()
                row[name] = v + w
                extra.append(row)
    return pd.concat([t, pd.DataFrame(extra)], ignore_index=True).astype(t.dtypes)


def entry(card, t, scores):
    rows = [[None if pd.isnull(v) else v for v in row] for row in t.values.tolist()]
    return {"card": card, "columns": list(t.columns), "rows": rows, "scores": [float(s) for s in scores]}


def run_scorecardpy(seed):
    import scorecardpy as sc
    d = data(seed).astype({"housing": object, "purpose": object})
    # 0.1.9.7 scores codes by the intervals where they are no integers, or stand beside a bin of missing values.
    special = {"amount": [2500]} if seed % 2 else None
    if special:
        d.loc[d.index % 9 == 0, "amount"] = 2500
        d["amount"] = d["amount"].astype(int)
    bins = sc.woebin(d, "bad", special_values=special, no_cores=1, print_info=False)
    w = sc.woebin_ply(d, bins, no_cores=1)
    lr = LogisticRegression(C=0.9).fit(w.drop(columns="bad"), w["bad"])
    card = sc.scorecard(bins, lr, w.drop(columns="bad").columns, basepoints_eq0=seed % 4 == 3)
    table = pd.concat(card, ignore_index=True)
    bounds = {k: [float(b) for b in v["breaks"] if b not in ("missing", "inf") and "%" not in b] for k, v in bins.items() if k in ("age", "amount", "rate")}
    t = probe_rows(d, bounds, seed)
    return entry(table.to_csv(index=seed % 2 == 0), t, sc.scorecard_ply(t, card)["score"])


def run_optbinning(seed):
    from optbinning import BinningProcess, Scorecard
    d = data(seed)
    x = d.drop(columns="bad")
    names = list(x.columns)
    p = BinningProcess(names, categorical_variables=["housing", "purpose"])
    s = Scorecard(p, LogisticRegression(C=0.9), scaling_method="pdo_odds", scaling_method_params={"pdo": 20, "odds": 50, "scorecard_points": 600}, rounding=seed % 2 == 0)
    s.fit(x, d["bad"].values, show_digits=6)
    bounds = {k: [float(v) for v in s.binning_process_.get_binned_variable(k).splits] for k in ("age", "amount", "rate")}
    t = probe_rows(d, bounds, seed, (-0.01, 0.01))  # the table rounds the bounds
    return entry(s.table(style="detailed" if seed % 3 == 0 else "summary").to_csv(), t, s.score(t))


def run_toad(seed):
    import toad
    d = data(seed)
    c = toad.transform.Combiner()
    c.fit(d, y="bad", method=["chi", "dt"][seed % 2], min_samples=0.05, empty_separate=seed % 3 > 0)
    w = toad.transform.WOETransformer()
    x = w.fit_transform(c.transform(d), d["bad"], exclude=["bad"])
    s = toad.ScoreCard(combiner=c, transer=w)
    s.fit(x.drop(columns="bad"), d["bad"])
    table = s.export(to_frame=True)
    s = toad.ScoreCard().load({n: dict(zip(g["value"], g["score"])) for n, g in table.groupby("name", sort=False)})
    bounds = {k: [float(v) for v in c[k] if not np.isnan(v)] for k in ("age", "amount", "rate")}
    t = probe_rows(d, bounds, seed)
    return entry(table.to_csv(index=seed % 2 == 0), t, s.predict(t))


if __name__ == "__main__":
    make = {"scorecardpy": run_scorecardpy, "optbinning": run_optbinning, "toad": run_toad}[sys.argv[1]]
    with open(sys.argv[2], "w") as f:
        json.dump([make(seed) for seed in range(6)], f)
