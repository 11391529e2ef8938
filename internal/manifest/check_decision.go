package manifest

import (
	"maps"
	"slices"
	"strings"
)

// decision checks that the rule, its numbers, its names and the output's kind
// fit together.
func (c *checker) decision() {
	d, out := c.m.Decision, c.m.Interface.Output
	switch single := out.Kind == PositiveProbability || out.Kind == Score; {
	case d.Rule == None && out.Kind != Score:
		c.problem("set interface.output.kind: score, or name the rule by which the system decides", where("decision", "rule"), "none is for a model whose number is used as it is, and the output is %s", out.Kind)
	case d.Rule == None && len(out.Classes) > 0:
		c.problem("delete classes, or set rule: cutoff", where("interface", "output", "classes"), "a number that is used as it is has no classes")
	case d.Rule == None && len(d.Favourable) > 0:
		c.problem("delete favourable, or set rule: cutoff", where("decision", "favourable"), "without a decision there is no favourable outcome")
	case d.Rule == None:
	case single && d.Rule != Cutoff:
		c.problem("set rule: cutoff with the value that the system uses, or, for a score that is used as it is, rule: none", where("decision", "rule"), "%s needs one output a class, and the output is a %s", d.Rule, out.Kind)
	case out.Kind == Label && d.Rule != Argmax:
		c.problem("set rule: argmax, or let the model give probabilities", where("decision", "rule"), "%s needs numbers, and the output is the label itself", d.Rule)
	}
	c.belongs(Cutoff, d.Positive != "", "positive")
	c.belongs(Cutoff, d.Cutoff != nil, "cutoff")
	c.belongs(Cutoff, d.ReferBand != nil, "refer_band")
	c.belongs(Cutoff, d.Outcomes != nil, "outcomes")
	c.belongs(Cutoff, d.ReferIsGain, "refer_is_gain")
	c.belongs(PerClass, d.Cutoffs != nil, "cutoffs")
	switch d.Rule {
	case Cutoff:
		c.cutoff()
	case PerClass:
		for _, class := range slices.Sorted(maps.Keys(d.Cutoffs)) {
			c.among(out.Classes, class, "classes", "decision", "cutoffs", class)
			c.probability(d.Cutoffs[class], "decision", "cutoffs", class)
		}
		for _, class := range out.Classes {
			if _, ok := d.Cutoffs[class]; !ok {
				c.problem("give every class its cut-off", where("decision", "cutoffs"), "no cut-off for the class %q", class)
			}
		}
	}
	if d.Rule != Cutoff {
		for i, f := range d.Favourable {
			c.among(out.Classes, f, "classes", "decision", "favourable", i)
		}
	}
}

func (c *checker) belongs(rule Rule, set bool, field string) {
	if set && c.m.Decision.Rule != rule {
		c.problem("delete "+field+", or set rule: "+string(rule), where("decision", field), "belongs to the rule %s, and the rule is %s", rule, c.m.Decision.Rule)
	}
}

func (c *checker) cutoff() {
	d := c.m.Decision
	c.among(c.m.Interface.Output.Classes, d.Positive, "classes", "decision", "positive")
	c.probability(*d.Cutoff, "decision", "cutoff")
	outcomes := []string{d.Outcomes.Below, d.Outcomes.Above}
	if len(d.ReferBand) == 2 {
		low, high := d.ReferBand[0], d.ReferBand[1]
		c.probability(low, "decision", "refer_band", 0)
		c.probability(high, "decision", "refer_band", 1)
		switch {
		case low >= high:
			c.problem("write [low, high]", where("decision", "refer_band"), "%v is not less than %v", low, high)
		case *d.Cutoff < low || high < *d.Cutoff:
			c.problem("correct the band or the cut-off", where("decision", "refer_band"), "the cut-off %v is not within %v to %v", *d.Cutoff, low, high)
		}
		outcomes = append(outcomes, d.Outcomes.Band)
	}
	if slices.Sort(outcomes); len(slices.Compact(slices.Clone(outcomes))) < len(outcomes) {
		c.problem("give each outcome a name of its own", where("decision", "outcomes"), "two outcomes have the same name: %s", strings.Join(outcomes, ", "))
	}
	for i, f := range d.Favourable {
		c.among(outcomes, f, "outcomes", "decision", "favourable", i)
	}
}

// probability refuses a bound on probabilities that is none itself.
func (c *checker) probability(v float64, path ...any) {
	kind := c.m.Interface.Output.Kind
	if (kind == Probabilities || kind == PositiveProbability) && (v < 0 || v > 1) {
		c.problem("write a number from 0 to 1", path, "%v is no probability, and the output is %s", v, kind)
	}
}

// among checks a name against a list; nothing is known where the list is empty.
func (c *checker) among(names []string, name, what string, path ...any) {
	if len(names) > 0 && !slices.Contains(names, name) {
		c.problem(didYouMean(name, names, "the "+what+" are "+strings.Join(names[:min(20, len(names))], ", ")), path, "%q is not among the %s", name, what)
	}
}
