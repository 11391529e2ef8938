package checklist

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/catalogue"
)

// Task is what would close an open item.
type Task struct {
	Needed   string `json:"needed"`
	Owner    string `json:"owner"`    // who usually owns it: own judgement
	Evidence string `json:"evidence"` // typical evidence, as the catalogue has it; own judgement for EN 304 223
}

func (a *answerer) task(r catalogue.Requirement, expired bool) *Task {
	t := &Task{Needed: needed(r), Owner: usualOwner(r), Evidence: r.Evidence}
	if expired {
		t.Needed = "renew the record that has run out: " + t.Needed
	}
	if r.Framework == catalogue.EN304223 {
		t.Evidence = principle(r).evidence
	}
	for _, known := range []struct{ role, owner string }{{"model_owner", "model owner"}, {"oversight", "oversight"}} {
		if who, ok := a.given.Target.Roles[known.role]; ok && strings.Contains(t.Owner, known.owner) {
			t.Owner += " (declared: " + who + ")"
		}
	}
	return t
}

// needed says what closes the item, by the way in which it can be checked.
func needed(r catalogue.Requirement) string {
	form := map[string]string{
		"doc":      "a document in force that shows: %s",
		"process":  "a procedure in force, and records that it is followed: %s",
		"design":   "a description of the design, and proof that it works: %s",
		"decision": "a dated decision with its reasons: %s",
		"record":   "the record itself: %s",
		"test":     "a measurement with a criterion set beforehand, or a record of one made elsewhere: %s",
	}[r.Check]
	if form == "" {
		form = map[string]string{"shall": "evidence (mandatory): %s", "should": "evidence (recommended), or why not: %s"}[r.Norm]
	}
	if form == "" {
		form = "evidence: %s"
	}
	return fmt.Sprintf(form, r.Text)
}

// usualOwner names the function that owns such an item in most organisations.
func usualOwner(r catalogue.Requirement) string {
	if r.Framework == catalogue.EN304223 {
		return principle(r).owner + "; applies to: " + r.Addressee
	}
	owner, ok := map[string]string{
		"Technical documentation":             "product owner with the model owner",
		"Risk management":                     "risk manager",
		"Third-party assessment":              "regulatory affairs, with the notified body",
		"Declaration":                         "regulatory affairs",
		"Quality management":                  "quality manager",
		"Cybersecurity":                       "security officer with the model owner",
		"Record-keeping":                      "operations",
		"Transparency":                        "product owner",
		"Conformity assessment":               "regulatory affairs",
		"Incidents":                           "incident response, with regulatory affairs",
		"Data governance":                     "data owner",
		"Accuracy, robustness, cybersecurity": "model owner",
		"Presumption":                         "regulatory affairs",
		"Internal control":                    "quality manager, with regulatory affairs",
		"Post-market monitoring":              "product owner with operations",
		"Human oversight":                     "oversight",
		"Corrective action":                   "product owner, with regulatory affairs",
		"Deployer duties":                     "the deployer's operations",
		"GPAI":                                "provider of the general-purpose model",
		"Value chain":                         "purchasing, with the supplier",
	}[r.Subject]
	if !ok {
		return r.Addressee
	}
	return owner
}

type usual struct{ owner, evidence string }

// principle is what is usual for the provisions under one principle of EN 304
// 223; the standard itself names neither.
func principle(r catalogue.Requirement) usual {
	number, _, _ := strings.Cut(strings.TrimPrefix(r.Subject, "Principle "), ":")
	return map[string]usual{
		"1":  {"human resources with the security officer", "training plan, contents, attendance"},
		"2":  {"model owner with the security officer", "design documents, risk assessment, results of tests against attacks"},
		"3":  {"risk manager", "threat model, risk register, decisions on treatment"},
		"4":  {"oversight", "oversight procedure, its tests"},
		"5":  {"data owner with operations", "inventory of assets, versions and digests, restore test"},
		"6":  {"operations with the security officer", "access rules and reviews, interface limits, incident plan, disclosure policy"},
		"7":  {"purchasing with the security officer", "supplier assessments, bill of materials, reasons for exceptions"},
		"8":  {"model owner", "model and data documentation, digests, audit log of changes"},
		"9":  {"model owner with independent testers", "test plan, dossier, test reports handed over"},
		"10": {"product owner", "user guidance, notices, contracts"},
		"11": {"operations", "update procedure, release notes, contingency plan"},
		"12": {"operations", "logs, their analysis, monitoring reports"},
		"13": {"data owner with operations", "disposal or transfer record"},
	}[number]
}
