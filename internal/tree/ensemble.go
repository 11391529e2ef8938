// Package tree holds tree ensembles: readers of the formats that libraries
// write, and evaluation that equals theirs. Exact questions (how far is the next other
// decision) are answered by package tree/exact.
package tree

// Ensemble is a sum of trees per output, with a link behind it.
type Ensemble struct {
	// Features is the number of inputs, Names their names where the file has them.
	Features int
	Names    []string
	// Outputs is the number of sums: 1 for regression and two classes, else one per class.
	Outputs int
	// Base is added to each output before the link, in margin units.
	Base []float64
	// Average divides each output by the number of its trees (random forests).
	Average bool
	Link    Link
	// Single says that the library compares in float32: inputs and thresholds are
	// rounded to it before they are compared.
	Single bool
	Trees  []Tree
	// Format and Version say what was read: "xgboost-json", "lightgbm-text", "onnx-ml", …
	Format, Version string
}

// Link turns sums into what a library calls a prediction.
type Link string

// The links.
const (
	Identity Link = "identity"
	Sigmoid  Link = "sigmoid" // of one output: the probability of the positive class
	Softmax  Link = "softmax"
	Exp      Link = "exp" // count and gamma regressions
)

// Tree adds leaf values to one output, or, where it has vectors at its leaves, to all.
type Tree struct {
	Output int     // -1: leaves hold a value per output
	Weight float64 // DART and weighted boosting; 1 otherwise
	// Nodes, the root first. Children stand behind their parent.
	Nodes []Node
	// Values are the leaves' values, Outputs of them a leaf where Output is -1.
	Values []float64
	// Sets are the category sets of nodes that split on one, as bit sets.
	Sets [][]uint64
}

// Node is an inner node or a leaf.
type Node struct {
	Feature     int32 // -1: a leaf
	Left, Right int32 // children; of a leaf, Left is the index of its first value
	Threshold   float64
	// Compare decides when a value goes left.
	Compare Compare
	// MissingLeft says where a missing value goes. Zero says whether zero counts as missing (LightGBM's zero_as_missing),
	// NaN whether NaN does; where it does not, NaN is taken as 0 (LightGBM) or compares false.
	MissingLeft bool
	Missing     Missing
	Set         int32 // index into Sets for Compare In
}

// Compare is a split rule.
type Compare uint8

// The split rules: the value goes left when it holds.
const (
	Less        Compare = iota // x < t   (XGBoost)
	LessOrEqual                // x <= t  (LightGBM, scikit-learn)
	Equal                      // x == t  (one-hot splits)
	In                         // the integer value is in the set
)

// Missing says what counts as a missing value at a node.
type Missing uint8

// The kinds of missing value.
const (
	MissingNone       Missing = iota // nothing: NaN is taken as 0 before comparing
	MissingNaN                       // NaN goes the default way
	MissingZeroAndNaN                // zero (within 1e-35) and NaN go the default way
	MissingCompares                  // NaN is compared like any value, so every comparison is false
)
