package suite_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/scan"
)

// gzipped is n MiB of zeros, packed a MiB at a time.
func gzipped(n int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(make([]byte, 1<<20))
	w.Close()
	return bytes.Repeat(b.Bytes(), n)
}

// zipIn puts b into an archive, and that into another, and so on.
func zipIn(b []byte, depth int) []byte {
	for range depth {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		to, _ := w.CreateHeader(&zip.FileHeader{Name: "inner", Method: zip.Store})
		to.Write(b)
		w.Close()
		b = out.Bytes()
	}
	return b
}

// entries is an archive of so many empty members.
func entries(n int) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range n {
		w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i)})
	}
	w.Close()
	return b.Bytes()
}

// tarOf is an archive of headers; those of files hold a pickle with a call.
func tarOf(headers ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(system) + 1)
		}
		h.Mode = 0o644
		w.WriteHeader(&h)
		if h.Typeflag == tar.TypeReg {
			io.WriteString(w, system+".")
		}
	}
	w.Close()
	return b.Bytes()
}

func containerClasses() []class {
	torch := zipIn([]byte(system+"."), 1)
	flipped := bytes.Replace(torch, []byte("PK\x01\x02"), []byte("PK\x01\x02\x14\x00\x14\x00\x01"), 1)
	return []class{
		{14, "compressed streams", []nasty{
			{"one in a thousand", func() []byte { return gzipped(300) }, cut(), false},
			{"payload in the second member", func() []byte {
				var b bytes.Buffer
				w := gzip.NewWriter(&b)
				w.Write([]byte(system + "."))
				w.Close()
				return append(gzipped(1), b.Bytes()...)
			}, unclean(), false},
			{"a bomb of 20 GB", func() []byte { return gzipped(20 << 10) }, cut(), true},
		}},
		{15, "wrong names", []nasty{{"the content decides", text(system + "."), bad(), false}}},
		{17, "zip", []nasty{
			{"encrypted in one header alone", func() []byte { return flipped }, unclean(), false},
			{"bytes in front and behind", func() []byte { return append(append([]byte("MZ"), torch...), "more"...) }, bad(), false},
			{"fifty deep", func() []byte { return zipIn([]byte(system+"."), 50) }, unclean(), false},
			{"a hundred thousand members", func() []byte { return entries(100_000) }, append(unclean(), scan.Clean), false},
			{"a million members", func() []byte { return entries(1_000_000) }, cut(), true},
		}},
		{18, "tar", []nasty{
			{"link, device, path", func() []byte {
				return tarOf(tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc/hostname"}, tar.Header{Name: "d", Typeflag: tar.TypeChar}, tar.Header{Name: "../x", Typeflag: tar.TypeReg})
			}, bad(), false},
			{"links alone", func() []byte { return tarOf(tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../x"}) }, deceitful(), false},
			{"names of a megabyte", func() []byte {
				return tarOf(tar.Header{Name: strings.Repeat("n/", 400_000), Typeflag: tar.TypeReg, Format: tar.FormatPAX})
			}, unclean(), false},
		}},
	}
}
