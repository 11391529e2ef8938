package wording

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
)

// Asked says what the run took of the served model, and whether the cap on it was reached; "" where the model is a file.
func Asked(d *dossier.Dossier) string {
	var sum *evidence.Traffic
	cut := 0 // observations
	for i := range d.Observations {
		t := d.Observations[i].Traffic
		if t == nil {
			continue
		}
		if sum == nil {
			sum = &evidence.Traffic{}
		}
		sum.Add(t)
		if t.Unasked > 0 {
			cut++
		}
	}
	if sum == nil {
		return ""
	}
	text := "asked of the served model: " + Traffic(sum)
	switch most := d.Plan.Cap; {
	case cut > 0 && most != nil:
		text += fmt.Sprintf(". The cap of %s was reached: %d %s not measured, or not whole", most, cut, plural(cut, "observation was", "observations were"))
	case most != nil:
		text += fmt.Sprintf(". The cap of %s was not reached", most)
	}
	return text
}

// Traffic says what an observation took of the served model.
func Traffic(t *evidence.Traffic) string {
	if t.Requests == 0 && t.Calls == 0 {
		return "nothing"
	}
	sent := fmt.Sprintf("%s answered calls", Whole(int64(t.Calls)))
	if t.Requests > 0 { // older records do not count them
		sent = fmt.Sprintf("%s %s in %s %s", Whole(int64(t.Sent)), plural(t.Sent, "row", "rows"), Whole(int64(t.Requests)), plural(t.Requests, "request", "requests"))
	}
	var trouble []string
	for _, c := range []struct {
		n         int
		one, more string
	}{
		{t.Throttled, "answer that it is asked too much (429, 503)", "answers that it is asked too much (429, 503)"},
		{t.Retries, "call made again", "calls made again"},
		{t.Failed, "call given up", "calls given up"},
	} {
		if c.n > 0 {
			trouble = append(trouble, Whole(int64(c.n))+" "+plural(c.n, c.one, c.more))
		}
	}
	if len(trouble) == 0 {
		trouble = []string{"none throttled, made again or given up"}
	}
	text := sent + "; " + strings.Join(trouble, ", ") + "; " + Seconds(t.Seconds) + " of the server"
	if t.Waited > 0 {
		text += ", " + Seconds(t.Waited) + " waited for the rate and before retries"
	}
	return text
}
