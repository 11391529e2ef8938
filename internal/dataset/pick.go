package dataset

import "fmt"

// Pick returns the recorded outputs of these rows, in the order given. A row
// that was not recorded is an error.
func (r *Recorded) Pick(rows []int) (*Recorded, error) {
	out := &Recorded{Rows: len(rows), Meaning: r.Meaning, K: r.K}
	for _, i := range rows {
		if i < 0 || i >= r.Rows {
			return nil, fmt.Errorf("read recorded outputs: row %d is not among the %d recorded\nhint: record one output per row of the data set, in its order", i, r.Rows)
		}
		if r.Scores != nil {
			out.Scores = append(out.Scores, r.Scores[i*r.K:(i+1)*r.K]...)
		}
		if r.Labels != nil {
			out.Labels = append(out.Labels, r.Labels[i])
		}
	}
	return out, nil
}
