package cli

import (
	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/verify"
	"github.com/assize/assize/internal/witness"
	"github.com/assize/assize/internal/witness/stamp"
)

func (a *App) verify() *cobra.Command {
	var keyFile, tsa, witnesses string
	c := &cobra.Command{
		Use:   "verify DOSSIER",
		Short: "Check a dossier offline: files, ledger, order, signature, decisions",
		Args:  exactly(1, "one dossier folder"),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := trusted(keyFile)
			if err != nil {
				return err
			}
			trust := verify.Trust{Key: key, Tool: dossier.Tool, Stamp: stamp.Checker(nil)}
			if tsa != "" {
				roots, err := stamp.ReadRoots(tsa)
				if err != nil {
					return err
				}
				trust.Stamp, trust.Authorities = stamp.Checker(roots), true
			}
			if witnesses != "" {
				if trust.Witnesses, err = witness.ReadKeys(witnesses); err != nil {
					return err
				}
			}
			r, err := verify.Trusting(c.Context(), args[0], trust)
			if err != nil {
				return err
			}
			if err := r.Write(a.Out); err != nil {
				return err
			}
			if !r.OK() {
				return exitError{exitUnable}
			}
			return nil
		},
	}
	c.Flags().StringVar(&keyFile, "key", "", "file with the signer's public key, from somewhere other than the dossier")
	c.Flags().StringVar(&tsa, "tsa", "", "PEM file of certificates that time stamps must lead to")
	c.Flags().StringVar(&witnesses, "witness-key", "", "file of witness keys, one of which must have cosigned")
	return c
}
