package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Policy is what a site lays over the lists.
type Policy struct {
	// Vetted are names of the site's own that do no harm.
	Vetted []PolicyName `yaml:"vetted"`
	// Denied are names that this site does not want, vetted here or not: "module.name" or "module.*".
	Denied []string `yaml:"denied"`
	// AllowIncomplete are rules of findings that make a file incomplete and that the
	// site accepts: "core/unknown-format". The outcome is still written as it is.
	AllowIncomplete []string `yaml:"allow_incomplete"`
	// TimePerFile replaces the time that a file may take beyond what its size gives it.
	TimePerFile time.Duration `yaml:"time_per_file"`
	digest      string
}

// PolicyName is one vetted name.
type PolicyName struct {
	Name string   `yaml:"name"` // module.attribute
	Uses []string `yaml:"uses"` // call, new, container; new where empty
	Why  string   `yaml:"why"`  // who looked at it, and when
}

// maxPolicy is the size of a policy that is read.
const maxPolicy = 1 << 20

// ReadPolicy reads a policy of a site.
func ReadPolicy(path string) (*Policy, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	if len(b) > maxPolicy {
		return nil, fmt.Errorf("read policy %q: more than %d bytes", path, maxPolicy)
	}
	var p Policy
	if err := yaml.UnmarshalWithOptions(b, &p, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read policy %q: %w", path, err)
	}
	if p.TimePerFile < 0 {
		return nil, fmt.Errorf("read policy %q: time_per_file is %v\nhint: 30m, or leave it out for the default", path, p.TimePerFile)
	}
	for _, v := range p.Vetted {
		if strings.LastIndexByte(v.Name, '.') <= 0 || v.Why == "" {
			return nil, fmt.Errorf("read policy %q: vetted name %q needs a module and a reason\nhint: {name: my_models.Net, uses: [new], why: \"read by M. Example, 2026-11-02\"}", path, v.Name)
		}
		if _, err := flags(strings.Join(v.Uses, ",")); len(v.Uses) > 0 && err != nil {
			return nil, fmt.Errorf("read policy %q: name %q: %w\nhint: call, new or container", path, v.Name, err)
		}
	}
	for _, d := range p.Denied {
		if strings.LastIndexByte(d, '.') <= 0 {
			return nil, fmt.Errorf("read policy %q: denied name %q has no module\nhint: module.name or module.*", path, d)
		}
	}
	sum := sha256.Sum256(b)
	p.digest = "sha256:" + hex.EncodeToString(sum[:])
	return &p, nil
}

// Digest is the SHA-256 of the policy's file.
func (p *Policy) Digest() string { return p.digest }

// With lays a policy over the lists.
func (s *Set) With(p *Policy) *Set {
	out := *s
	out.vetted, out.denied = maps.Clone(s.vetted), map[string]map[string]string{}
	for m, names := range s.denied {
		out.denied[m] = maps.Clone(names)
	}
	for _, v := range p.Vetted {
		i := strings.LastIndexByte(v.Name, '.')
		verdict := Verdict{Kind: Vetted, New: true}
		if len(v.Uses) > 0 {
			verdict, _ = flags(strings.Join(v.Uses, ",")) // checked by ReadPolicy
		}
		verdict.Special = "" // a site vouches for a name; the rules for arguments are ours
		out.vetted[v.Name[:i]+" "+v.Name[i+1:]] = verdict
	}
	for _, d := range p.Denied {
		i := strings.LastIndexByte(d, '.')
		module, name := d[:i], d[i+1:]
		if out.denied[module] == nil {
			out.denied[module] = map[string]string{}
		}
		out.denied[module][name] = "execute"
		for key := range out.vetted {
			if m, n, _ := strings.Cut(key, " "); m == module && (name == "*" || n == name) {
				delete(out.vetted, key)
			}
		}
	}
	sum := sha256.Sum256([]byte(s.digest + " " + p.digest))
	out.digest = "sha256:" + hex.EncodeToString(sum[:])
	return &out
}
