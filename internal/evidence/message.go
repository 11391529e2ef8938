package evidence

// Message is one thing that happens during a run. Exactly one field is set.
type Message struct {
	Started     *Started     `json:"started,omitempty"`
	Progress    *Progress    `json:"progress,omitempty"`
	Observation *Observation `json:"observation,omitempty"`
	Warning     string       `json:"warning,omitempty"`
}

// Started says that an item of the plan has begun.
type Started struct {
	Item    string `json:"item"`
	Probe   string `json:"probe"`
	Rows    int    `json:"rows"`
	Queries int    `json:"queries"` // estimated
}

// Progress says how much of an item is done, from 0 to 1.
type Progress struct {
	Item  string  `json:"item"`
	Share float64 `json:"share"`
}

// Handler receives a run's messages, one at a time.
type Handler interface {
	Handle(Message) error
}

// Replay sends the observations of a finished run as the run itself did.
func Replay(observations []Observation, h Handler) error {
	for i := range observations {
		o := &observations[i]
		if err := h.Handle(Message{Started: &Started{Item: o.Item, Probe: o.Probe, Rows: o.RowsCount}}); err != nil {
			return err
		}
		if err := h.Handle(Message{Observation: o}); err != nil {
			return err
		}
	}
	return nil
}
