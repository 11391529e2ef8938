//go:build !cgo

package ort

import "context"

// Load returns ErrNoCgo.
func Load(string) error { return ErrNoCgo }

// Version returns the empty string: no library is loaded.
func Version() string { return "" }

// Session cannot be made without cgo.
type Session struct{ *signature }

// NewSession returns ErrNoCgo.
func NewSession([]byte, Options) (*Session, error) { return nil, ErrNoCgo }

// Run returns ErrNoCgo.
func (s *Session) Run(context.Context, []*Tensor) ([]*Tensor, error) { return nil, ErrNoCgo }

// Close does nothing.
func (s *Session) Close() error { return nil }

// Runner cannot be made without cgo.
type Runner struct{}

// NewRunner returns ErrNoCgo.
func NewRunner(*Session, ...int64) (*Runner, error) { return nil, ErrNoCgo }

// InputLen returns 0.
func (r *Runner) InputLen() int { return 0 }

// OutputLen returns 0.
func (r *Runner) OutputLen(int) int { return 0 }

// Run returns ErrNoCgo.
func (r *Runner) Run(context.Context, []float32, int, ...[]float32) error { return ErrNoCgo }

// Close does nothing.
func (r *Runner) Close() error { return nil }

// Binding cannot be made without cgo.
type Binding struct{}

// Bind returns ErrNoCgo.
func Bind(*Session, []Port, []Port) (*Binding, error) { return nil, ErrNoCgo }

// Run returns ErrNoCgo.
func (b *Binding) Run(context.Context, int, [][]float32, [][]float32) error { return ErrNoCgo }

// Close does nothing.
func (b *Binding) Close() error { return nil }
