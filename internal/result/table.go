package result

// Table is a small table of words and numbers, for what no drawing shows. The first
// cell of a row names it.
type Table struct {
	ID    string     `json:"id"`
	Title string     `json:"title"`
	Head  []string   `json:"head"`
	Rows  [][]string `json:"rows"`
	// Data says that the rows speak of single rows of the target's data: the runner keeps the table with the
	// rows, and redaction leaves both out.
	Data bool `json:"data,omitempty"`
	// More counts the rows that were left out of the table and are in the file of rows.
	More int `json:"more,omitempty"`
}

// Masking is the ID of a table that says of each solution how much of what it seems to stop it only hides from
// an attack that does not know of it. Its columns are the solution, the rows with something to gain, the shares of them that resist an attack
// that does not know of it and one that does, the difference, and what the solution does; that begins with Hides where it hides something.
const (
	Masking = "masking"
	Hides   = "hides gradients"
)
