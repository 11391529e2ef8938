//go:build ortembed

package ort

import _ "embed"

// embeddedLibrary is the pinned library of the platform that is built for, gzipped; release/build.sh puts it there.
//
//go:embed embedded/library.gz
var embeddedLibrary []byte

// embedded is the library that this build carries.
func embedded() []byte { return embeddedLibrary }
