package attack_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
)

// TestProperties attacks those properties of VNN-COMP 2021 on dense networks
// that are known to be violated. Plain projected gradient descent finds 18 of
// the 23; answers.csv in the shared test data says which.
func TestProperties(t *testing.T) {
	answers, err := csv.NewReader(bytes.NewReader(shared(t, "mnistfc/answers.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	x, y := images(t, 1)
	nets := map[string]*network{}
	unsafe, found := 0, 0
	for _, a := range answers[1:] {
		if a[3] != "sat" {
			continue
		}
		unsafe++
		if nets[a[0]] == nil {
			nets[a[0]] = open(t, "mnistfc/"+a[0]+".gz", x, y)
		}
		n := nets[a[0]]
		th, row, label := property(t, shared(t, "mnistfc/"+a[1]+".gz"))
		rows := []attack.Row{{X: row, From: label, Rand: measure.Seed{3}.Row(unsafe)}}
		if err := attack.Aim(t.Context(), n.grad, rows); err != nil {
			t.Fatal(err)
		}
		broken := false
		for _, p := range attack.Auto(attack.Linf, 100, 9) {
			p.Restarts = 3
			outcome, err := attack.Run(t.Context(), n.grad, th, p, rows, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			if f := outcome[0]; f.Within(th.Epsilon) {
				var again [1]model.Decision
				if err := n.model.Decide(t.Context(), f.X, 1, again[:]); err != nil {
					t.Fatal(err)
				}
				for i, v := range f.X {
					if v < th.Lo[i] || v > th.Hi[i] {
						t.Fatalf("%s %s: pixel %d is %g, outside %g to %g", a[0], a[1], i, v, th.Lo[i], th.Hi[i])
					}
				}
				broken = again[0] != label
				break
			}
		}
		if broken {
			found++
		} else {
			t.Logf("%s %s: not broken", a[0], a[1])
		}
	}
	t.Logf("%d of %d properties broken", found, unsafe)
	if unsafe != 23 || found < 18 {
		t.Errorf("got %d of %d properties broken, want at least 18 of 23", found, unsafe)
	}
}

// property reads the box of a property and its label. The row is its middle.
func property(tb testing.TB, text []byte) (th *attack.Threat, row []float32, label model.Decision) {
	tb.Helper()
	th = box(784, attack.Linf, 0)
	row = make([]float32, 784)
	bounds := 0
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		var i int
		var v float64
		line := s.Text()
		if _, err := fmt.Sscanf(line, "; Mnist property with label: %d.", &i); err == nil {
			label = model.Decision(i)
		}
		if _, err := fmt.Sscanf(line, "(assert (<= X_%d %g))", &i, &v); err == nil {
			th.Hi[i] = float32(v)
			bounds++
		}
		if _, err := fmt.Sscanf(line, "(assert (>= X_%d %g))", &i, &v); err == nil {
			th.Lo[i] = float32(v)
			bounds++
		}
	}
	if bounds != 2*784 || !strings.Contains(string(text), fmt.Sprintf("(>= Y_%d Y_%d)", (label+1)%10, label)) {
		tb.Fatalf("a property has %d bounds", bounds)
	}
	for i := range row {
		row[i] = (th.Lo[i] + th.Hi[i]) / 2
		th.Epsilon = max(th.Epsilon, float64(th.Hi[i]-th.Lo[i])) // the box is what binds
	}
	return th, row, label
}
