// Package draft looks at the files of a folder and writes a first manifest for
// them. What it cannot read off the files it guesses, and says so beside the value.
package draft

import (
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/manifest"
)

// Found is what lies in a folder, as far as a manifest can speak of it.
type Found struct {
	Dir     string
	Models  []Model
	Tables  []Table
	Closed  []Closed // models in formats that are not opened
	Skipped []string // other files, with the reason
}

// Model is a model file that Assize opens.
type Model struct {
	Path    string // relative to the folder, with slashes
	Format  string // "ONNX", or the format of a tree library
	Problem string // why it cannot be used as it is; empty where it can
	// Input and Output name tensors; both are empty where the file needs no names.
	Input, Output string
	Layout        manifest.Layout
	Width         int      // values a row; 0 where the file leaves it open
	Columns       int      // numbers a row that come out; 0 where the file leaves it open
	Names         []string // of the inputs, where the file has them
	// Kinds are what the output may be, the likeliest first. One alone is known, not guessed.
	Kinds []manifest.OutputKind
}

// Table is a data file, with the label that was found in it.
type Table struct {
	Path  string
	Input string // array of an NPZ file
	Label string // column or array; empty where there is none
	// LabelSure says that nothing else could be the label.
	LabelSure bool
	Info      *dataset.Info
	Problem   string
	header    []string // of a CSV file
	text      []int    // its columns that hold other than numbers
}

// Closed is a model file in a format that is never opened.
type Closed struct {
	Path, Format, Recipe string
}

// Answers are what only a person knows. Fields that are empty are guessed.
type Answers struct {
	Purpose    string
	Model      string // path
	Label      string
	Cutoff     string
	Favourable string
}
