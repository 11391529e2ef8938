package engine

// Refusal is an error of the manifest that only shows against the catalogue or
// the data: an unknown goal, a level that nobody reads, a domain that nothing meets.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Err }
