// Package availability measures whether the system survives input that no
// honest caller sends.
package availability

import "github.com/assize/assize/internal/measure"

// Probes lists the probes of this family.
func Probes() []measure.Probe { return []measure.Probe{malformed, endpoint} }
