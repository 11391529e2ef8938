//go:build !ortembed

package ort

// embedded is empty: this build carries no library.
func embedded() []byte { return nil }
