package evidence_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/evidence"
)

type hearer struct {
	heard []evidence.Message
	limit int
}

var errEnough = errors.New("enough")

func (h *hearer) Handle(m evidence.Message) error {
	if len(h.heard) == h.limit {
		return errEnough
	}
	h.heard = append(h.heard, m)
	return nil
}

func TestReplay(t *testing.T) {
	one, two := observation(), observation()
	two.Item, two.Probe, two.RowsCount = "i-2", "evasion/x", 7
	all := []evidence.Observation{one, two}
	want := []evidence.Message{
		{Started: &evidence.Started{Item: "i-1", Probe: "evasion/noise", Rows: 100}}, {Observation: &one},
		{Started: &evidence.Started{Item: "i-2", Probe: "evasion/x", Rows: 7}}, {Observation: &two},
	}
	for limit := range len(want) + 1 {
		h := &hearer{limit: limit}
		err := evidence.Replay(all, h)
		if limit < len(want) != errors.Is(err, errEnough) {
			t.Errorf("with room for %d messages: got error %v", limit, err)
		}
		if diff := cmp.Diff(h.heard, want[:limit:limit]); limit > 0 && diff != "" {
			t.Errorf("messages (-got +want):\n%s", diff)
		}
	}
}
