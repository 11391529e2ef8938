"""Trains the credit example and writes model.onnx, train.csv, test.csv and served.csv.

The data are German Credit as Debian's package r-cran-caret carries them. Run inside this folder, on Debian or
Ubuntu (apt-get download, dpkg-deb), after `pip install -r requirements.txt`; or name the data file yourself:

    python train.py [GermanCredit.RData]
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import rdata
import xgboost as xgb
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from scipy.stats import beta
from sklearn.metrics import confusion_matrix, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

SHA256 = "177356bb474439655c700693159767ae5694a4c9709ae13c262bee56c1ea4bbe"
SEED = 7

# Costs in units of the interest lost when a good applicant is refused: five for a default that was accepted (the
# cost matrix published with the data), and three quarters for a review by a credit officer. An application is
# referred when that is cheaper than either automatic answer (Chow 1970): accepting costs 5p, refusing costs 1 - p.
DEFAULT_COST, REVIEW_COST = 5.0, 0.75
REFER_FROM, CUTOFF = REVIEW_COST / DEFAULT_COST, 1 - REVIEW_COST  # 0.15 and 0.25

# The risk may only rise with the duration, and only fall with a better account, history, savings or employment.
MONOTONE = {"duration_months": 1, "checking": -1, "history": -1, "savings": -1, "employment": -1}


def load(path):
    """Returns the table of the package, which is fetched unless path names a copy."""
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            subprocess.run(["apt-get", "download", "r-cran-caret"], cwd=folder, check=True)
            deb = next(pathlib.Path(folder).glob("*.deb"))
            subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
            path = f"{folder}/usr/lib/R/site-library/caret/data/GermanCredit.RData"
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        if digest != SHA256:
            sys.exit(f"{path}: digest {digest}, want {SHA256}")
        return rdata.read_rda(path)["GermanCredit"]


def prepare(raw):
    """Returns the inputs, one column a feature, and the label. The names of the levels in the package follow the
    code table of 1994; the meaning of each level here follows the corrected table (see README.md)."""

    def level(prefix, *names, first=1):
        return sum((first + i) * raw[f"{prefix}.{name}"] for i, name in enumerate(names))

    def any_of(prefix, *names):
        return sum(raw[f"{prefix}.{name}"] for name in names)

    inputs = pd.DataFrame({
        "duration_months": raw["Duration"],
        "amount": raw["Amount"],
        "instalment_rate": raw["InstallmentRatePercentage"],
        "checking": level("CheckingAccountStatus", "lt.0", "0.to.200", "gt.200", "none"),
        "history": level("CreditHistory", "NoCredit.AllPaid", "ThisBank.AllPaid", "PaidDuly", "Delay", "Critical", first=0),
        "savings": level("SavingsAccountBonds", "lt.100", "100.to.500", "500.to.1000", "gt.1000", "Unknown"),
        "employment": level("EmploymentDuration", "Unemployed", "lt.1", "1.to.4", "4.to.7", "gt.7"),
        "credits_here": raw["NumberExistingCredits"],
        "purpose_other": any_of("Purpose", "NewCar", "Vacation", "Retraining"),
        "purpose_car_new": any_of("Purpose", "UsedCar"),
        "purpose_car_used": any_of("Purpose", "Furniture.Equipment"),
        "purpose_furniture": any_of("Purpose", "Radio.Television"),
        "purpose_household": any_of("Purpose", "DomesticAppliance", "Repairs", "Education"),
        "purpose_business": any_of("Purpose", "Business", "Other"),
        "security_none": any_of("OtherDebtorsGuarantors", "None"),
        "security_co_applicant": any_of("OtherDebtorsGuarantors", "CoApplicant"),
        "security_guarantor": any_of("OtherDebtorsGuarantors", "Guarantor"),
        "plans_bank": any_of("OtherInstallmentPlans", "Bank"),
        "plans_stores": any_of("OtherInstallmentPlans", "Stores"),
        "plans_none": any_of("OtherInstallmentPlans", "None"),
    })
    return inputs.astype(int), (raw["Class"] == "Bad").astype(int).rename("default")


def classifier():
    return xgb.XGBClassifier(
        n_estimators=150, max_depth=3, learning_rate=0.05, subsample=0.7, colsample_bytree=0.6, min_child_weight=3,
        reg_lambda=3, base_score=0.5, monotone_constraints=MONOTONE, tree_method="exact", n_jobs=1, random_state=SEED)


def out_of_fold(model, inputs, label):
    folds = StratifiedKFold(10, shuffle=True, random_state=SEED)
    return cross_val_predict(model, inputs, label, cv=folds, method="predict_proba")[:, 1]


def interval(k, n):
    """The 95 % Clopper-Pearson interval of k out of n."""
    return f"{k}/{n} = {k / n:.3f} [{beta.ppf(0.025, k, n - k + 1):.3f}, {beta.ppf(0.975, k + 1, n - k):.3f}]"


def describe(title, label, p):
    """Prints discrimination, calibration and the decisions at the cut-off."""
    (tn, fp), (fn, tp) = confusion_matrix(label, p >= CUTOFF)
    hits = np.random.default_rng(SEED)
    draws = [hits.binomial(tp + fn, tp / (tp + fn)) / (tp + fn) / 2 + hits.binomial(tn + fp, tn / (tn + fp)) / (tn + fp) / 2
             for _ in range(10000)]
    print(f"{title}: n {len(label)}, base rate {label.mean():.3f}, mean probability {p.mean():.3f}, "
          f"AUC {roc_auc_score(label, p):.3f}, log loss {log_loss(label, p):.3f}")
    print(f"  cut-off {CUTOFF}: tn {tn} fp {fp} fn {fn} tp {tp}; accuracy {interval(tn + tp, len(label))}")
    print(f"  sensitivity {interval(tp, tp + fn)}, specificity {interval(tn, tn + fp)}")
    print(f"  balanced accuracy {np.mean([tp / (tp + fn), tn / (tn + fp)]):.3f} "
          f"[{np.quantile(draws, 0.025):.3f}, {np.quantile(draws, 0.975):.3f}] (bootstrap in each class)")
    print(f"  accepted {np.mean(p < REFER_FROM):.3f}, referred {np.mean((p >= REFER_FROM) & (p < CUTOFF)):.3f}, "
          f"refused {np.mean(p >= CUTOFF):.3f}")


def main():
    raw = load(sys.argv[1] if len(sys.argv) > 1 else None)
    inputs, label = prepare(raw)
    features = pd.read_csv("features.csv").set_index("name")
    inputs = inputs[list(features.index)]
    x_train, x_test, y_train, y_test = train_test_split(inputs, label, test_size=400, stratify=label, random_state=SEED)
    for name, x, y in ("train", x_train, y_train), ("test", x_test, y_test):
        x.assign(default=y).to_csv(f"{name}.csv", index=False, lineterminator="\r\n")
        outside = ((x < features["min"]) | (x > features["max"])).any(axis=1).sum()
        print(f"{name}: {len(x)} rows, {outside} outside the declared ranges")

    model = classifier().fit(x_train, y_train)
    served = model.predict_proba(x_test)[:, 1]
    pd.Series([repr(float(p)) for p in served], name="probability").to_csv("served.csv", index=False, lineterminator="\r\n")
    describe("train, out of fold", y_train, out_of_fold(classifier(), x_train, y_train))
    describe("test", y_test, served)

    # Shapes stay free in the batch; the converter knows features by position only.
    model.get_booster().feature_names = None
    graph = convert_xgboost(model, name="credit", initial_types=[("input", FloatTensorType([None, len(features)]))], target_opset=15)
    onnx.checker.check_model(graph)
    onnx.save(graph, "model.onnx")
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    _, probabilities = session.run(["label", "probabilities"], {"input": x_test.to_numpy(np.float32)})
    p = probabilities[:, 1]
    print(f"parity: largest difference {np.abs(p - served).max():.2e}, "
          f"disagreements {int(((p >= CUTOFF) != (served >= CUTOFF)).sum())} at the cut-off, "
          f"{int(((p >= REFER_FROM) != (served >= REFER_FROM)).sum())} at the refer band; "
          f"nearest to a threshold {min(np.abs(served - t).min() for t in (CUTOFF, REFER_FROM)):.1e}")
    print("graph:", [(n.op_type, n.domain) for n in graph.graph.node], [o.name for o in graph.graph.output])

    # How much the inputs still say about what was left out: 0.5 is nothing.
    protected = {"under 26 years": raw["Age"] < 26,
                 "woman not single, or man single": raw["Personal.Female.NotSingle"] == 1,
                 "foreign worker by the corrected table": raw["ForeignWorker"] == 0}
    for name, group in protected.items():
        group = group.astype(int)
        tree = xgb.XGBClassifier(n_estimators=100, max_depth=3, learning_rate=0.05, n_jobs=1, random_state=SEED)
        refused = served >= CUTOFF
        inside = group.loc[y_test.index] == 1
        print(f"{name}: {group.sum()} rows, recovered from the inputs with AUC {roc_auc_score(group, out_of_fold(tree, inputs, group)):.3f}; "
              f"refused in the test set {refused[inside].mean():.3f} (n {inside.sum()}) against {refused[~inside].mean():.3f}")
    for name in "model.onnx", "train.csv", "test.csv", "served.csv":
        data = pathlib.Path(name).read_bytes()
        print(f"{name}: {len(data)} bytes, sha256:{hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
