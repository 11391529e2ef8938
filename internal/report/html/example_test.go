package html_test

import (
	"bytes"
	"encoding/base64"
	"image/color"
	"image/png"
	"strings"
	"testing"

	parse "golang.org/x/net/html"

	"github.com/assize/assize/internal/report/html"
)

// TestExamples draws changed rows beside the rows as they were, and lets the
// page load nothing but what it holds itself.
func TestExamples(t *testing.T) {
	d := filled()
	o := d.Observations[0].ID
	examples := []html.Example{
		{Observation: o, Row: 7, Label: hostile, Attack: "evasion/square", Distance: 0.25, Unit: "linf, raw", Layout: "nchw", Shape: []int{1, 2, 2}, Low: 0, High: 1, Original: []float32{0, 0.5, 1, 0}, Changed: []float32{0.25, 0.5, 0.75, 0}},
		// Channels last and first are the same colours.
		{Observation: o, Row: 8, Label: "b", Attack: "a", Layout: "nhwc", Shape: []int{1, 2, 3}, Low: 0, High: 255, Original: []float32{255, 0, 0, 0, 0, 255}, Changed: []float32{255, 0, 0, 0, 51, 255}},
		{Observation: o, Row: 9, Label: "b", Attack: "a", Layout: "nchw", Shape: []int{3, 1, 2}, Low: 0, High: 255, Original: []float32{255, 0, 0, 0, 0, 255}, Changed: []float32{255, 0, 0, 51, 0, 255}},
		// What cannot be drawn is left out.
		{Observation: o, Row: 10, Layout: "nchw", Shape: []int{1, 2, 2}, Low: 0, High: 1, Original: []float32{0}, Changed: []float32{1}},
		{Observation: o, Row: 11, Layout: "nchw", Shape: []int{1, 1, 1}, Low: 0, High: 1, Original: []float32{1}, Changed: []float32{1}},
		{Observation: o, Row: 12, Layout: "nchw", Shape: []int{1, 1, 1}, Low: 1, High: 1, Original: []float32{1}, Changed: []float32{0}},
		{Observation: "o-none", Row: 13, Layout: "nchw", Shape: []int{1, 1, 1}, Low: 0, High: 1, Original: []float32{1}, Changed: []float32{0}},
	}
	var b bytes.Buffer
	if err := html.WriteWith(&b, d, examples); err != nil {
		t.Fatal(err)
	}
	root, err := parse.Parse(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var drawn [][]color.Color
	policy := ""
	walk(root, func(n *parse.Node) {
		switch n.Data {
		case "meta":
			if n.Attr[0].Val == "Content-Security-Policy" {
				policy = n.Attr[1].Val
			}
		case "img":
			data, ok := strings.CutPrefix(n.Attr[0].Val, "data:image/png;base64,")
			if n.Attr[0].Key != "src" || !ok || n.Attr[1].Key != "alt" || n.Attr[1].Val == "" {
				t.Fatalf("got picture %v", n.Attr)
			}
			raw, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			var points []color.Color
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					points = append(points, color.RGBAModel.Convert(img.At(x, y)))
				}
			}
			drawn = append(drawn, points)
		}
	})
	if !strings.HasSuffix(policy, "; img-src data:") || !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("got policy %q", policy)
	}
	grey := func(v uint8) color.Color { return color.RGBA{v, v, v, 255} }
	red, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}
	want := [][]color.Color{
		{grey(0), grey(128), grey(255), grey(0)}, {grey(64), grey(128), grey(191), grey(0)}, {grey(255), grey(128), grey(0), grey(128)},
		{red, blue}, {red, color.RGBA{0, 51, 255, 255}}, {grey(128), color.RGBA{128, 255, 128, 255}},
		{red, blue}, {red, color.RGBA{0, 51, 255, 255}}, {grey(128), color.RGBA{128, 255, 128, 255}},
	}
	if len(drawn) != len(want) {
		t.Fatalf("got %d pictures, want %d", len(drawn), len(want))
	}
	for i := range want {
		for k := range want[i] {
			if drawn[i][k] != want[i][k] {
				t.Errorf("picture %d, point %d: got %v, want %v", i, k, drawn[i][k], want[i][k])
			}
		}
	}
	if !strings.Contains(b.String(), "0.25 (linf, raw) by evasion/square") {
		t.Error("the distance is not said")
	}
	if !strings.Contains(b.String(), "difference × 2<") {
		t.Error("it is not said by how much the difference is amplified")
	}
	// Without examples, as from a redacted dossier, there is no picture and no leave to load one.
	if page := string(write(t, d)); strings.Contains(page, "<img src=\"data:") || strings.Contains(page, "img-src") {
		t.Error("a page without examples has pictures")
	}
}

// TestLargePicture is shrunk by taking means.
func TestLargePicture(t *testing.T) {
	d := filled()
	n := 200 * 200
	e := html.Example{Observation: d.Observations[0].ID, Layout: "nchw", Shape: []int{1, 200, 200}, Low: 0, High: 1, Original: make([]float32, n), Changed: make([]float32, n)}
	e.Changed[0] = 1
	var b bytes.Buffer
	if err := html.WriteWith(&b, d, []html.Example{e}); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(b.String(), "data:image/png;base64,")
	_, rest, _ = strings.Cut(rest, "data:image/png;base64,") // the changed one
	raw, err := base64.StdEncoding.DecodeString(parse.UnescapeString(rest[:strings.Index(rest, `"`)]))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 67 || size.Y != 67 {
		t.Errorf("got size %v, want 67×67: thirds of 200", size)
	}
	if got, want := color.RGBAModel.Convert(img.At(0, 0)), (color.RGBA{28, 28, 28, 255}); got != want { // a ninth of 255
		t.Errorf("got %v, want %v", got, want)
	}
}
