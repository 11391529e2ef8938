# Records what reference implementations answer, for the tests of this package:
#
#   pip install scipy==1.17.1 scikit-learn==1.9.1 numpy==2.4.6
#   python reference.py > reference.json
#
# The data is synthetic, with ties, and weighted rows stand for resamples.
import json

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.stats import _ksstats
from sklearn import metrics as m

rng = np.random.default_rng(20221012)
out = {"made_with": f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"}

out["proportions"] = []
for n in [1, 7, 50, 999, 20000, 1000000]:
    for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        for c in [0.8, 0.95, 0.999]:
            test = stats.binomtest(k, n)
            exact, wilson = test.proportion_ci(c, "exact"), test.proportion_ci(c, "wilson")
            out["proportions"].append(dict(
                k=k, n=n, confidence=c, exact=list(map(float, exact)), wilson=list(map(float, wilson)),
                lower=float(stats.binomtest(k, n, alternative="greater").proportion_ci(c, "exact").low),
                upper=float(stats.binomtest(k, n, alternative="less").proportion_ci(c, "exact").high)))

out["mcnemar"] = [dict(b=b, c=c, p=float(stats.binomtest(b, b + c).pvalue))
                  for b, c in [(1, 0), (6, 16), (1, 7), (20, 20), (0, 30), (250, 301), (12, 2)]]

out["kolmogorov"] = [dict(n=n, d=d, p=float(stats.kstwo.sf(d, n)))
                     for n in [5, 20, 100, 140] for d in [0.02, 0.08, 0.15, 0.3, 0.6, 0.95]]
out["kolmogorov"] += [dict(n=n, d=z / n ** 0.5, p=float(stats.kstwo.sf(z / n ** 0.5, n)))
                      for n in [3333, 50000] for z in [0.2, 0.4, 0.7, 1.0, 1.4, 1.9, 2.1, 3, 6]]
# Between 141 and 500 SciPy's answer is an expansion; its exact method is recorded.
out["kolmogorov"] += [dict(n=n, d=z / n ** 0.5, p=float(1 - _ksstats._kolmogn_DMTW(n, z / n ** 0.5)))
                      for n in [141, 500] for z in [0.2, 0.4, 0.7, 1.0, 1.4, 1.9]]


def ece(confidence, hit, weights, bins=15):
    which = np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    total = 0.0
    for b in range(bins):
        w = weights[which == b]
        if w.sum():
            total += w.sum() / weights.sum() * abs(np.average(confidence[which == b], weights=w) - np.average(hit[which == b], weights=w))
    return total


def binary(n, weights):
    y = rng.integers(0, 2, n)
    score = np.clip(np.round(rng.normal(0.4 + 0.2 * y, 0.2), 2), 0, 1)
    w = weights(n)
    fpr, tpr, thresholds = m.roc_curve(y, score, sample_weight=None, drop_intermediate=False)
    ks = max(abs(np.array(m.roc_curve(y, score, sample_weight=w)[1]) - m.roc_curve(y, score, sample_weight=w)[0]))
    return dict(
        y=y.tolist(), score=score.tolist(), weights=w.tolist(),
        auc=m.roc_auc_score(y, score, sample_weight=w), average_precision=m.average_precision_score(y, score, sample_weight=w),
        brier=m.brier_score_loss(y, score, sample_weight=w), ks=float(ks),
        ks_2samp=float(stats.ks_2samp(score[y == 1], score[y == 0]).statistic),
        ece=float(ece(score, y, w)), fpr=fpr.tolist(), tpr=tpr.tolist(), thresholds=thresholds.tolist()[1:])


def multi(n, k, weights):
    y = rng.integers(0, k, n)
    p = rng.dirichlet(np.ones(k) * 2, n) + 0.4 * np.eye(k)[y]
    p = p / p.sum(axis=1, keepdims=True)
    w, predicted = weights(n), p.argmax(axis=1)
    per = lambda f, **a: f(y, predicted, sample_weight=w, average=None, **a).tolist()
    confusion = m.confusion_matrix(y, predicted, sample_weight=w)
    return dict(
        classes=k, y=y.tolist(), probabilities=p.ravel().tolist(), weights=w.tolist(), confusion=confusion.tolist(),
        accuracy=m.accuracy_score(y, predicted, sample_weight=w), balanced_accuracy=m.balanced_accuracy_score(y, predicted, sample_weight=w),
        mcc=m.matthews_corrcoef(y, predicted, sample_weight=w), kappa=m.cohen_kappa_score(y, predicted, sample_weight=w),
        precision=per(m.precision_score), recall=per(m.recall_score), f1=per(m.f1_score), f_half=per(m.fbeta_score, beta=0.5),
        specificity=[m.recall_score(y != c, predicted != c, sample_weight=w) for c in range(k)],
        kl=float(stats.entropy(confusion.sum(axis=1), confusion.sum(axis=0))),
        log_loss=m.log_loss(y, p, sample_weight=w), brier=m.brier_score_loss(y, p, sample_weight=w, scale_by_half=False),
        auc_macro=float(np.mean([m.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in range(k)])),
        ece=float(ece(p.max(axis=1), predicted == y, w)))


ones = lambda n: np.ones(n, dtype=int)
drawn = lambda n: np.bincount(rng.integers(0, n, n), minlength=n)
out["binary"] = [binary(60, ones), binary(90, drawn)]
out["multi"] = [multi(80, 4, ones), multi(120, 3, drawn)]

x = rng.exponential(1, 40)
spread = lambda v, axis: np.std(v, axis=axis)
first = stats.bootstrap((x,), spread, n_resamples=199, method="percentile", rng=1)
out["bootstrap"] = dict(x=x.tolist(), replicates=first.bootstrap_distribution.tolist())
for method in ["percentile", "basic", "BCa"]:
    r = stats.bootstrap((x,), spread, n_resamples=0, bootstrap_result=first, method=method, confidence_level=0.9)
    out["bootstrap"][method] = list(map(float, r.confidence_interval))

v = np.round(rng.normal(0, 3, 57), 1)
out["quantiles"] = dict(values=v.tolist(), cases=[])
for p in [0.1, 0.5, 0.9, 0.99]:
    for c in [0.8, 0.95]:
        interval = stats.quantile_test(v, p=p).confidence_interval(c)
        out["quantiles"]["cases"].append(dict(
            p=p, confidence=c, quantile=float(np.quantile(v, p)),
            interval=[None if np.isnan(e) or np.isinf(e) else float(e) for e in interval]))

a, b = np.round(rng.normal(0, 1, 150), 1), np.round(rng.normal(0.3, 1.2, 70), 1)
t = stats.ks_2samp(a, b, method="asymp")
edges = np.unique(np.quantile(a, np.linspace(0, 1, 11)))
edges[0], edges[-1] = -np.inf, np.inf
r, s = (np.maximum(np.histogram(v, edges)[0] / len(v), 1e-4) for v in (a, b))
out["drift"] = dict(a=a.tolist(), b=b.tolist(), ks=float(t.statistic), p=float(t.pvalue), bins=len(edges) - 1,
                    psi=float(((s - r) * np.log(s / r)).sum()), wasserstein=float(stats.wasserstein_distance(a, b)))

print(json.dumps(out))
