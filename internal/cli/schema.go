package cli

import (
	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/manifest"
)

func (a *App) manifest() *cobra.Command {
	c := &cobra.Command{Use: "manifest", Short: "The format of assize.yaml"}
	c.AddCommand(&cobra.Command{
		Use: "schema", Short: "Print the JSON Schema that assize.yaml is validated against", Args: exactly(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Out.Write(manifest.Schema())
			return err
		},
	})
	return c
}

func (a *App) dossier() *cobra.Command {
	c := &cobra.Command{Use: "dossier", Short: "The format of dossier.json"}
	c.AddCommand(&cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of dossier.json", Args: exactly(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			b, err := engine.DossierSchema()
			if err != nil {
				return err
			}
			_, err = a.Out.Write(b)
			return err
		},
	})
	return c
}
