package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/listing"
)

// addListFlags adds the flags of every command that answers from the catalogue.
func addListFlags(c *cobra.Command) {
	c.Flags().String("catalogue", "", "folder of tables of your own, laid over the catalogue")
	addFormatFlag(c)
}

// addCatalogueFlag adds --catalogue to a command that assesses.
func addCatalogueFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "catalogue", "", "folder of tables of your own, laid over the catalogue (default: the manifest's)")
}

func addFormatFlag(c *cobra.Command) {
	c.Flags().String("format", "table", strings.Join(listing.Formats(), ", "))
}

// tables opens the catalogue that counts: the one in use, else the build's own,
// with the folder of --catalogue over it. It refuses an unknown format first, so
// that no command works for nothing.
func (a *App) tables(c *cobra.Command) (*catalogue.Tables, error) {
	if _, err := formatOf(c); err != nil {
		return nil, err
	}
	dir, err := c.Flags().GetString("catalogue")
	if err != nil {
		return nil, err
	}
	t, err := catalogue.Open(catalogue.Options{Pack: catalogue.InUse(a.KeyFolder), Dir: dir})
	if err != nil {
		return nil, usageError{err}
	}
	return t, nil
}

func formatOf(c *cobra.Command) (string, error) {
	format, err := c.Flags().GetString("format")
	if err != nil {
		return "", err
	}
	if !slices.Contains(listing.Formats(), format) {
		return "", usageError{fmt.Errorf("format %q is unknown\nhint: %s", format, strings.Join(listing.Formats(), ", "))}
	}
	return format, nil
}

// show writes a list in the format asked for, and says which catalogue it is
// from where that is not the build's own.
func (a *App) show(c *cobra.Command, l *listing.List) error {
	format, err := formatOf(c)
	if err != nil {
		return err
	}
	if c.Flags().Lookup("catalogue") != nil {
		if pack := catalogue.InUse(a.KeyFolder); pack != "" {
			l.Sources = append(l.Sources, "Catalogue in use: "+pack+", not the one of this build.")
		}
		if dir, err := c.Flags().GetString("catalogue"); err == nil && dir != "" {
			l.Sources = append(l.Sources, "With the tables of "+dir+" laid over it.")
		}
	}
	if l.Name != "coverage" && !strings.HasPrefix(l.Name, "iso-") { // whose columns are a form
		fit(l)
	}
	return l.Write(a.Out, format, a.Width)
}

// fit leaves out of tables the columns that are empty in every row, and lets
// names wrap where one is long.
func fit(l *listing.List) {
	for j := range l.Columns {
		longest := 0
		for _, row := range l.Rows {
			longest = max(longest, len(row[j]))
		}
		k := &l.Columns[j]
		k.Hidden = k.Hidden || longest == 0 && len(l.Rows) > 0
		k.Wide = k.Wide && (k.Key != "designation" || longest > 24)
	}
}

// narrow says whether tables have less than 100 columns.
func (a *App) narrow() bool { return a.Width > 0 && a.Width < 100 }

// oneOf refuses a flag's value that is none of those known; empty asks nothing.
func oneOf(flag, got string, known ...string) error {
	if got == "" || slices.Contains(known, got) {
		return nil
	}
	return usageError{fmt.Errorf("--%s %q is unknown\nhint: %s", flag, got, strings.Join(known, ", "))}
}

func (a *App) catalogue() *cobra.Command {
	c := &cobra.Command{
		Use:   "catalogue",
		Short: "Release, check and take into use catalogues of standards, law and criteria",
		Long: `The catalogue is released and digested apart from the program. Every dossier
names the digest of the catalogue that it was made with.`,
		Example: `  assize catalogue pack catalogue.tar.gz      write the catalogue that counts here as a release, signed
  assize catalogue verify catalogue.tar.gz    check one that somebody handed over
  assize catalogue use catalogue.tar.gz       check it, and answer and assess by it from now on`,
	}
	c.AddCommand(a.packCatalogue(), a.verifyCatalogue(), a.useCatalogue(), a.explore(), a.catalogueOSCAL())
	return c
}

// packed lists what a released catalogue holds.
func packed(p *catalogue.Packed, note string) *listing.List {
	l := &listing.List{
		Name:    "catalogue",
		Columns: []listing.Column{{Key: "table"}, {Key: "size_bytes", Title: "bytes"}, {Key: "digest"}},
		Notes:   []string{"Catalogue " + string(p.Digest), note},
	}
	for _, f := range p.Files {
		l.Rows = append(l.Rows, []string{f.Name, strconv.Itoa(f.SizeBytes), string(f.Digest)})
	}
	return l
}
