// Package assize is the root of the module and holds nothing but the tests of
// the rules that all packages follow; see all_test.go. The program is in cmd/assize.
package assize
