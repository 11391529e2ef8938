package cli

import (
	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/verify"
)

func (a *App) verify() *cobra.Command {
	var keyFile string
	c := &cobra.Command{
		Use:   "verify DOSSIER",
		Short: "Check a dossier offline: files, ledger, order, signature, decisions",
		Args:  exactly(1, "one dossier folder"),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := trusted(keyFile)
			if err != nil {
				return err
			}
			r, err := verify.Dossier(c.Context(), args[0], key)
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
	return c
}
