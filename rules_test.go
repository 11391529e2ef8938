package assize_test

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestFilesAreShort holds files to 500 lines; generated ones begin with gen_.
func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(path.Base(s.name), "gen_") {
			continue
		}
		if lines := s.fset.File(s.file.Pos()).LineCount(); lines > 500 {
			t.Errorf("%s has %d lines; 500 is the limit", s.name, lines)
		}
	}
}

// TestState finds init functions and variables of packages that are neither
// sentinels, compiled patterns, embedded files nor values of plug-ins.
func TestState(t *testing.T) {
	excepted := map[string]string{
		"manifest.compiled":      "the embedded schema, compiled once and read alone; compiling it for every manifest costs milliseconds",
		"onnx.schema":            "a table of the format, read alone in the innermost loop of the reader",
		"onnx.typeFacts":         "a table of the format, read alone in the innermost loop of the reader",
		"onnx.kinds":             "a table of the format, read alone in the innermost loop of the reader",
		"probes/evasion.goals":   "part of the plug-in values of the family",
		"probes/evasion.threats": "part of the plug-in values of the family",
	}
	used := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: an init function", s.at(f))
			}
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || s.test {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					key := s.pkg + "." + name.Name
					if name.Name == "_" || embedded(g, v) || i < len(v.Values) && constant(v.Values[i]) {
						continue
					}
					if _, ok := excepted[key]; ok {
						used[key] = true
						continue
					}
					t.Errorf("%s: variable %s of a package; pass it in, make it a constant or a function, or except it here with the reason", s.at(name), key)
				}
			}
		}
	}
	for key := range excepted {
		if !used[key] {
			t.Errorf("the exception for %s is not needed any more", key)
		}
	}
}

func embedded(g *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// constant tells values that nobody changes by the way they are made.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CallExpr:
		name := dotted(e.Fun)
		return slices.Contains([]string{"errors.New", "fmt.Errorf", "regexp.MustCompile", "template.Must", "strings.NewReplacer"}, name)
	case *ast.CompositeLit:
		name := dotted(e.Type)
		return strings.HasPrefix(name, "measure.")
	}
	return false
}

// dotted is the name of a selector such as errors.New, "" of anything else.
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	case *ast.ArrayType:
		return dotted(e.Elt)
	}
	return ""
}

// TestOnlyMainExits finds calls that end the process outside of a main package.
// A child whose processor time is used up ends itself, with a word of why: that one is allowed.
func TestOnlyMainExits(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" || s.name == "internal/worker/sandbox/enter_linux.go" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				if name := dotted(c.Fun); name == "os.Exit" || strings.HasPrefix(name, "log.Fatal") || name == "syscall.Exit" {
					t.Errorf("%s: %s outside of a main package", s.at(c), name)
				}
			}
			return true
		})
	}
}

// TestDocComments wants a comment on every package and every exported name,
// which starts with the name; one on a group of constants or variables will do.
func TestDocComments(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil
		if s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && receives(d) && !conventional(d) {
					s.wantDoc(t, d, d.Name.Name, d.Doc, nil)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch v := spec.(type) {
					case *ast.TypeSpec:
						if v.Name.IsExported() {
							doc := d.Doc
							if d.Lparen.IsValid() {
								doc = v.Doc
							}
							s.wantDoc(t, v, v.Name.Name, doc, nil)
						}
					case *ast.ValueSpec:
						for _, n := range v.Names {
							if n.IsExported() {
								s.wantDoc(t, n, n.Name, v.Doc, d)
							}
						}
					}
				}
			}
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

// receives tells functions, and methods of exported types, from methods of others.
func receives(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// conventional methods mean the same on every type: Error of an error.
func conventional(d *ast.FuncDecl) bool { return d.Recv != nil && d.Name.Name == "Error" }

// wantDoc checks the comment of a name: its own, or that of its group.
func (s *source) wantDoc(t *testing.T, n ast.Node, name string, doc *ast.CommentGroup, group *ast.GenDecl) {
	t.Helper()
	if doc == nil && group != nil && group.Doc != nil {
		if group.Lparen.IsValid() {
			return
		}
		doc = group.Doc
	}
	switch {
	case doc == nil && group != nil && group.Lparen.IsValid() && trailing(n, group):
	case doc == nil:
		t.Errorf("%s: %s has no doc comment", s.at(n), name)
	default:
		text := doc.Text()
		for _, article := range []string{"A ", "An ", "The "} {
			text = strings.TrimPrefix(text, article)
		}
		if rest, ok := strings.CutPrefix(text, name); (!ok || rest != "" && unicode.IsLetter(rune(rest[0]))) && group == nil {
			t.Errorf("%s: the comment of %s does not start with its name: %.60q", s.at(n), name, text)
		}
	}
}

// trailing tells whether a constant in a group has a comment on its line.
func trailing(n ast.Node, group *ast.GenDecl) bool {
	for _, spec := range group.Specs {
		if v, ok := spec.(*ast.ValueSpec); ok && v.Pos() <= n.Pos() && n.End() <= v.End() {
			return v.Comment != nil
		}
	}
	return false
}

// TestTestPackagesAreExternal wants tests to see what users see.
// export_test.go, which opens a package to its tests, is the one way around it.
func TestTestPackagesAreExternal(t *testing.T) {
	for _, s := range sources(t) {
		if s.test && path.Base(s.name) != "export_test.go" && !strings.HasSuffix(s.file.Name.Name, "_test") {
			t.Errorf("%s is of package %s, want %s_test", s.name, s.file.Name.Name, s.file.Name.Name)
		}
	}
}

// TestWords checks comments and pages for British spelling and for notes to
// oneself. Names of others, which stand in `code`, in capitals or in URLs, are as they are.
func TestWords(t *testing.T) {
	american := regexp.MustCompile(`\b([Bb]ehavior|[Aa]nalyz(e|ed|es|ing)\b|[Cc]enter(ed|s)?\b|[Nn]ormaliz(e|ed|es|ing|ation)\b|[Cc]olor(ed|s)?\b|[Ff]avor|[Nn]eighbor|[Aa]rtifacts?\b|[Ii]nitialize(d|s)?\b|[Oo]ptimiz(e|ed|es|ing|ation)\b|[Rr]ecogniz|[Ss]erializ(e|ed|es|ing)\b|[Oo]rganiz)`)
	marker := regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`|\"[^\"\n]*\"|https?://\\S+")
	look := func(where, text string) {
		t.Helper()
		if m := marker.FindString(text); m != "" {
			t.Errorf("%s: %s; do it, or say BUG: and what is missing", where, m)
		}
		if m := american.FindString(code.ReplaceAllString(text, " ")); m != "" {
			t.Errorf("%s: %q is not British spelling", where, m)
		}
	}
	for _, s := range sources(t) {
		if s.name == "rules_test.go" {
			continue // holds the words that it looks for
		}
		for _, c := range s.file.Comments {
			look(s.at(c), c.Text())
		}
	}
	walk(t, func(name string) {
		if ext := path.Ext(name); ext == ".md" || ext == ".html" && strings.HasPrefix(name, "docs/") {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			look(name, string(b))
		}
	})
}

// TestNoPathsOfOneMachine finds paths that exist on the machine of one person alone.
func TestNoPathsOfOneMachine(t *testing.T) {
	paths := [][]byte{[]byte("/wo" + "rk/"), []byte("/ro" + "ot/"), []byte("/ho" + "me/")}
	walk(t, func(name string) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if kept := strings.Contains(name, "/testdata/") || path.Ext(name) != ""; !kept && bytes.IndexByte(b, 0) >= 0 {
			return // a program that somebody built here
		}
		for _, p := range paths {
			if i := bytes.Index(b, p); i >= 0 {
				t.Errorf("%s:%d: holds %s", name, 1+bytes.Count(b[:i], []byte("\n")), p)
			}
		}
	})
}

// TestGoNeedsNoPython finds code that would start an interpreter.
func TestGoNeedsNoPython(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || dotted(c.Fun) != "exec.Command" && dotted(c.Fun) != "exec.CommandContext" {
				return true
			}
			for _, a := range c.Args {
				if l, ok := a.(*ast.BasicLit); ok && strings.Contains(strings.ToLower(l.Value), "python") {
					t.Errorf("%s: starts %s", s.at(c), l.Value)
				}
			}
			return true
		})
	}
}
