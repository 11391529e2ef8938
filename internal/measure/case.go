package measure

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// Case is everything that a probe may read. It lives in the sandboxed worker.
type Case struct {
	Params   Params
	Model    *model.Model       // with the solutions of this run on; nil where the probe needs none
	Domain   *domain.Domain     // nil where there is none
	Guessed  bool               // the domain was guessed from the data and nobody confirmed it
	Data     *dataset.Table     // the rows of this shard, in the order of Index; nil where the probe needs none
	Recorded *dataset.Recorded  // the recorded outputs of the same rows
	Others   *dataset.Table     // rows drawn with the seed from all test rows, at most OtherRows; nil where the probe needs none
	Index    []int              // row numbers in the data set, or case numbers
	Files    []File             // artefacts whose bytes the probe may read
	Records  []Record           // operating logs; none where the probe needs none
	Sets     []Set              // whole data sets; none where the probe needs none
	Seed     Seed               // of this probe in this run
	Results  map[string]*Result // of the probes that it requires
	Progress func(share float64)
	Logf     func(format string, args ...any)
}

// OtherRows is how many rows Case.Others holds where there are as many.
const OtherRows = 100

// Result is another probe's finished result, rows included.
type Result = result.Result

// File is an artefact that the worker has read access to.
type File struct {
	artefact.Artefact
	OpenPath string   // where the worker finds it
	Folder   string   // the target's folder, for relative references; it cannot be listed
	Siblings []string // of the files beside it, relative to the artefact's folder; a link as "name -> target"
}

// Set is a whole data set, and whether the model was made from it.
type Set struct {
	Name     string
	Training bool
	Table    *dataset.Table
}

// Joint is what Join may read: the rows of all shards and what is known of the target.
type Joint struct {
	Params  Params
	Rows    *result.Rows
	Lost    []Lost // rows whose worker died
	Seed    Seed
	Facts   Facts
	Guessed bool
	Results map[string]*Result
}

// Facts are what Join and the planner know of a target without its model.
type Facts struct {
	TestRows   int      `json:"test_rows"` // in the whole test set
	Width      int      `json:"width"`
	Classes    int      `json:"classes"`
	ClassNames []string `json:"class_names"`
	Outcomes   []string `json:"outcomes"`
	OutputKind string   `json:"output_kind"`
	Layout     string   `json:"layout,omitempty"` // columns, nchw or nhwc; "" where not known
	Rule       string   `json:"rule"`
	Positive   int      `json:"positive"`
	Favourable []string `json:"favourable,omitempty"`
}

// Lost is a row whose worker died while it was measured, twice.
type Lost struct {
	Row   int    `json:"row"`
	Cause string `json:"cause"`
	Kind  string `json:"kind"` // crashed, out-of-memory, time-limit …: sandbox.Kind
}

// Seed is the root of all randomness of one probe in one run; see plan.Seed.
type Seed [32]byte

// Row is the source of randomness of one row: the same however rows are split.
func (s Seed) Row(row int) *rand.Rand {
	var b [40]byte
	copy(b[:], s[:])
	binary.LittleEndian.PutUint64(b[32:], uint64(row))
	sum := sha256.Sum256(b[:])
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}

// Whole is the source of randomness of what is not about one row.
func (s Seed) Whole() *rand.Rand { return s.Row(-1) }

// Sample draws n of total row numbers without replacement, in ascending order. A smaller
// sample of the same seed is part of a larger one.
func Sample(seed Seed, total, n int) []int {
	order := seed.Whole().Perm(total)
	order = order[:min(n, total)]
	slices.Sort(order)
	return order
}

// Done reports progress when a probe is given nowhere to report it.
func (c *Case) Done(share float64) {
	if c.Progress != nil {
		c.Progress(share)
	}
}
