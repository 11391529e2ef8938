// Command assize decides, by measurement, whether the measures that protect an AI system do what they must.
package main

import (
	"os"

	"github.com/assize/assize/internal/cli"
)

func main() { os.Exit(cli.Main()) }
