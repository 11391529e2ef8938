package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/qualify"
)

// qualificationDomain is what signatures of records are made for.
const qualificationDomain = "assize qualification v1"

// signedRecord is the file that qualify writes. The signature covers the record's bytes as they stand.
type signedRecord struct {
	Record    json.RawMessage `json:"record"`
	Key       string          `json:"key"`
	Signature string          `json:"signature"`
}

func (a *App) qualify() *cobra.Command {
	var out, check string
	c := &cobra.Command{
		Use:   "qualify",
		Short: "Show that this program gives known right answers on this machine, and sign what came out",
		Long: `Assesses a dozen small systems whose right answers are known by arithmetic or from published tables: attacks that must
find exactly some rows, proofs, decisions, a changed model, a file that reads outside its folder, a changed dossier.
Prints each answer and writes a signed record: tool, digest of the program, environment, each case passed or not. A
testing laboratory files it for the software that it uses.

Exit status: 0 all right, 3 a case is wrong, 1 could not run.`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if check != "" {
				return a.checkQualification(c.Context(), check)
			}
			record, err := qualify.Run(c.Context(), qualify.Options{Tool: "assize " + Version, Program: a.Worker.Path, Command: a.Worker, Now: a.Now, Case: a.showCase})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "\n%d of %d cases right\n", record.Passed, record.Of)
			if err := a.keepQualification(record, out); err != nil {
				return err
			}
			if record.Passed != record.Of {
				return exitError{exitGoal}
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "qualification.json", "file for the signed record; empty writes none")
	c.Flags().StringVar(&check, "check", "", "verify the signature of a record instead, and show it")
	return c
}

func (a *App) showCase(o qualify.Outcome) {
	mark := "✓"
	if !o.Passed {
		mark = "✗"
	}
	fmt.Fprintf(a.Out, "%s %-16s %s\n", mark, o.ID, o.Asks)
	if o.Error != "" {
		fmt.Fprintf(a.Out, "    could not be run: %s\n", o.Error)
	}
	for _, k := range o.Checks {
		if !k.Passed {
			fmt.Fprintf(a.Out, "    %s: got %s, want %s\n", k.What, k.Got, k.Want)
		}
	}
}

func (a *App) keepQualification(record *qualify.Record, out string) error {
	if out == "" {
		return nil
	}
	b, err := json.Marshal(record)
	if err != nil {
		return err
	}
	key, err := ledger.LoadOrCreateKey(a.KeyFolder)
	if err != nil {
		return err
	}
	signature, err := key.Sign(qualificationDomain, b)
	if err != nil {
		return err
	}
	file, err := json.Marshal(signedRecord{Record: b, Key: key.Verifier().String(), Signature: base64.StdEncoding.EncodeToString(signature)})
	if err != nil {
		return err
	}
	if err := durable.WriteFile(out, append(file, '\n'), 0o644); err != nil {
		return durable.Explain("write", out, err)
	}
	fmt.Fprintf(a.Out, "wrote %s, signed with %s\n", out, key.Verifier())
	return nil
}

// maxQualification bounds a record that somebody else wrote.
const maxQualification = 1 << 20

// checkQualification verifies a record with the key inside it, which it names.
func (a *App) checkQualification(ctx context.Context, path string) error {
	b, err := os.ReadFile(path)
	switch {
	case err != nil:
		return fmt.Errorf("check qualification: %w", err)
	case len(b) > maxQualification:
		return fmt.Errorf("check qualification: %s holds more than %d bytes\nhint: it is what assize qualify wrote", path, maxQualification)
	}
	const hint = "\nhint: it is not as assize qualify wrote it"
	var s signedRecord
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("check qualification: %s: %w%s", path, err, hint)
	}
	again, err := json.Marshal(s)
	if err != nil || !bytes.Equal(append(again, '\n'), b) {
		return errors.New("check qualification: " + path + " is not in the one form that is signed" + hint)
	}
	verifier, err := ledger.ParseVerifier(s.Key)
	if err != nil {
		return fmt.Errorf("check qualification: key: %w", err)
	}
	signature, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil || verifier.Verify(qualificationDomain, s.Record, signature) != nil {
		return errors.New("check qualification: the signature does not fit the record" + hint)
	}
	var r qualify.Record
	if err := json.Unmarshal(s.Record, &r); err != nil {
		return fmt.Errorf("check qualification: %s: %w%s", path, err, hint)
	}
	for _, o := range r.Cases {
		a.showCase(o)
	}
	fmt.Fprintf(a.Out, "\n%d of %d cases right, %s (%s), %s\nsigned with %s: whose key that is must be known from elsewhere\n",
		r.Passed, r.Of, printable(r.Tool), printable(string(r.Program)), r.Ended.Format("2006-01-02 15:04 MST"), printable(s.Key))
	if self, _, err := artefact.DigestOf(ctx, a.Worker.Path); err == nil && self != r.Program {
		fmt.Fprintln(a.Out, "it was another program than this one")
	}
	if r.Passed != r.Of || r.Of == 0 {
		return exitError{exitGoal}
	}
	return nil
}
