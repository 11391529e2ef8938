// Package tree holds tree ensembles: readers of the formats that libraries
// write, and evaluation that equals theirs. Exact questions (how far is the next other
// decision) are answered by package tree/exact.
//
// Model files are untrusted. Every reader works within Limits, allocates in
// proportion to the bytes that are there rather than to what they claim, and
// returns ensembles that pass Check.
package tree

// Ensemble is a sum of trees per output, with a link behind it.
type Ensemble struct {
	// Features is the number of inputs, Names their names where the file has them.
	Features int
	Names    []string
	// Outputs is the number of sums: 1 for regression and two classes, else one per class.
	Outputs int
	// Classes is the number of classes, 0 for regression and ranking. Two
	// classes may have one output (the second class's) or one each.
	Classes int
	// Levels are, by feature, the names of its categories where the file has
	// them; the feature's value is the index of the name, and any other value
	// is an unknown category.
	Levels map[int][]string
	// Base is added to each output before the link, in margin units. It has a
	// value per output.
	Base []float64
	// Average divides each output by the number of its trees (random forests).
	Average bool
	Link    Link
	// Slope multiplies the margin inside a Sigmoid: 1 but for LightGBM's
	// parameter sigmoid.
	Slope float64
	// Single says that the library compares in float32: inputs and thresholds are
	// rounded to it before they are compared.
	Single bool
	// SingleSum says that the library adds in float32: base first, then the
	// trees in order.
	SingleSum bool
	Trees     []Tree
	// Format and Version say what was read: "xgboost-json", "lightgbm-text", "onnx-ml", …
	Format, Version string
}

// Link turns sums into what a library calls a prediction.
type Link string

// The links. Of one output, those of two classes give the probability of the
// second class, and what decides between them is stated per link.
const (
	Identity Link = "identity" // the margin itself; of two classes: above 0
	Share    Link = "share"    // the margin is a probability already, as forests average it; of two classes: above 0.5
	Sigmoid  Link = "sigmoid"  // 1/(1+exp(-Slope·margin)) of each output; of two classes: margin above 0
	Softmax  Link = "softmax"  // over all outputs
	Probit   Link = "probit"   // the inverse normal distribution, as ONNX-ML's PROBIT
	Step     Link = "step"     // 1 where the margin is above 0, else 0 (hinge loss)
	Exp      Link = "exp"      // count and gamma regressions
	Square   Link = "square"   // margin·|margin| (LightGBM's reg_sqrt)
	Softplus Link = "softplus" // log(1+exp(margin)) (LightGBM's cross_entropy_lambda)
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
	// MissingLeft says where a missing value goes, Missing what counts as one.
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
	In                         // x, its fraction cut off, is in the set; x of -1 and below is in none
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
