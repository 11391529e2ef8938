package bundle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
)

// NeMo is the layout of NVIDIA's .nemo archives (NeMo 2.4): a tar file, packed or not, with weights
// and a configuration whose entries "target" and "_target_" name the Python that makes the model's parts.
type NeMo struct{ Rules *rules.Set }

// Name implements scan.Layout.
func (NeMo) Name() string { return "nemo" }

const configName = "model_config.yaml"

// Match implements scan.Layout.
func (NeMo) Match(entries []scan.Entry) bool {
	return slices.ContainsFunc(entries, func(e scan.Entry) bool { return path.Base(path.Clean(e.Name)) == configName })
}

// Scan implements scan.Layout. Weights and the rest are left to the other readers; every
// other configuration in the archive is read as the main one is.
func (n NeMo) Scan(ctx context.Context, out *scan.Sink, entries []scan.Entry) (rest []scan.Entry, err error) {
	for _, e := range entries {
		if ext := strings.ToLower(path.Ext(e.Name)); ext != ".yaml" && ext != ".yml" {
			rest = append(rest, e)
			continue
		}
		if err := out.Member(ctx, e, n.config); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// maxLine is the longest line of a configuration.
const maxLine = 64 << 10

var (
	// entry is a line of a mapping as OmegaConf writes it: blanks, dashes of lists, a key, a value.
	entry = regexp.MustCompile(`^ *(?:- +)*(?:([\w./+-][\w./+()@, -]*)|'([\w ./+()@,-]*)'|"([\w ./+()@,-]*)") *:(?: +(.*))?$`)
	// name is one that Python can import.
	name = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$`)
	// inline is a target within a mapping that is written in one line.
	inline = regexp.MustCompile(`(?:^|\W)(_target_|target)['"]?\s*:`)
)

// config reads a configuration line by line. It follows what OmegaConf writes; where YAML
// can say the same in another way, which could hide a target, the file is incomplete.
func (n NeMo) config(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	out.Format("nemo-config")
	r := bufio.NewReaderSize(io.NewSectionReader(in, 0, in.Size), maxLine)
	at, pending := int64(0), ""
	for {
		b, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return scan.Problemf("nemo/yaml", at, "a line of more than %d bytes", maxLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if errSpend := out.Spend(ctx, int64(len(b))); errSpend != nil {
			return errSpend
		}
		if line := strings.TrimRight(string(b), " \r\n"); strings.TrimLeft(line, " ") != "" && !strings.HasPrefix(strings.TrimLeft(line, " "), "#") {
			key, errLine := n.line(out, at, line, pending)
			if errLine != nil {
				return errLine
			}
			pending = key
		}
		out.Structured(at, int64(len(b)))
		at += int64(len(b))
		if err != nil {
			return nil
		}
	}
}

// line reads one that is not empty. pending is a target whose value did not stand in the line
// before; such a one is returned.
func (n NeMo) line(out *scan.Sink, at int64, line, pending string) (string, error) {
	odd := func(what string) error {
		p := scan.Problemf("nemo/yaml", at, "%s: %.200s", what, line)
		p.Fix = "Read the configuration yourself, or have the model saved again by NeMo, which does not write it so."
		return p
	}
	m := entry.FindStringSubmatch(line)
	if m == nil {
		bare := strings.TrimLeft(strings.TrimLeft(line, " "), "- ")
		switch {
		case strings.Contains(line, "!!python") || strings.Contains(line, "tag:yaml.org"):
			n.computed(out, at, "a tag that makes a loader of YAML run Python: "+line)
		case strings.ContainsRune(line, '\t'), strings.HasPrefix(bare, "? "), strings.HasPrefix(bare, "!"), strings.HasPrefix(bare, "%"):
			return "", odd("YAML that is not followed")
		case strings.ContainsRune(line, ':') && (strings.Contains(line, "target") || strings.ContainsRune(line, '\\')):
			return "", odd("what may be a target, in YAML that is not followed")
		case pending != "":
			return "", odd("the value of " + pending + " stands in a line of its own")
		}
		return "", nil // an element of a list, or text that goes on
	}
	key, value := strings.TrimSpace(m[1]+m[2]+m[3]), strings.TrimSpace(m[4])
	switch {
	case pending == "_target_":
		return "", odd("_target_ is no name")
	case strings.HasPrefix(value, "!"):
		if strings.Contains(value, "python") {
			n.computed(out, at, "a tag that makes a loader of YAML run Python: "+line)
			return "", nil
		}
		return "", odd("a tag")
	case key == "target" || key == "_target_":
		if value == "" {
			return key, nil
		}
		n.target(out, at, key, value)
	case inline.MatchString(value) || strings.HasPrefix(value, "{") && (strings.ContainsAny(value, `\&*!?`) || !strings.HasSuffix(value, "}")):
		return "", odd("a mapping in one line, which may hold a target")
	case strings.HasPrefix(value, "[") && (!strings.HasSuffix(value, "]") || strings.ContainsAny(value, `{\`) && !strings.Contains(value, "${")):
		return "", odd("a list that may hold a mapping")
	}
	return "", nil
}

func (n NeMo) computed(out *scan.Sink, at int64, evidence string) {
	out.Find(scan.Finding{
		Rule: "nemo/computed-target", Outcome: scan.Dangerous, Offset: at, Capability: scan.Import, Evidence: evidence, Cites: []string{"CWE-470"},
		Fix: "Do not load it: what it imports is known only when it is loaded. Ask how it was made.",
	})
}

// prefixes are of libraries whose classes are vetted for being made by a configuration.
func prefixes() []string {
	return []string{
		"nemo.collections.", "nemo.core.", "torch.nn.", "torch.optim.", "pytorch_lightning.strategies.", "pytorch_lightning.callbacks.",
		"lightning.pytorch.strategies.", "lightning.pytorch.callbacks.",
	}
}

// target judges a name that the loader imports and calls.
func (n NeMo) target(out *scan.Sink, at int64, key, value string) {
	if i := strings.Index(value, " #"); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	if q := value[0]; len(value) > 1 && (q == '"' || q == '\'') && value[len(value)-1] == q {
		value = value[1 : len(value)-1]
	}
	if !name.MatchString(value) {
		plain := strings.IndexFunc(value, func(r rune) bool { return r > 0x7e || strings.ContainsRune("${}*&!\\\"'|>.", r) }) < 0
		if key == "_target_" || !plain {
			n.computed(out, at, fmt.Sprintf("%s is %s, which is no name", key, value))
		}
		return // "target: 3" names nothing
	}
	f := scan.Finding{Offset: at, Capability: scan.Import, Evidence: fmt.Sprintf("%s is %s", key, value), Cites: []string{"CWE-470"}}
	parts := strings.Split(value, ".")
	vetted := false
	for from := range parts[:len(parts)-1] { // through a module that another one imports, too
		for to := from + 1; to < len(parts); to++ {
			v := n.Rules.Name(strings.Join(parts[from:to], "."), strings.Join(parts[to:], "."))
			if v.Kind == rules.Denied { // a chain of attributes deceives in a pickle; here it is how modules are named
				f.Rule, f.Outcome, f.Capability, f.Cites = "nemo/denied-target", scan.Malicious, v.Capability, append(v.Cites, "CWE-470")
				f.Fix = "Do not load the file. Tell whoever published it."
				out.Find(f)
				return
			}
			vetted = vetted || from == 0 && v.Kind == rules.Vetted && v.Call && v.Special == ""
		}
	}
	last := parts[len(parts)-1]
	class := last[0] >= 'A' && last[0] <= 'Z' && strings.ToLower(parts[len(parts)-2]) == parts[len(parts)-2]
	for _, prefix := range prefixes() {
		vetted = vetted || class && strings.HasPrefix(value, prefix)
	}
	if vetted {
		return
	}
	f.Rule, f.Outcome = "nemo/unknown-target", scan.UnknownCode
	f.Fix = "Read the source of what it names; when it does no harm, add the name to the site's policy, with the use \"call\"."
	out.Find(f)
}
