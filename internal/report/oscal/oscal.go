// Package oscal writes the catalogue's requirements as an OSCAL catalog and a
// dossier as OSCAL assessment results, both of version 1.0.6 and in JSON.
//
// All UUIDs are of version 5, made from what they name, so that the same input
// gives the same bytes. Text goes through wording.Clean, since a dossier may be hostile.
package oscal

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/report/wording"
)

// Version is the version of OSCAL that is written.
const Version = "1.0.6"

// namespace is that of all properties of ours.
const namespace = "https://github.com/assize/assize/ns/oscal"

type metadata struct {
	Title        string             `json:"title"`
	LastModified string             `json:"last-modified"`
	Version      string             `json:"version"`
	OSCAL        string             `json:"oscal-version"`
	Props        []property         `json:"props,omitempty"`
	Roles        []role             `json:"roles,omitempty"`
	Parties      []party            `json:"parties,omitempty"`
	Responsible  []responsibleParty `json:"responsible-parties,omitempty"`
	Remarks      string             `json:"remarks,omitempty"`
}

type role struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type party struct {
	UUID string `json:"uuid"`
	Type string `json:"type"`
	Name string `json:"name"`
}

type responsibleParty struct {
	Role    string   `json:"role-id"`
	Parties []string `json:"party-uuids"`
}

type property struct {
	Name    string `json:"name"`
	NS      string `json:"ns,omitempty"`
	Value   string `json:"value"`
	Class   string `json:"class,omitempty"`
	Remarks string `json:"remarks,omitempty"`
}

type link struct {
	HRef string `json:"href"`
	Rel  string `json:"rel,omitempty"`
	Text string `json:"text,omitempty"`
}

type part struct {
	ID    string     `json:"id,omitempty"`
	Name  string     `json:"name"`
	Title string     `json:"title,omitempty"`
	Props []property `json:"props,omitempty"`
	Prose string     `json:"prose,omitempty"`
}

type backMatter struct {
	Resources []resource `json:"resources"`
}

type resource struct {
	UUID        string     `json:"uuid"`
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	Props       []property `json:"props,omitempty"`
	RLinks      []rlink    `json:"rlinks,omitempty"`
}

type rlink struct {
	HRef   string `json:"href"`
	Hashes []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// encode writes v with its one top-level key, indented and ended by a line break.
func encode(w io.Writer, key string, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(map[string]any{key: v}); err != nil {
		return fmt.Errorf("write OSCAL %s: %w", key, err)
	}
	return nil
}

// uuid makes a UUID of version 5 (RFC 9562, 5.5) from names, in the namespace of URLs.
func uuid(names ...string) string {
	// The namespace for URLs of RFC 9562, appendix C.
	h := sha1.New()
	h.Write([]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8})
	h.Write([]byte(namespace + "/" + strings.Join(names, "/")))
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// token makes an identifier that OSCAL takes: letters, digits, ".", "-" and "_",
// with a letter or "_" first.
func token(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case unicode.IsLetter(r) || r == '_' || i > 0 && (unicode.IsNumber(r) || r == '.' || r == '-'):
			b.WriteRune(r)
		case i == 0:
			b.WriteByte('_')
			if unicode.IsNumber(r) {
				b.WriteRune(r)
			}
		default:
			b.WriteByte('-')
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// text is s on one line, without spaces around it.
func text(s string) string { return strings.TrimSpace(wording.Clean(s)) }

// prop is a property of ours. Empty values are no properties.
func prop(name, value, class string) []property {
	if value = text(value); value == "" {
		return nil
	}
	p := property{Name: token(name), NS: namespace, Value: value}
	if class != "" {
		p.Class = token(class)
	}
	return []property{p}
}

// moment writes a time as OSCAL wants it; the zero time is the day on which UNIX began.
func moment(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// href names a file beside the document as a relative reference.
func href(file string) string {
	u := url.URL{Path: path.Clean(strings.TrimLeft(wording.Clean(file), "/"))}
	return u.String()
}

func sha256Of(d artefact.Digest) []hash {
	if d == "" {
		return nil
	}
	return []hash{{Algorithm: "SHA-256", Value: text(d.Hex())}}
}
