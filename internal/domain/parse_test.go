package domain_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/domain"
)

func features(names ...string) []domain.Feature {
	var fs []domain.Feature
	for i, n := range names {
		fs = append(fs, domain.Feature{Name: n, Type: domain.Real, Min: -1, Max: float64(i + 1), Mutable: domain.Yes})
	}
	return fs
}

var named = features("a", "b", "limit", "Loan amount", "pixel[3]", `quo"te\`, "petal.length", "größe", "a-b")

func TestRelationsAreReadAndWritten(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"x.a<=x.b*1.1", "x.a <= x.b * 1.1"},
		{`x."Loan amount" - orig.a >= 0`, `x."Loan amount" - orig.a >= 0`},
		{`x."a" == x.pixel[3]`, "x.a == x.pixel[3]"},
		{`x."quo\"te\\" > 1e3`, `x."quo\"te\\" > 1000`},
		{"x.petal.length != x.größe", "x.petal.length != x.größe"},
		{`x."a-b" < x.a-x.b`, `x."a-b" < x.a - x.b`},
		{"x.a - (x.b - 1) - 2 < (((3)))", "x.a - (x.b - 1) - 2 < 3"},
		{"-(-x.a) * -(x.a + 1) / (x.a / 2) < 3", "--x.a * -(x.a + 1) / (x.a / 2) < 3"},
		{"abs(x.a) + min(1, x.b, 3) <= max(x.a, -1)", "abs(x.a) + min(1, x.b, 3) <= max(x.a, -1)"},
		{"x.a > 0 implies x.b > 0 implies x.limit > 0", "x.a > 0 implies x.b > 0 implies x.limit > 0"},
		{"(x.a > 0 implies x.b > 0) implies x.limit > 0", "(x.a > 0 implies x.b > 0) implies x.limit > 0"},
		{"(x.a > 0 or x.b > 0) and not (x.a > 1 and x.b > 1)", "(x.a > 0 or x.b > 0) and not (x.a > 1 and x.b > 1)"},
		{"not not x.a == 1 or x.b\n\t== 1", "not not x.a == 1 or x.b == 1"},
	} {
		got, err := domain.Canonical(c.in, named)
		if err != nil || got != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.in, got, err, c.want)
		}
	}
}

func TestRelationErrors(t *testing.T) {
	deep := strings.Repeat("(", 65) + "x.a" + strings.Repeat(")", 65) + " <= 1"
	for _, c := range []struct{ in, want string }{
		{"", "column 1: it is empty\nhint: write a comparison, for example x.amount <= 1000"},
		{"x.limt <= 3", "column 1: unknown feature \"limt\"\nhint: did you mean x.limit?"},
		{"x.a <= orig.Loan amount", "column 8: unknown feature \"Loan\"\nhint: did you mean orig.\"Loan amount\"?"},
		{"x.limit_of_all <= 3", "column 1: unknown feature \"limit_of_all\"\nhint: the features are a, b, limit, \"Loan amount\", pixel[3] and 4 more"},
		{"x.zzzzzzz <= 3", "column 1: unknown feature \"zzzzzzz\"\nhint: the features are a, b, limit, \"Loan amount\", pixel[3] and 4 more"},
		{"0 <= x.a <= 1", "column 10: comparisons cannot be chained\nhint: write 0 <= x.a and x.a <= …"},
		{"a <= 1", "column 1: unexpected \"a\"\nhint: write x.a or orig.a"},
		{"y.a <= 1", "column 1: unknown row \"y\"\nhint: write x.NAME for the row as changed or orig.NAME for the row as it was"},
		{"x.a <= 1_000", "column 9: unexpected '_' in a number\nhint: write numbers as 1000, 0.15 or 1e6"},
		{"x.a <= 1e999", "column 8: \"1e999\" is not a finite number\nhint: write numbers as 1000, 0.15 or 1e6"},
		{"x.a = 1", "column 5: unexpected '='\nhint: write == for \"equal\""},
		{"x.a <= 15%", "column 10: unexpected '%'\nhint: write a share as a number, for example 0.15"},
		{"x.a <= 1 && x.b <= 1", "column 10: unexpected '&'\nhint: write and, or, not"},
		{"x.a <= 1 AND x.b <= 1", "column 10: unexpected \"AND\"\nhint: here comes an operator or the end"},
		{"x.a ** 2 <= 1", "column 5: unexpected '*'\nhint: write a power as a product"},
		{"x.a + 1", "column 5: it is a number, not a statement\nhint: compare it, for example with <= 0"},
		{"x.a and x.b > 1", "column 1: a number stands where a statement must\nhint: compare it, for example == 1"},
		{"(x.a > 1) + 1 > 1", "column 6: a statement stands where a number must\nhint: compare numbers; join statements with and, or, implies"},
		{"1 <= 2", "column 1: it names no feature\nhint: write x.NAME or orig.NAME"},
		{"x.a <=", "column 7: the relation ends too early\nhint: here comes a number, a feature or ("},
		{"(x.a <= 1", "column 10: the relation ends too early\nhint: here comes \")\""},
		{"x.größe <= 1 x.a", "column 14: unexpected feature \"a\"\nhint: here comes an operator or the end"},
		{"min(x.a) <= 1", "column 1: min takes two or more values, not 1"},
		{"abs(x.a, 1) <= 1", "column 1: abs takes one value, not 2"},
		{`x."a <= 1`, "column 3: the quoted name does not end\nhint: close it with \"; inside, write \\\" and \\\\"},
		{"x. <= 1", "column 3: a feature name must follow the point\nhint: write x.amount, x.pixel[3] or x.\"Loan amount\""},
		{deep, "column 65: it is nested more than 64 deep\nhint: split it into several relations"},
		{strings.Repeat("-", 70) + "x.a < 0", "column 64: it is nested more than 64 deep\nhint: split it into several relations"},
		{"x.a <= " + strings.Repeat("1", 4096), "it has 4103 bytes, more than 4096\nhint: split it at its top-level \"and\" into several relations"},
	} {
		_, err := domain.Canonical(c.in, named)
		if err == nil {
			t.Errorf("%s: no error", c.in)
		} else if diff := cmp.Diff(err.Error(), c.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", c.in, diff)
		}
	}
	_, err := domain.New(named, []string{"x.a <= 1", "x.limt <= 3"})
	if want := "parse relation 2 \"x.limt <= 3\": column 1: unknown feature \"limt\"\nhint: did you mean x.limit?"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Whatever parses is written as text that parses to the same text, and
// evaluating it never panics and never contradicts itself.
func FuzzRelation(f *testing.F) {
	for _, s := range append(credit,
		"x.a<=x.b*1.1", `x."Loan amount" - orig.a >= 0 or not x.a / x.b != 3e-5`,
		"min(x.a, -x.b, 3) < max(abs(orig.limit), 1) implies x.pixel[3] == 1 and 2 > x.größe",
		`x."quo\"te\\" > 1`, "x.a <= 1_000", strings.Repeat("(", 70), "x.a*x.b/x.limit*x.a >= x.petal.length*-x.a",
	) {
		f.Add(s, float32(0.5), float32(-1))
	}
	f.Fuzz(func(t *testing.T, text string, u, v float32) {
		first, err := domain.Canonical(text, named)
		if err != nil {
			return
		}
		if len(first) <= 4096 {
			second, err := domain.Canonical(first, named)
			if err != nil || second != first {
				t.Fatalf("%q is written as %q, which is read as %q, %v", text, first, second, err)
			}
		}
		d, err := domain.New(named, []string{text})
		if err != nil {
			t.Fatal(err)
		}
		x, orig := make([]float32, len(named)), make([]float32, len(named))
		for i := range x {
			x[i], orig[i] = u*float32(i)/2+v, v
		}
		if got, want := d.Violation(x, orig) == 0, d.Feasible(x, orig); got != want {
			t.Errorf("%q at %v: violation says %v, feasible %v", text, x, got, want)
		}
		d.Gradient(x, orig, make([]float64, len(x)))
		ok := d.Project(x, orig)
		if ok != d.Feasible(x, orig) {
			t.Errorf("%q: projection says %v", text, ok)
		}
		if reason, empty := d.Empty(); ok && empty {
			inside := true
			for i, o := range orig {
				inside = inside && float64(o) >= named[i].Min && float64(o) <= named[i].Max
			}
			if inside {
				t.Errorf("%q: %s, but %v is feasible", text, reason, x)
			}
		}
	})
}
