package availability

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// lostCode is the outcome of a case whose process died.
func lostCode(kind string) float64 {
	switch kind {
	case "out-of-memory", "time-limit", "cpu-limit", "killed":
		return overLimit
	}
	return crash
}

// withLost adds the cases that nobody lived to tell of.
func withLost(j *measure.Joint) (*result.Rows, error) {
	index := make([]int, len(j.Lost))
	for i, l := range j.Lost {
		index[i] = l.Row
	}
	lost := newRows(index)
	for i, l := range j.Lost {
		lost.Column("outcome")[i] = lostCode(l.Kind)
	}
	if j.Rows.Len() == 0 {
		return result.Join(lost)
	}
	return result.Join(j.Rows, lost)
}

func joinMalformed(j *measure.Joint) (*result.Result, error) {
	rows, err := withLost(j)
	if err != nil {
		return nil, err
	}
	all := cases()
	causes := map[int]string{}
	for _, l := range j.Lost {
		causes[l.Row] = l.Cause
	}
	res := &result.Result{State: result.Measured, Rows: rows, Metrics: map[string]result.Metric{}}
	byOutcome := make([][]string, notApplicable+1)
	var nanAnswered, formAnswered, outsideAnswered []string
	good, applied, controlled := 0, 0, false
	for i, number := range rows.Index {
		if number < 0 || number >= len(all) {
			return nil, fmt.Errorf("join malformed input: there is no case %d", number)
		}
		k, code := all[number], int(rows.Column("outcome")[i])
		if code < 0 || code > notApplicable {
			return nil, fmt.Errorf("join malformed input: case %d has outcome %d", number, code)
		}
		byOutcome[code] = append(byOutcome[code], k.name)
		if code == notApplicable {
			continue
		}
		applied++
		if handled(code) {
			good++
		} else {
			res.Findings = append(res.Findings, bad(number, k, code, causes[number]))
		}
		if code != finite {
			continue
		}
		switch {
		case k.group == control:
			controlled = true
		case k.group == missing:
			nanAnswered = append(nanAnswered, k.name)
		case k.group == form:
			formAnswered = append(formAnswered, k.name)
		}
		if rows.Column("outside")[i] == 1 {
			outsideAnswered = append(outsideAnswered, k.name)
		}
	}
	if applied == 0 && len(j.Lost) == 0 {
		return result.Unmeasured(result.NotApplicable, "the model is given rows of numbers, and no tensors of other forms"), nil
	}
	if applied == 0 {
		return result.Unmeasured(result.Failed, "no case was put to the model"), nil
	}
	count := func(name string, cases []string) {
		res.Metrics[name] = result.Exactly(float64(len(cases)), applied, "cases")
	}
	count("crashes", byOutcome[crash])
	count("over_limit", byOutcome[overLimit])
	count("non_finite_accepted", byOutcome[nonFinite])
	count("finite", byOutcome[finite])
	count("refused", append(append([]string(nil), byOutcome[refusedBySolution]...), byOutcome[refusedByModel]...))
	count("refused_by_solution", byOutcome[refusedBySolution])
	count("nan_answered", nanAnswered)
	count("wrong_form_answered", formAnswered)
	count("accepted_out_of_domain", outsideAnswered)
	m := result.Exactly(float64(good)/float64(applied), applied, "share")
	m.K = &good
	res.Metrics["handled"] = m
	answeredFindings(res, nanAnswered, formAnswered, outsideAnswered)
	if none := byOutcome[notApplicable]; len(none) > 0 {
		res.Notes = append(res.Notes, "does not apply to this target: "+strings.Join(none, "; "))
	}
	res.Notes = append(res.Notes, "the limits of memory and time are those of the sandbox, not of the deployed system")
	// What was not handled is shown whatever becomes of well-formed rows.
	res.Check("a-well-formed-row-is-answered", controlled || good < applied, "without it a refusal of the other cases says nothing")
	res.Pictures = []result.Picture{bars(byOutcome)}
	return res, nil
}

// bad is the finding of a case that was not handled.
func bad(number int, c malformedCase, code int, cause string) result.Finding {
	f := result.Finding{Where: fmt.Sprintf("case %d: %s", number, c.name), Evidence: cause, Cites: []string{"AI Act Art. 15(5)", "ENISA Denial of service"}}
	switch code {
	case crash:
		f.Rule, f.Severity = "malformed/crash", result.High
		f.What = "The input ended the process or, of a served model, the connection."
		f.Fix = "Refuse it before the model sees it: check form and values against the domain (input-validation)."
	case overLimit:
		f.Rule, f.Severity = "malformed/over-limit", result.High
		f.What = "The input took more than the limit of memory or time: the process ended or, of a served model, no answer came."
		f.Fix = "Bound the rows of one request, and the time of one answer."
	default:
		f.Rule, f.Severity = "malformed/non-finite-answer", result.Medium
		f.What = "The input was neither refused nor answered with numbers: the answer holds NaN or infinity."
		f.Fix = "Refuse values that are not finite or outside the domain (input-validation), and answers that are no numbers."
	}
	return f
}

// answeredFindings tells of answers that are handled but that a reader must know of.
func answeredFindings(res *result.Result, nan, form, outside []string) {
	add := func(rule string, severity result.Severity, names []string, what, fix string) {
		if len(names) == 0 {
			return
		}
		res.Findings = append(res.Findings, result.Finding{Rule: rule, Severity: severity, Where: fmt.Sprintf("%d cases", len(names)), What: what, Fix: fix, Evidence: strings.Join(names, "; ")})
	}
	add("malformed/nan-answered", result.Low, nan,
		"A row with a NaN in it is answered with finite numbers: the system decides on missing data.",
		"Refuse rows with missing values, or state that the model was trained to take them.")
	add("malformed/wrong-form-answered", result.Low, form,
		"Input of another shape or type than the model's is answered with numbers.",
		"Check the shape and the type of what comes in.")
	add("malformed/out-of-domain-answered", result.Info, outside,
		"A row outside the domain is answered with numbers.",
		"Check values against the domain (input-validation).")
	if len(nan) > 0 {
		res.Notes = append(res.Notes, fmt.Sprintf("%d cases with a NaN were decided as if nothing were missing", len(nan)))
	}
}

func bars(byOutcome [][]string) result.Picture {
	p := result.Picture{ID: "outcomes", Title: "What became of malformed input", Kind: "bars", YLabel: "cases", Labels: outcomes()[:notApplicable]}
	line := result.Series{Name: "cases"}
	for _, names := range byOutcome[:notApplicable] {
		line.Y = append(line.Y, float64(len(names)))
	}
	p.Series = []result.Series{line}
	return p
}
