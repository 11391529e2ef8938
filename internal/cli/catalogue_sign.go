package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/verify"
)

// packCatalogue writes the catalogue that counts as a release, and the user's
// signature of it beside.
func (a *App) packCatalogue() *cobra.Command {
	c := &cobra.Command{
		Use: "pack FILE", Short: "Write the catalogue as a release, with your signature beside it", Args: exactly(1, "one file to write"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			if err := engine.CheckConditions(t); err != nil {
				return err
			}
			var b bytes.Buffer
			p, err := t.Pack(&b)
			if err != nil {
				return err
			}
			key, err := ledger.LoadOrCreateKey(a.KeyFolder)
			if err != nil {
				return err
			}
			s := catalogue.NewSignature(p.Digest, key.Verifier().String())
			if s.Signature, err = key.Sign(catalogue.SignatureDomain, s.Payload()); err != nil {
				return err
			}
			signature, err := s.Encode()
			if err != nil {
				return err
			}
			if err := os.WriteFile(args[0], b.Bytes(), 0o644); err != nil {
				return fmt.Errorf("pack catalogue: %w", err)
			}
			beside := args[0] + catalogue.SignatureSuffix
			if err := os.WriteFile(beside, signature, 0o644); err != nil {
				return fmt.Errorf("pack catalogue: %w", err)
			}
			return a.show(c, packed(p, fmt.Sprintf("Written to %s, signed in %s with %s. Publish the key elsewhere too: a signature shows no more than who holds it.", args[0], beside, s.Key)))
		},
	}
	addListFlags(c)
	return c
}

func (a *App) verifyCatalogue() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use: "verify FILE", Short: "Check a released catalogue: digests, nothing else in it, lint, signature", Args: exactly(1, "one released catalogue"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := readPack(args[0], key)
			if err != nil {
				return err
			}
			return a.show(c, packed(&p.Packed, "Whole, and without fault by lint. "+p.Says()))
		},
	}
	addFormatFlag(c)
	addKeyFlag(c, &key)
	return c
}

func (a *App) useCatalogue() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use: "use FILE", Short: "Check a released catalogue and answer by it from now on", Args: exactly(1, "one released catalogue"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := readPack(args[0], key)
			if err != nil {
				return err
			}
			used, err := catalogue.Use(args[0], a.KeyFolder)
			if err != nil {
				return err
			}
			return a.show(c, packed(used, p.Says()+" In use from now on. To go back to the build's own, remove "+catalogue.InUse(a.KeyFolder)+"."))
		},
	}
	addFormatFlag(c)
	addKeyFlag(c, &key)
	return c
}

func addKeyFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "key", "", "file with the signer's public key, from somewhere other than the catalogue")
}

// readPack checks a pack, by the key in a file where one is named.
func readPack(path, keyFile string) (*verify.Pack, error) {
	var key *ledger.Verifier
	if keyFile != "" {
		var err error
		if key, err = ledger.ReadVerifier(keyFile); err != nil {
			return nil, err
		}
	}
	p, err := verify.ReadPack(path, key)
	var none *fs.PathError
	if errors.As(err, &none) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	t, err := catalogue.Open(catalogue.Options{Pack: path})
	if err != nil {
		return nil, err
	}
	return p, engine.CheckConditions(t)
}
