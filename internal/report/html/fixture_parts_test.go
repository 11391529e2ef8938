package html_test

import (
	"math"
	"strings"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/result"
)

func exampleObservations(start time.Time) []evidence.Observation {
	both := []string{"range-check", "two-digits"}
	made := func(id, item, probe string, on []string, seconds float64, queries int64, r result.Result) evidence.Observation {
		return evidence.Observation{
			ID: id, Item: item, Probe: probe, Version: 1, Result: r, Inputs: []artefact.Digest{digest("model"), digest("test")},
			Seed: strings.Repeat("0f1e2d3c", 8), SolutionsOn: on, Environment: "e-1", Queries: queries, Seconds: seconds,
			Ended: start.Add(20 * time.Second), Digest: digest(id), RowsFile: "salted:" + digest("rows"+id).Hex(), RowsCount: 200,
		}
	}
	parity := made("o-1", "i-1", "performance/parity", both, 0.21, 250, result.Result{
		State:    result.Measured,
		Metrics:  map[string]result.Metric{"agreement": share(0.992, 0.9714, 0.999, 250), "disagreements": result.Exactly(2, 250, "rows"), "largest_difference": result.Exactly(0.0000021, 250, "score")},
		Validity: []result.Validity{{Check: "enough-rows", OK: true, Note: "250 rows"}},
	})
	classification := made("o-2", "i-2", "performance/classification", both, 1.4, 250, result.Result{
		State: result.Measured,
		Metrics: map[string]result.Metric{
			"accuracy": share(0.716, 0.6557, 0.771, 250), "balanced_accuracy": {Value: 0.6931, Lower: 0.6402, Upper: 0.7466, N: 250, Unit: "share", Method: "bootstrap, BCa", Confidence: 0.95},
			"recall": share(0.64, 0.5215, 0.7477, 75), "precision": share(0.5217, 0.4151, 0.6268, 92), "specificity": share(0.7486, 0.6777, 0.811, 175),
			"f1": score(0.5749, 0.49, 0.6513, 250, "bootstrap, BCa"), "auc": score(0.7712, 0.7061, 0.8363, 250, "DeLong"), "mcc": score(0.3701, 0.2541, 0.4808, 250, "bootstrap, BCa"),
			"log_loss": score(0.5302, 0.4701, 0.6011, 250, "bootstrap, BCa"), "brier_score": score(0.1712, 0.1499, 0.1941, 250, "bootstrap, BCa"),
			"calibration_error": share(0.0512, 0.0311, 0.1104, 250), "ks": score(0.4343, 0.3377, 0.5561, 250, "bootstrap, BCa"),
		},
		Validity: []result.Validity{{Check: "enough-rows", OK: true, Note: "250 rows, 75 of the rarer class"}, {Check: "not-in-training", OK: true, Note: "no test row stands in the training data"}},
		Notes:    []string{"the refer band decides 31 rows; they count as refused here"},
		Pictures: []result.Picture{
			{ID: "confusion", Title: "Confusion matrix", Kind: "matrix", XLabel: "decided", YLabel: "true class", Labels: []string{"paid", "default"}, Cells: [][]float64{{131, 44}, {27, 48}}},
			{ID: "reliability", Title: "Reliability diagram", Kind: "curve", XLabel: "predicted probability of default", YLabel: "observed share", Diagonal: true,
				Series: []result.Series{{Name: "model", X: []float64{0.06, 0.15, 0.25, 0.34, 0.46, 0.55, 0.67, 0.81}, Y: []float64{0.04, 0.17, 0.21, 0.39, 0.44, 0.51, 0.72, 0.77},
					Lower: []float64{0, 0.07, 0.1, 0.22, 0.28, 0.3, 0.48, 0.55}, Upper: []float64{0.13, 0.3, 0.37, 0.58, 0.62, 0.71, 0.89, 0.93}}}},
		},
	})
	attack := func(floor, scale float64, names ...string) result.Picture {
		p := result.Picture{ID: "success", Title: "Rows moved against queries spent", Kind: "curve", XLabel: "queries per row", YLabel: "share of rows moved", LogX: true}
		for k, name := range names {
			s := result.Series{Name: name}
			for _, q := range []float64{1, 3, 10, 30, 100, 200, 400, 700, 1000} {
				y := (floor + scale*math.Log10(q)/3) / float64(k+1)
				s.X, s.Y = append(s.X, q), append(s.Y, y)
				s.Lower, s.Upper = append(s.Lower, max(0, y-0.05)), append(s.Upper, min(1, y+0.05))
			}
			p.Series = append(p.Series, s)
		}
		return p
	}
	on := made("o-3", "i-3", "evasion/hopskipjump", both, 21.4, 181_233, result.Result{
		State:    result.Measured,
		Metrics:  map[string]result.Metric{"robust_accuracy": share(0.388, 0.349, 0.4275, 600), "attack_success": share(0.241, 0.185, 0.3046, 200), "median_distance": {Value: 0.0813, Lower: 0.0712, Upper: 0.0921, N: 48, Unit: "share of range", Method: "order statistics", Confidence: 0.95}},
		Validity: []result.Validity{{Check: "beats-noise", OK: true, Note: "random change moves 2.5 % of the rows"}, {Check: "returned-inputs-differ", OK: true}},
		Notes:    []string{"an attack bounds robustness from above; a stronger one may find more"},
		Pictures: []result.Picture{attack(0.02, 0.22, "hopskipjump", "random noise")},
		Tables: []result.Table{{ID: result.Masking, Title: "What solutions hide from an attack that does not know of them",
			Head: []string{"Solution", "Rows with something to gain", "Resist an attack that does not know of it", "Resist one that does", "Hidden, with 95 % interval", "It"},
			Rows: [][]string{{"range-check", "200", "76.0 %", "75.9 %", "0.1 % [0.0 %, 2.2 %]", "is not shown to hide gradients"}, {"two-digits " + hostile, "200", "89.9 %", "75.9 %", "14.0 % [9.5 %, 19.6 %]", "hides gradients and stops little"}}}},
	})
	on.Parameters = map[string]any{"queries": 1000.0, "norm": "linf", "epsilon": 1.0, "unit": "range"}
	off := made("o-4", "i-4", "evasion/hopskipjump", []string{}, 19.9, 192_001, result.Result{
		State:    result.Measured,
		Metrics:  map[string]result.Metric{"robust_accuracy": share(0.341, 0.3031, 0.3805, 600), "attack_success": share(0.335, 0.27, 0.405, 200)},
		Validity: []result.Validity{{Check: "beats-noise", OK: true}, {Check: "more-queries-help", OK: false, Note: "twice the queries moved 9 more rows of 200: the attack has not levelled off"}},
		Pictures: []result.Picture{attack(0.04, 0.29, "hopskipjump")},
	})
	malformed := made("o-5", "i-5", "availability/malformed", both, 3.2, 4212, result.Result{
		State: result.Measured,
		Metrics: map[string]result.Metric{"crashes": result.Exactly(0, 61, "cases"), "over_limit": result.Exactly(1, 61, "cases"), "non_finite_accepted": result.Exactly(0, 61, "cases"),
			"refused": result.Exactly(44, 61, "cases")},
		Validity: []result.Validity{{Check: "all-cases-ran", OK: true, Note: "61 of 61"}},
		Findings: []result.Finding{
			{Rule: "malformed/huge-batch", Severity: result.High, Where: "model, batch of 4 194 304 rows", What: "The model took more memory than the limit of 1 GiB.", Fix: "Bound the number of rows of a request before the model.", Cites: []string{"AI Act Art. 15(5)"}},
			{Rule: "malformed/denormal", Severity: result.Info, Where: "model " + hostile, What: "Denormal numbers are answered as zero.", Evidence: hostile},
		},
		Pictures: []result.Picture{{ID: "outcomes", Title: "What came of each case", Kind: "bars", YLabel: "cases", Labels: []string{"refused", "answered, finite", "answered, not finite", "over the limit", "crash"},
			Series: []result.Series{{Name: "cases", Y: []float64{44, 16, 0, 1, 0}}}}},
	})
	scan := made("o-6", "i-6", "artefactscan/onnx", []string{}, 600, 0, *result.Unmeasured(result.Failed, "the worker was ended after 600 s"))
	scan.RowsFile, scan.RowsCount = "", 0
	return []evidence.Observation{parity, classification, on, off, malformed, scan}
}

func exampleDecisions(d *dossier.Dossier) []dossier.Decision {
	level := func(v float64) *float64 { return &v }
	metric := func(obs int, name string) *result.Metric { m := d.Observations[obs].Metrics[name]; return &m }
	caveat := []string{"the model under test decides 2 of 250 recorded rows otherwise than the deployed system"}
	return []dossier.Decision{
		{Goal: "parity", Criterion: "default/agreement", SetBy: "default", Decision: dossier.Fail, Because: "disagreements is 2, the level is at most 0", Metric: "disagreements", Compare: "at_most", Level: level(0), Measured: metric(0, "disagreements"), From: []string{"o-1"}, Cites: []string{"AI Act Art. 15(1)"}},
		{Goal: "parity", Criterion: "declared/agreement", SetBy: "provider", Decision: dossier.Pass, Because: "lower bound 0.9714 supports at least 0.97", Metric: "agreement", Compare: "at_least", Level: level(0.97), Measured: metric(0, "agreement"), From: []string{"o-1"}, Cites: []string{"AI Act Art. 15(1)", "AI Act Art. 11 and Annex IV(2)(g)"}},
		{Goal: "accuracy", Criterion: "declared/balanced-accuracy", SetBy: "provider", Decision: dossier.Inconclusive, Because: "lower bound 0.6402 does not support at least 0.65, the value 0.6931 alone decides nothing", Missing: "about 310 more rows, after which it would pass if the share stays 0.6931", Metric: "balanced_accuracy", Compare: "at_least", Level: level(0.65), Measured: metric(1, "balanced_accuracy"), From: []string{"o-2"}, Cites: []string{"AI Act Art. 15(1)", "AI Act Art. 15(3)", "ISO/IEC TS 4213"}, Caveats: caveat},
		{Goal: "evasion", Criterion: "declared/robust-accuracy", SetBy: "provider", Decision: dossier.Fail, Because: "the whole interval 0.349 to 0.4275 misses at least 0.45", Metric: "robust_accuracy", Compare: "at_least", Level: level(0.45), Measured: metric(2, "robust_accuracy"), From: []string{"o-3"}, Cites: []string{"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion"}, Caveats: caveat},
		{Goal: "evasion", Criterion: "budget/evasion-success", SetBy: "default", Decision: dossier.Fail, Because: "the whole interval 0.185 to 0.3046 misses at most 0.1", Metric: "attack_success", Compare: "at_most", Level: level(0.1), Measured: metric(2, "attack_success"), From: []string{"o-3"}, Cites: []string{"AI Act Art. 15(5)"}, Caveats: caveat},
		{Goal: "malformed-input", Criterion: "absolute/no-crash", SetBy: "default", Decision: dossier.Pass, Because: "crashes is 0, the level is at most 0", Metric: "crashes", Compare: "at_most", Level: level(0), Measured: metric(4, "crashes"), From: []string{"o-5"}, Cites: []string{"AI Act Art. 15(4)"}, Caveats: caveat},
		{Goal: "malformed-input", Criterion: "law/no-overrun", SetBy: "law", Decision: dossier.Pass, Because: "over limit is 1, the level is at most 2", Metric: "over_limit", Compare: "at_most", Level: level(2), Measured: metric(4, "over_limit"), From: []string{"o-5"}, Cites: []string{"AI Act Art. 15(5)"}, Caveats: caveat},
		{Goal: "artefact-safety", Criterion: "absolute/artefacts", SetBy: "default", Decision: dossier.NotAssessed, Because: "failed: the worker was ended after 600 s", Metric: "serious_findings", Compare: "at_most", Level: level(0), From: []string{"o-6"}, Cites: []string{"AI Act Art. 15(5)"}},
		{Goal: "extraction", Criterion: "assessor/extraction", SetBy: "assessor", Decision: dossier.NotApplicable, Because: "the target answers with a label alone " + hostile, Metric: "fidelity", Compare: "at_most", Level: level(0.9), From: []string{}, Cites: []string{hostile}},
	}
}

// filled adds what only effects and their gaps need.
func filled() *dossier.Dossier {
	d := example()
	d.Effects = []dossier.Effect{{
		Probe: "evasion/hopskipjump", Goals: []string{"evasion"}, Outcome: "stands", Solutions: []string{"range-check"},
		On: 0.759, Off: 0.665, Difference: 0.094, Lower: 0.041, Upper: 0.149, P: 0.0006, N: 200, Method: "Tango score interval, 95 %", From: []string{"o-3", "o-4"}, Note: "the solutions help",
	}, {
		Probe: "performance/classification", Goals: []string{"accuracy"}, Outcome: "correct", Solutions: []string{"range-check"},
		On: 0.716, Off: 0.72, Difference: -0.004, Lower: -0.0221, Upper: 0.0131, P: 1, N: 250, Method: "Tango score interval, 95 %", From: []string{"o-2"}, Note: "no effect is shown on 250 rows",
	}}
	return d
}
