// Command assize-verify checks a dossier and does nothing else. It links no
// runtime and no probe, so that an assessor can read all of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/verify"
)

func main() { os.Exit(run()) }

func run() int {
	keyFile := flag.String("key", "", "file with the signer's public key, from somewhere other than the dossier")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: assize-verify [--key FILE] DOSSIER")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var key *ledger.Verifier
	if *keyFile != "" {
		var err error
		if key, err = ledger.ReadVerifier(*keyFile); err != nil {
			fmt.Fprintln(os.Stderr, "assize-verify:", err)
			return 1
		}
	}
	r, err := verify.Trusting(ctx, flag.Arg(0), verify.Trust{Key: key, Tool: dossier.Tool})
	if err != nil {
		fmt.Fprintln(os.Stderr, "assize-verify:", err)
		return 1
	}
	if err := r.Write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "assize-verify:", err)
		return 1
	}
	if !r.OK() {
		return 1
	}
	return 0
}
