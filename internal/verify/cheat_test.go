package verify_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/verify"
)

// TestWhoeverHoldsTheKeyIsCaughtToo changes a dossier after the run and signs
// it again with the right key: the ledger, whose checkpoint the run fixed, shows it.
func TestWhoeverHoldsTheKeyIsCaughtToo(t *testing.T) {
	// reseal changes an observation in dossier.json and in its file alike.
	reseal := func(change func(*evidence.Observation)) func(*run) {
		return func(r *run) {
			o := &r.d.Observations[1]
			delete(r.files, o.Digest.Hex())
			change(o)
			r.seal(o, nil)
		}
	}
	base := honest(t)
	for _, tt := range []struct {
		name        string
		write       func(*run)
		check, want string
	}{
		{"metric", reseal(func(o *evidence.Observation) { o.Metrics["robust_accuracy"] = share(t, 40, 40) }), "order in the ledger", "observation o-2 is not the one that was logged"},
		{"metric in dossier.json alone", func(r *run) {
			r.d.Observations[1].Metrics = map[string]result.Metric{"robust_accuracy": share(t, 40, 40)}
			r.d.Observations[1].RowsCount = 40
		}, "evidence", "observation o-2 in dossier.json is not what"},
		{"seed", reseal(func(o *evidence.Observation) { o.Seed = strings.Repeat("0", 64) }), "seeds", "does not follow from plan and nonce"},
		{"state", reseal(func(o *evidence.Observation) { o.State, o.Reason = result.NotApplicable, "r" }), "order in the ledger", "observation o-2 is not the one"},
		{"parameters", reseal(func(o *evidence.Observation) { o.Parameters = map[string]any{"epsilon": 0.5} }), "items of the plan", "other parameters"},
		{"inputs", reseal(func(o *evidence.Observation) { o.Inputs = o.Inputs[1:] }), "items of the plan", "other artefacts"},
		{"probe", reseal(func(o *evidence.Observation) { o.Probe = "evasion/y" }), "items of the plan", "another probe"},
		{"solutions", reseal(func(o *evidence.Observation) { o.SolutionsOn = []string{} }), "items of the plan", "another probe, version or solutions"},
		{"environment", reseal(func(o *evidence.Observation) { o.Environment = "e-2" }), "items of the plan", `environment "e-2"`},
		{"observation dropped", func(r *run) { r.d.Observations = r.d.Observations[:2] }, "order in the ledger", "3 observations were logged, the dossier has 2"},
		{"observation doubled", func(r *run) { r.d.Observations = append(r.d.Observations, r.d.Observations[0]) }, "order in the ledger", "3 observations were logged, the dossier has 4"},
		{"observations out of order", func(r *run) { o := r.d.Observations; o[1], o[2] = o[2], o[1] }, "order in the ledger", "observation o-3 is not the one that was logged as number 2"},
		{"no observations", func(r *run) { r.d.Observations = nil }, "items of the plan", "has no observation"},
		{"decision", func(r *run) { r.d.Decisions[0].Level = new(float64) }, "decisions, judged again", `the evidence leads to "pass", not to what the dossier says`},
		{"decision, as logged", func(r *run) { r.d.Decisions[0].Because = "it is good" }, "order in the ledger", "the decisions in dossier.json are not those that were logged"},
		{"target", func(r *run) { r.d.Target.IntendedPurpose = "another" }, "order in the ledger", "not those that were logged"},
		{"target's version", func(r *run) { r.d.Target.Version = "2" }, "order in the ledger", "the target is not that of the plan"},
		{"solutions in place", func(r *run) { r.d.Solutions = nil }, "order in the ledger", "not those that were logged"},
		{"start", func(r *run) { r.d.Started = r.d.Started.AddDate(-1, 0, 0) }, "order in the ledger", "not those that were logged"},
		{"plan", func(r *run) { r.d.Plan.Claims = nil }, "order in the ledger", "the plan is not the one that was logged"},
		{"plan with its digest", func(r *run) {
			r.d.Plan.Claims = nil
			r.d.Plan.Digest = artefact.DigestBytes(must(evidence.Canonical(r.d.Plan.Plan))(t))
		}, "order in the ledger", "the plan is not the one that was logged"},
		{"nonce", func(r *run) { r.d.Plan.SeedNonce = strings.Repeat("0", 32) }, "order in the ledger", "the seed nonce is not the one"},
		{"nonce too short", func(r *run) { r.d.Plan.SeedNonce = "00" }, "seeds", "at least 16 bytes"},
		{"artefact", func(r *run) { r.d.Artefacts[0].Digest = artefact.DigestBytes([]byte("another model")) }, "order in the ledger", "logged"},
		{"manifest", func(r *run) { r.d.Manifest = "" }, "order in the ledger", "manifest, catalogue or tool"},
		{"tool", func(r *run) { r.d.Tool = "assize 9" }, "order in the ledger", "manifest, catalogue or tool"},
		{"environment of the run", func(r *run) { r.d.Environments[0].Cores = 64 }, "order in the ledger", "environment e-1 is not the one"},
		{"environment dropped", func(r *run) { r.d.Environments = nil }, "order in the ledger", "1 environments were logged, the dossier has 0"},
		{"beginning", func(r *run) { r.d.Log.First = 1 }, "order in the ledger", "begins at entry 1"},
		{"size of the log", func(r *run) { r.d.Log.Size = 5 }, "order in the ledger", "of 5"},
		{"earlier runs", func(r *run) { r.d.Log.EarlierRuns = 7 }, "order in the ledger", "7 earlier runs, the ledger has 0"},
		{"run", func(r *run) { r.d.Run = "r" }, "order in the ledger", "the run's first entry is not its plan"},
		{"rows of another", func(r *run) {
			r.d.Observations[1].RowsFile = r.d.Observations[2].RowsFile
		}, "evidence", "observation o-2 in dossier.json is not what"},
		{"rows' file", func(r *run) {
			name := strings.TrimPrefix(r.d.Observations[1].RowsFile, evidence.Salted)
			r.files[name] = bytes.Replace(r.files[name], []byte("[1,1,"), []byte("[0,1,"), 1)
		}, "evidence", "does not have the digest that observation o-2 names"},
		{"rows named oddly", reseal(func(o *evidence.Observation) { o.RowsFile = "salted:../../../../etc/passwd" }), "evidence", "are no salted digest"},
		{"digest named oddly", func(r *run) { r.d.Observations[1].Digest = "sha256:../../../../etc/passwd" }, "evidence", "observation o-2"},
		{"digest empty", func(r *run) { r.d.Observations[1].Digest = "" }, "evidence", "observation o-2"},
		{"effect", func(r *run) { r.d.Effects[0].Difference = 0.9 }, "effects, compared again", "do not follow from the rows"},
		{"effect dropped", func(r *run) { r.d.Effects = nil }, "effects, compared again", "do not follow from the rows"},
		{"effect made up", func(r *run) {
			e := r.d.Effects[0]
			e.From = []string{"o-8", "o-9"}
			r.d.Effects = append(r.d.Effects, e)
		}, "effects, compared again", "do not follow from the rows"},
		{"goal", func(r *run) { r.d.Goals[0].Claimed = false }, "decisions, judged again", "goals"},
		{"counts", func(r *run) { r.d.Summary.Counts["law"] = map[dossier.Verdict]int{dossier.Pass: 9} }, "decisions, judged again", "summary"},
		{"exit status", func(r *run) { r.d.Summary.Exit = 3 }, "decisions, judged again", "summary"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := base.copy(t)
			tt.write(r)
			r.write()
			wantFailure(t, check(t, r.dir, r.key.Verifier()), tt.check, tt.want)
		})
	}
}

// TestDecidedAgainstTheEvidence logs decisions that the evidence does not lead
// to. Every digest is right; judging again shows it.
func TestDecidedAgainstTheEvidence(t *testing.T) {
	failing := func(r *run) { // only 10 of 40 stand: the declared 0.6 is missed
		r.d.Observations[1].Metrics["robust_accuracy"] = share(t, 10, 40)
	}
	for _, tt := range []struct {
		name        string
		c           cheat
		check, want string
	}{
		{"decision turned", cheat{log: func(r *run) { r.d.Decisions[0].Decision = dossier.Fail }}, "decisions, judged again", `the evidence leads to "pass"`},
		{"level lowered", cheat{log: func(r *run) { *r.d.Plan.Criteria[0].Threshold = 0.5 }}, "order in the ledger", "the plan is not the one"},
		{"decision added", cheat{log: func(r *run) { r.d.Decisions = append(r.d.Decisions, r.d.Decisions[0]) }}, "decisions, judged again", "goals"},
		{"goal turned", cheat{log: func(r *run) { r.d.Goals[0].Decision = dossier.Fail }}, "decisions, judged again", "the goals' decisions do not follow"},
		{"passes counted twice", cheat{log: func(r *run) { r.d.Summary.Passed = 2 }}, "decisions, judged again", "the summary does not follow"},
		{"caveat kept silent", cheat{
			decide: func(r *run) { r.d.Plan.Guessed = true },
			log:    func(r *run) { r.d.Summary.Caveats = nil },
		}, "decisions, judged again", "keeps silent about a caveat: the domain was guessed"},
		{"effect turned", cheat{log: func(r *run) { r.d.Effects[0].Note = "the solutions do wonders" }}, "effects, compared again", "do not follow"},
		{"judged by other evidence than was logged", cheat{decide: failing}, "evidence", "observation o-2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := assess(t, newKey(t), filepath.Join(t.TempDir(), "log"), tt.c)
			wantFailure(t, check(t, r.dir, nil), tt.check, tt.want)
		})
	}
}

// TestWordsOfAnotherVersion verifies dossiers whose sentences this program would
// not write: that stands against one of its own version, and is noted of any other. What decides is compared always.
func TestWordsOfAnotherVersion(t *testing.T) {
	sentence := func(r *run) {
		r.d.Decisions[0].Because, r.d.Goals[0].Because, r.d.Effects[0].Note = "as an older program said it", "as it said it", "words"
		r.d.Decisions[0].Caveats = []string{"an older caveat"}
	}
	for _, tt := range []struct {
		name, tool string
		log        func(*run)
		want       string // the detail of the failure; "" verifies
	}{
		{"own version", "assize test", sentence, `the evidence leads to "pass"`},
		{"own version, goal alone", "assize test", func(r *run) { r.d.Goals[0].Because = "it is good" }, "goals"},
		{"own version, caveat left out", "assize test", func(r *run) { r.d.Summary.Caveats = nil; r.d.Goals[0].Because = "" }, "goals"},
		{"another version", "assize 9.9", sentence, ""},
		{"another version, unchanged", "assize 9.9", nil, ""},
		{"another version, decision", "assize 9.9", func(r *run) { sentence(r); r.d.Decisions[0].Decision = dossier.Fail }, `the evidence leads to "pass"`},
		{"another version, level", "assize 9.9", func(r *run) { sentence(r); level := 0.1; r.d.Decisions[0].Level = &level }, `the evidence leads to "pass"`},
		{"another version, measured", "assize 9.9", func(r *run) { sentence(r); r.d.Decisions[0].Measured.Lower = 0.7 }, `the evidence leads to "pass"`},
		{"another version, from", "assize 9.9", func(r *run) { sentence(r); r.d.Decisions[0].From = []string{"o-3"} }, `the evidence leads to "pass"`},
		{"another version, set by", "assize 9.9", func(r *run) { sentence(r); r.d.Decisions[0].SetBy = "law" }, `the evidence leads to "pass"`},
		{"another version, goal", "assize 9.9", func(r *run) { sentence(r); r.d.Goals[0].SetBy = "law" }, "goals"},
		{"another version, counts", "assize 9.9", func(r *run) { sentence(r); r.d.Summary.Passed = 2 }, "summary"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := assess(t, newKey(t), filepath.Join(t.TempDir(), "log"), cheat{log: tt.log})
			report := must(verify.Trusting(context.Background(), r.dir, verify.Trust{Tool: tt.tool}))(t)
			if tt.want != "" {
				wantFailure(t, report, "decisions, judged again", tt.want)
				return
			}
			if got := failed(report); got != nil {
				t.Fatalf("got failures %q", got)
			}
			var text strings.Builder
			if err := report.Write(&text); err != nil {
				t.Fatal(err)
			}
			const note = "are not those of this program, assize 9.9"
			if got, want := strings.Count(text.String(), note), 2; tt.log != nil && got != want || tt.log == nil && got != 0 {
				t.Errorf("the note stands there %d times, want %d and none where nothing differs:\n%s", got, want, text.String())
			}
		})
	}
}

// TestReplacedLedger puts another log of the same provider into a dossier, and
// entries that no run writes into its own.
func TestReplacedLedger(t *testing.T) {
	key, logDir := newKey(t), filepath.Join(t.TempDir(), "log")
	first := assess(t, key, logDir, cheat{})
	second := assess(t, key, logDir, cheat{})
	elsewhere := assess(t, key, filepath.Join(t.TempDir(), "log"), cheat{})
	replace := func(name string, from *run) func(*testing.T) {
		return func(t *testing.T) {
			old := second.path("log-kept")
			if err := os.Rename(second.path("log"), old); err != nil {
				t.Fatal(err)
			}
			if name == "checkpoint" {
				if err := os.CopyFS(second.path("log"), os.DirFS(old)); err != nil {
					t.Fatal(err)
				}
				second.put("log/checkpoint", from.get("log/checkpoint"))
			} else if err := os.CopyFS(second.path("log"), os.DirFS(from.path("log"))); err != nil {
				t.Fatal(err)
			}
			kept := filepath.Join(t.TempDir(), "kept")
			if err := os.Rename(old, kept); err != nil {
				t.Fatal(err)
			}
			second.sign()
			r := check(t, second.dir, nil)
			if r.OK() {
				t.Error("it verifies")
			}
			if name == "checkpoint" || from.key != second.key {
				wantFailure(t, r, "ledger", "")
			} else {
				wantFailure(t, r, "order in the ledger", "")
			}
			if err := os.RemoveAll(second.path("log")); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(kept, second.path("log")); err != nil {
				t.Fatal(err)
			}
			second.sign()
		}
	}
	t.Run("older checkpoint", replace("checkpoint", first))
	t.Run("checkpoint of another log", replace("checkpoint", elsewhere))
	t.Run("older log, whole", replace("log", first))
	t.Run("another log, whole", replace("log", elsewhere))
	t.Run("log of another key", replace("log", honest(t)))
	if got := failed(check(t, second.dir, nil)); got != nil {
		t.Fatalf("all undone, it still fails: %q", got)
	}
}

// TestEntriesThatDoNotBelong logs more, or in another order, than a run does.
func TestEntriesThatDoNotBelong(t *testing.T) {
	for _, tt := range []struct {
		name        string
		c           cheat
		check, want string
	}{
		{"unknown type", cheat{log: func(r *run) { r.append(evidence.Entry{Type: "note"}) }}, "order in the ledger", `type "note" stands inside the run`},
		{"second plan", cheat{log: func(r *run) { r.append(evidence.Entry{Type: evidence.EntryPlan}) }}, "order in the ledger", `type "plan" stands inside`},
		{"decisions twice", cheat{log: func(r *run) { r.append(evidence.Entry{Type: evidence.EntryDecisions}) }}, "order in the ledger", `type "decisions" stands inside`},
		{"observation logged twice", cheat{log: func(r *run) {
			o := r.d.Observations[0]
			r.append(evidence.Entry{Type: evidence.EntryObservation, ID: o.ID, Digest: o.Digest, State: string(o.State)})
			r.d.Observations = append(r.d.Observations, o)
		}}, "order in the ledger", "or stands twice"},
		{"observation logged and not shown", cheat{log: func(r *run) {
			r.append(evidence.Entry{Type: evidence.EntryObservation, ID: "o-4", State: "failed"})
		}}, "order in the ledger", "4 observations were logged, the dossier has 3"},
		{"entry of another run between", cheat{log: func(r *run) {
			mine := r.d.Run
			r.d.Run = "another"
			r.append(evidence.Entry{Type: evidence.EntryPlan})
			r.d.Run = mine
		}}, "order in the ledger", "entries of other runs stand between"},
		{"another run behind the decisions", cheat{write: func(r *run) {
			mine := r.d.Run
			r.d.Run = "another"
			r.append(evidence.Entry{Type: evidence.EntryPlan})
			r.d.Run = mine
			r.d.Log.Size++
		}}, "order in the ledger", "or behind them"},
		{"last entry of another type", cheat{write: func(r *run) {
			r.append(evidence.Entry{Type: evidence.EntryObservation, Digest: must(r.d.Outcome())(t)})
			r.d.Log.Size++
		}}, "order in the ledger", "the run's last entry is not its decisions"},
		{"no entry at all", cheat{log: func(r *run) {
			must(r.log.Append(context.Background(), []byte("nothing")))(t)
		}}, "ledger", "entry 5: read evidence"},
		{"entry with a key too many", cheat{log: func(r *run) {
			must(r.log.Append(context.Background(), []byte(`{"run":"","time":"2026-11-03T10:00:00Z","type":"plan","x":1}`)))(t)
		}}, "ledger", `unknown field "x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := assess(t, newKey(t), filepath.Join(t.TempDir(), "log"), tt.c)
			wantFailure(t, check(t, r.dir, nil), tt.check, tt.want)
		})
	}
}

// TestRedactedRows removes the files of rows, as redaction does, and signs the
// rest: it verifies, and says what was not there to check.
func TestRedactedRows(t *testing.T) {
	r := honest(t)
	for _, o := range r.d.Observations {
		if o.RowsFile != "" {
			if err := os.Remove(r.path(dossier.EvidencePath(strings.TrimPrefix(o.RowsFile, evidence.Salted)))); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantFailure(t, check(t, r.dir, nil), "every file", "is missing")
	r.sign()
	report := check(t, r.dir, nil)
	if got := failed(report); got != nil {
		t.Fatalf("got failures %q", got)
	}
	var text strings.Builder
	if err := report.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0 rows of outcomes; the rows of 2 observations were left out", "of 1 effects the rows were left out"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", text.String(), want)
		}
	}
	// An observation itself cannot be left out.
	if err := os.Remove(r.path(dossier.EvidencePath(r.d.Observations[1].Digest.Hex()))); err != nil {
		t.Fatal(err)
	}
	r.sign()
	wantFailure(t, check(t, r.dir, nil), "evidence", "observation o-2")
}

// TestRowsOfAnotherForm logs observations whose rows are not what they say.
func TestRowsOfAnotherForm(t *testing.T) {
	base := honest(t)
	for _, tt := range []struct {
		name   string
		change func(*evidence.Observation)
		want   string
	}{
		{"count", func(o *evidence.Observation) { o.RowsCount = 41 }, "holds 40 rows, observation o-2 says 41"},
		{"no file", func(o *evidence.Observation) { o.RowsFile = "" }, "counts 40 rows and names no file"},
		{"an observation as rows", func(o *evidence.Observation) { o.RowsFile = evidence.Salted + o.Digest.Hex() }, "read evidence"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := base.copy(t)
			tt.change(&r.d.Observations[1])
			r.seal(&r.d.Observations[1], nil)
			r.write()
			wantFailure(t, check(t, r.dir, nil), "evidence", tt.want)
		})
	}
}

// TestForeignKeyInTheLog has files.json and dossier.json name a key that did
// not sign the ledger.
func TestForeignKeyInTheLog(t *testing.T) {
	stranger := newKey(t)
	r := assess(t, newKey(t), filepath.Join(t.TempDir(), "log"), cheat{write: func(r *run) { r.d.Log.Key = stranger.Verifier().String() }})
	r.key = stranger
	r.sign()
	report := check(t, r.dir, stranger.Verifier())
	wantFailure(t, report, "ledger", ledger.ErrKey.Error())
	wantFailure(t, report, "order in the ledger", "")
}
