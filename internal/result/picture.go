package result

// Picture is the data of one drawing. A report draws it; the table of its
// points is its text alternative.
type Picture struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Kind is "curve" (lines over X), "bars" (one bar per label) or "matrix" (Cells).
	Kind   string `json:"kind"`
	XLabel string `json:"x_label,omitempty"`
	YLabel string `json:"y_label,omitempty"`
	LogX   bool   `json:"log_x,omitempty"`
	// Diagonal asks for the line y = x as a reference.
	Diagonal bool     `json:"diagonal,omitempty"`
	Series   []Series `json:"series,omitempty"`
	// Labels name the rows and columns of a matrix, or the bars.
	Labels []string `json:"labels,omitempty"`
	// Cells is a matrix by rows; for a confusion matrix rows are the true class.
	Cells [][]float64 `json:"cells,omitempty"`
}

// Series is one line, or one set of bars, with an optional band around it.
type Series struct {
	Name  string    `json:"name"`
	X     []float64 `json:"x,omitempty"`
	Y     []float64 `json:"y"`
	Lower []float64 `json:"lower,omitempty"`
	Upper []float64 `json:"upper,omitempty"`
}
