package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/draft"
	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/engine"
)

// manifestName and featuresName are what init writes.
const (
	manifestName = "assize.yaml"
	featuresName = "features.csv"
)

func (a *App) init() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Look at a folder's model and data and write a first manifest for them",
		Long: `Looks at the files of a folder: the inputs and outputs of ONNX models, the trees of XGBoost, LightGBM and
CatBoost, the columns and ranges of CSV, NPY and NPZ files, which column is the label, which columns are
one-hot groups, which file was recorded from the deployed system. Asks a handful of questions on a
terminal (none with --yes) and writes a commented assize.yaml and features.csv. What was guessed is marked.`,
		Args: exactly(1, "the folder that holds the model and its data"),
		RunE: func(c *cobra.Command, args []string) error { return a.draft(c.Context(), args[0], yes) },
	}
	c.Flags().BoolVar(&yes, "yes", false, "ask nothing; take every guess")
	return c
}

// draft looks, asks, writes, and sees whether what it wrote opens.
func (a *App) draft(ctx context.Context, dir string, yes bool) error {
	for _, name := range []string{manifestName, featuresName} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return usageError{fmt.Errorf("draft manifest: %s is there already\nhint: move it away to draft another", filepath.Join(dir, name))}
		}
	}
	found, err := draft.Look(ctx, dir)
	if err != nil {
		return err
	}
	a.showFound(found)
	var answers draft.Answers
	if !yes {
		if a.In == nil {
			return usageError{errors.New("draft manifest: there is no terminal to ask on\nhint: --yes takes every guess")}
		}
		if err := a.ask(found, &answers); err != nil {
			return err
		}
		found.Settle(ctx, &answers)
	}
	d, plan, err := a.settleKind(ctx, dir, found, answers)
	if err != nil {
		return err
	}
	a.showDraft(dir, d)
	if reason := plan.Plan.ModelError; reason != "" {
		return fmt.Errorf("the manifest is valid, but the model does not open: %s", reason)
	}
	return nil
}

// settleKind writes the draft, and writes it again with another kind of output where the model
// gives numbers that cannot be of the kind that was guessed.
func (a *App) settleKind(ctx context.Context, dir string, found *draft.Found, answers draft.Answers) (*draft.Draft, *engine.Forecast, error) {
	for kind := 0; ; kind++ {
		d, err := found.Write(ctx, answers, kind)
		if err != nil {
			return nil, nil, err
		}
		if err := keepDraft(dir, d); err != nil {
			return nil, nil, err
		}
		plan, err := engine.Plan(ctx, a.options(dir, "quick"))
		if err != nil {
			return nil, nil, errors.Join(err, removeDraft(dir))
		}
		if !strings.Contains(plan.Plan.ModelError, "interface.output.kind") || len(d.More) == 0 {
			return d, plan, nil
		}
	}
}

func keepDraft(dir string, d *draft.Draft) error {
	if len(d.Features) > 0 {
		if err := durable.WriteFile(filepath.Join(dir, featuresName), d.Features, 0o644); err != nil {
			return durable.Explain("write", filepath.Join(dir, featuresName), err)
		}
	}
	if err := durable.WriteFile(filepath.Join(dir, manifestName), d.Manifest, 0o644); err != nil {
		return durable.Explain("write", filepath.Join(dir, manifestName), err)
	}
	return nil
}

// removeDraft leaves no manifest that does not validate.
func removeDraft(dir string) error {
	err := os.Remove(filepath.Join(dir, manifestName))
	if gone := os.Remove(filepath.Join(dir, featuresName)); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// ask puts the questions on the terminal.
func (a *App) ask(found *draft.Found, answers *draft.Answers) error {
	in := bufio.NewReader(a.In)
	for _, q := range found.Questions() {
		fmt.Fprintf(a.Out, "\n%s\n", q.Text)
		if len(q.Choices) > 0 {
			fmt.Fprintf(a.Out, "  one of: %s\n", printable(strings.Join(q.Choices, ", ")))
		}
		for {
			fmt.Fprintf(a.Out, "  [%s] ", printable(q.Default))
			reply, err := in.ReadString('\n')
			if err != nil && !(errors.Is(err, io.EOF) && reply != "") {
				return errors.New("draft manifest: the answers ended early\nhint: --yes takes every guess")
			}
			err = q.Answer(answers, reply)
			if err == nil {
				break
			}
			fmt.Fprintf(a.Out, "  %v\n", err)
		}
	}
	return nil
}

// printable shows a file's own words without what would steer a terminal.
func printable(s string) string {
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

func (a *App) showFound(f *draft.Found) {
	for _, m := range f.Models {
		what := fmt.Sprintf("%s, %s", m.Format, howMany(m.Width, "inputs"))
		if m.Problem != "" {
			what = m.Format + "; " + m.Problem
		}
		fmt.Fprintf(a.Out, "model  %s: %s\n", printable(m.Path), printable(what))
	}
	for _, t := range f.Tables {
		switch {
		case t.Problem != "":
			fmt.Fprintf(a.Out, "table  %s: cannot be used as it is: %s\n", printable(t.Path), printable(t.Problem))
		default:
			label := ""
			if t.Label != "" {
				label = ", label " + printable(t.Label)
			}
			fmt.Fprintf(a.Out, "table  %s: %s, %s%s\n", printable(t.Path), howMany(t.Info.Rows, "rows"), howMany(t.Info.Width, "inputs"), label)
		}
	}
	for _, c := range f.Closed {
		fmt.Fprintf(a.Out, "closed %s: a %s, which is never opened; %s\n", printable(c.Path), c.Format, c.Recipe)
	}
	for _, s := range f.Skipped {
		fmt.Fprintf(a.Out, "left   %s\n", printable(s))
	}
}

func howMany(n int, of string) string {
	if n == 0 {
		return "any number of " + of
	}
	return strconv.Itoa(n) + " " + of
}

func (a *App) showDraft(dir string, d *draft.Draft) {
	fmt.Fprintf(a.Out, "\nwrote %s\n", filepath.Join(dir, manifestName))
	if len(d.Features) > 0 {
		fmt.Fprintf(a.Out, "      %s\n", filepath.Join(dir, featuresName))
	}
	fmt.Fprintln(a.Out, "\nguessed; look at each:")
	for _, g := range d.Guessed {
		fmt.Fprintf(a.Out, "  - %s\n", printable(g))
	}
	fmt.Fprintf(a.Out, "\nnext: assize plan %s, then assize assess %s --depth quick\n", dir, dir)
}
