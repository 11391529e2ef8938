// Package tabular holds the probe of feasible evasion: who can gain what by
// changes that could really happen.
package tabular

import (
	"time"

	"github.com/assize/assize/internal/measure"
)

// Probes lists the probes of the family.
func Probes() []measure.Probe { return []measure.Probe{feasible()} }

func feasible() measure.Probe {
	return measure.Probe{
		ID:      "evasion/tabular",
		Version: 2,
		Doc: "Feasible evasion: who can gain the favourable decision by changes that could really happen, and what the cheapest such change is.\n\n" +
			"Only rows that have something to gain count. What somebody can change is what the domain says: ranges, whole numbers, what cannot change or in one direction only, " +
			"one-hot groups, relations over x and orig. The domain alone is the bound; epsilon and norm of the threat model play no part. " +
			"That is why evasion/worst, which joins attacks within these, does not count what is found here: a feasible change can lie outside the ball, and the cheapest is not the smallest. Criteria of feasible_flip read this probe alone. " +
			"The price of a change is the sum of the owner's costs for each unit (where no feature that can change states one: of shares of the ranges); in a one-hot group the price of the member that is taken up. " +
			"Tree ensembles and linear models, scorecards among them, are read from the model file and searched by branch and bound: boxes of inputs, which the relations narrow and the model bounds, cheapest first. " +
			"The answer is then exact: the cheapest change there is, or the proof that there is none; where the budget ends first, the row is called unproven and the cheapest price is bounded from both sides. " +
			"Other models are searched along their gradients, where they have any: each step is put back onto the domain, features that relations define follow the others, and what the relations miss is taken off the loss; " +
			"what gains is taken back towards the row until it no longer does, so that its price falls. An evolution on the system's answers searches the same rows, and the cheaper change counts. " +
			"Both find changes and prove nothing. " +
			"The decision is that of the rule behind the solutions that are on. Every change that was found is checked for feasibility once more and asked of the system itself; it counts only when both hold.",
		Goals: []string{"evasion"}, Threats: []string{"evasion"},
		Cites: []string{
			"Simonetto, Ghamizi, Cordy: Constrained Adaptive Attack: Effective Adversarial Attack Against Deep Neural Networks for Tabular Data. NeurIPS 2024, arXiv 2406.00775",
			"Simonetto, Dyrmishi, Ghamizi, Cordy, Le Traon: A Unified Framework for Adversarial Attack and Defense in Constrained Feature Space. IJCAI 2022, arXiv 2112.01156",
			"Ustun, Spangher, Liu: Actionable Recourse in Linear Classification. FAT* 2019, arXiv 1809.06514",
			"Kantchelian, Tygar, Joseph: Evasion and Hardening of Tree Ensemble Classifiers. ICML 2016, arXiv 1509.07892",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Needs: measure.Needs{Model: true, Data: true, Domain: true, Rule: true, Files: true, Gain: true, Layout: "columns"},
		Params: []measure.Param{
			{Name: "rows", Doc: "rows that are searched", Unit: "rows", Quick: 100.0, Standard: 500.0, Thorough: 5000.0},
			{Name: "steps", Doc: "budget of each row where gradients are followed: steps of each of the walks", Unit: "steps", Quick: 20.0, Standard: 60.0, Thorough: 300.0},
			{Name: "queries", Doc: "budget of each row where evolution searches: rows asked of the model", Unit: "queries", Quick: 1000.0, Standard: 3000.0, Thorough: 20000.0},
			{Name: "work", Doc: "budget of each row: nodes of trees, or features, that are looked at", Unit: "nodes", Quick: 1e6, Standard: 1e7, Thorough: 1e9},
		},
		Metrics: []string{"feasible_flip", "unproven_share", "infeasible", "median_cost", "cheapest_cost", "cost_p10", "cost_p90", "rows_attackable"},
		Rows:    func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: queries,
		Timeout: 30 * time.Minute,
		Switch:  true, Again: true, Paired: "stands",
		Run: run, Join: join,
	}
}

const confidence = 0.95

// queries estimates what the search asks of the model: of trees the row itself
// and what was found until it is the cheapest, else at most the budget of walks
// and evolution; linear models, which are told apart when they are opened, need less.
func queries(s measure.Scope) int {
	a := 10
	if !s.Trees {
		a += walks*s.Params.Int("steps") + s.Params.Int("queries")
	}
	return a * min(s.TestRows, s.Params.Int("rows"))
}

// reason says why a model cannot be searched exactly; it travels in the rows,
// since a row's result holds numbers alone.
type reason float64

const (
	notRead reason = iota + 1
	otherWidth
	linkUnread
	atRandom
)

// text is the reason in words.
func (r reason) text() string {
	switch r {
	case notRead:
		return "the model file holds no tree ensemble and no linear model that can be read with every step before and behind it"
	case otherWidth:
		return "what the model file holds does not read the columns of the data one by one"
	case atRandom:
		return "a solution makes the answers random on purpose"
	}
	return "the decision is not that of one rising sum, or of the largest, of the model"
}
