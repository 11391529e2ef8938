package artefactscan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/scan/onnxfile"
)

// maxMemory bounds what is held of a model, its arrays left out; the worker has a limit of its own.
const maxMemory = 512 << 20

// perRule is how many findings of one rule are kept a file; all are counted.
const perRule = 20

// survey collects what is found in all files.
type survey struct {
	files    []measure.File
	res      *result.Result
	counts   map[result.Severity]int
	dropped  map[string]int
	bytes    struct{ structured, opaque, unread, all int64 }
	unlike   []string               // files that are not as they were digested
	external map[string][]dataRange // by artefact: what tensors refer to
	kept     map[[2]string]int      // findings kept by file and rule
}

func run(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s := &survey{
		res: &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}, counts: map[result.Severity]int{},
		dropped: map[string]int{}, external: map[string][]dataRange{}, kept: map[[2]string]int{},
	}
	for _, f := range c.Files {
		if f.Kind == artefact.Model {
			s.files = append(s.files, f)
		}
	}
	if len(s.files) == 0 {
		return result.Unmeasured(result.NotAvailable, "the manifest names no model file"), nil
	}
	// Models first: they say what their data files are for.
	for i, data := range []bool{false, true} {
		for _, f := range s.files {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if s.isData(&f) == data {
				if err := s.file(ctx, &f, data); err != nil {
					return nil, err
				}
			}
		}
		c.Done(float64(i+1) / 2)
	}
	s.finish()
	return s.res, nil
}

// isData tells whether an artefact is a file that a model keeps tensors in.
func (s *survey) isData(f *measure.File) bool {
	return len(f.From) == 1 && strings.HasPrefix(f.Name, f.From[0]+"#")
}

// file scans one artefact. What is wrong with the file is a finding, not an error.
func (s *survey) file(ctx context.Context, f *measure.File, data bool) error {
	r := &reporter{scan: s, file: f.Name}
	info, err := os.Stat(f.OpenPath)
	switch {
	case err != nil:
		r.unreadable(f.SizeBytes, cause(err))
		return nil
	case !info.Mode().IsRegular():
		r.unreadable(f.SizeBytes, "it is a folder or another thing that is no file")
		return nil
	}
	in, err := os.Open(f.OpenPath)
	if err != nil {
		r.unreadable(info.Size(), cause(err))
		return nil
	}
	defer in.Close()
	s.bytes.all += info.Size()
	if data {
		return s.dataFile(ctx, r, f, in, info.Size())
	}
	head := make([]byte, onnx.SniffBytes)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("scan %q: %s", f.Name, cause(err))
	}
	if format := onnx.Sniff(head[:n]); format != onnx.Unrecognised {
		s.bytes.unread += info.Size()
		r.add("artefact/unsupported-format", result.High, "", fmt.Sprintf("The file is a %s. It was not read: nothing is known of what it does when it is loaded.", format), sentence(format.ExportHint()), string(head[:min(n, 24)]))
		return nil
	}
	if most := onnx.DefaultLimits().MaxBytes; info.Size() > most {
		s.bytes.unread += info.Size()
		r.add("artefact/too-large", result.Medium, "", fmt.Sprintf("The file has %d bytes; no loader of ONNX reads more than %d.", info.Size(), most), "Store the weights as external data.", "")
		return nil
	}
	if f.Digest != "" {
		d, _, err := artefact.DigestOf(ctx, f.OpenPath)
		if err != nil {
			return fmt.Errorf("scan %q: %s", f.Name, cause(err))
		}
		if d != f.Digest {
			s.unlike = append(s.unlike, f.Name)
		}
	}
	return s.model(ctx, r, f, in, info.Size())
}

// model scans an ONNX file, whose arrays stay where they are.
func (s *survey) model(ctx context.Context, r *reporter, f *measure.File, in io.ReaderAt, size int64) error {
	held := int64(0)
	m, err := onnx.Skim(in, size, onnx.DefaultLimits(), onnx.Meter{
		Hold: func(n int64) error {
			if held += n; held > maxMemory {
				return fmt.Errorf("the model without its arrays needs more than %d bytes of memory", int64(maxMemory))
			}
			return nil
		},
		Spend: func(int64) error { return ctx.Err() },
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		line, hint, _ := strings.Cut(err.Error(), "\nhint: ")
		s.bytes.unread += size
		r.add("onnx/unreadable", result.High, "", "The file cannot be decoded as ONNX: nothing is known of its content.", sentence(hint), line)
		return nil
	}
	if n := size - m.End; n > 0 {
		s.bytes.unread += n
		rest := io.NewSectionReader(in, m.End, n)
		head := make([]byte, min(n, 32))
		k, _ := rest.ReadAt(head, 0)
		r.add("onnx/trailing-bytes", result.High, fmt.Sprintf("byte %d", m.End), fmt.Sprintf("%d bytes stand behind the model%s.", n, onnxfile.Containing(rest)), "Export the model again.", string(head[:k]))
	}
	s.bytes.structured, s.bytes.opaque, s.bytes.unread = s.bytes.structured+m.Structured, s.bytes.opaque+m.Opaque, s.bytes.unread+m.Unread
	i := &inspector{reporter: r, f: f, locations: map[string]bool{}}
	onnxfile.Inspect(in, m, func(n onnxfile.Note) { r.add(n.Rule, n.Severity, n.Where, n.What, n.Fix, n.Evidence) }, i.externalTensor)
	return nil
}

// finish turns what was counted into metrics.
func (s *survey) finish() {
	n := len(s.files)
	for severity, name := range map[result.Severity]string{result.High: "findings_high", result.Medium: "findings_medium", result.Low: "findings_low", result.Info: "findings_info"} {
		s.res.Metrics[name] = result.Exactly(float64(s.counts[severity]), n, "findings")
	}
	s.res.Metrics["serious_findings"] = result.Exactly(float64(s.counts[result.High]+s.counts[result.Medium]), n, "findings")
	s.res.Metrics["files"] = result.Exactly(float64(n), n, "files")
	for name, v := range map[string]int64{"structured_bytes": s.bytes.structured, "opaque_bytes": s.bytes.opaque, "unread_bytes": s.bytes.unread} {
		s.res.Metrics[name] = result.Exactly(float64(v), int(s.bytes.all), "bytes")
	}
	rank := []result.Severity{result.High, result.Medium, result.Low, result.Info}
	slices.SortStableFunc(s.res.Findings, func(a, b result.Finding) int {
		return slices.Index(rank, a.Severity) - slices.Index(rank, b.Severity)
	})
	rules := make([]string, 0, len(s.dropped))
	for rule := range s.dropped {
		rules = append(rules, rule)
	}
	slices.Sort(rules)
	for _, rule := range rules {
		s.res.Notes = append(s.res.Notes, fmt.Sprintf("%d more findings of %s are counted and not listed", s.dropped[rule], rule))
	}
	note := "the bytes that were scanned are those that were digested"
	if len(s.unlike) > 0 {
		note = "changed since they were digested: " + strings.Join(s.unlike, ", ")
	}
	s.res.Check("files-as-digested", len(s.unlike) == 0, note)
	s.res.Pictures = []result.Picture{{
		ID: "bytes", Title: "Bytes accounted for", Kind: "bars", YLabel: "bytes", Labels: []string{"structured", "opaque", "unread"},
		Series: []result.Series{{Name: "bytes", Y: []float64{float64(s.bytes.structured), float64(s.bytes.opaque), float64(s.bytes.unread)}}},
	}}
}

// reporter adds findings in one file.
type reporter struct {
	scan *survey
	file string
}

// add counts a finding and keeps it while there are few of its rule.
func (r *reporter) add(rule string, severity result.Severity, where, what, fix, evidence string) {
	s := r.scan
	s.counts[severity]++
	key := [2]string{r.file, rule}
	if s.kept[key]++; s.kept[key] > perRule {
		s.dropped[rule]++
		return
	}
	at := onnxfile.Escape(r.file)
	if where != "" {
		at += ": " + where
	}
	s.res.Findings = append(s.res.Findings, result.Finding{
		Rule: rule, Severity: severity, Where: at, What: what, Fix: fix, Evidence: onnxfile.Escape(evidence),
		Cites: []string{"AI Act Art. 15(5)", "ENISA Poisoning"},
	})
}

func (r *reporter) unreadable(size int64, why string) {
	r.scan.bytes.all += size
	r.scan.bytes.unread += size
	r.add("artefact/unreadable", result.High, "", "The file could not be read: "+why+".", "Name a file that can be read.", "")
}

// cause is an error without the path that the system puts before it.
func cause(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}
	return err.Error()
}

// sentence makes one of a hint.
func sentence(hint string) string {
	if hint == "" {
		return ""
	}
	return strings.ToUpper(hint[:1]) + hint[1:] + "."
}
