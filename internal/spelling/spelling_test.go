package spelling_test

import (
	"strings"
	"testing"

	"github.com/assize/assize/internal/spelling"
)

// The distances can be counted by hand; CA to ABC is the known case in which
// optimal string alignment (3) and Damerau's own distance (2) part.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"CA", "ABC", 3},
		{"epsilon", "espilon", 1}, {"größe", "grösse", 2}, {"a", "b", 1},
		{strings.Repeat("x", 100), strings.Repeat("x", 80), 0},
	} {
		if got := spelling.Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q): got %d, want %d", c.a, c.b, got, c.want)
		}
		if got := spelling.Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %q): got %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"age", "duration", "amount"}
	for _, c := range []struct {
		got    string
		within int
		want   string
	}{
		{"Duratoin", 2, "duration"}, {"AGE", 0, "age"}, {"age", 3, ""}, {"income", 2, ""},
		{strings.Repeat("age", 30), 100, ""},
	} {
		if got := spelling.Nearest(c.got, words, c.within); got != c.want {
			t.Errorf("Nearest(%q, %d): got %q, want %q", c.got, c.within, got, c.want)
		}
	}
}
