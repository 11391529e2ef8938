package dataset_test

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/google/go-cmp/cmp"
)

// write puts content into a file of this name in a temporary folder.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shared is the path of a file of the test data beside the repository,
// unpacked where it is compressed. The test is skipped where there is none.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name))
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no shared test data: %v", err)
	}
	defer f.Close()
	plain, packed := strings.CutSuffix(filepath.Base(path), ".gz")
	if !packed {
		return path
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), plain))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, z); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

// onlyError checks the error's text after the part that names the file.
func onlyError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %q", want)
	}
	_, got, _ := strings.Cut(err.Error(), "\": ")
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("error (-got +want):\n%s", diff)
	}
}

const loans = "\xef\xbb\xbfamount,\"age, in years\",employed,default\r\n" +
	"1.5e3,30,1,repaid\r\n" +
	"\"200\", 41 ,0,default\r\n" +
	"\r\n" +
	"-0.25,52,1,repaid\r\n"

func TestSelectCSV(t *testing.T) {
	spec := dataset.Spec{
		Path:  write(t, "loans.csv", loans),
		Label: "default", Classes: []string{"repaid", "default"},
		Features: []domain.Feature{{Name: "age, in years", Type: domain.Integer}, {Name: "amount", Type: domain.Real}},
	}
	got, err := dataset.Select(context.Background(), spec, []int{2, 0, 2})
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Table{
		Names: []string{"age, in years", "amount"}, Width: 2,
		X: []float32{52, -0.25, 30, 1500, 52, -0.25}, Y: []int{0, 0, 0}, Index: []int{2, 0, 2},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Select (-got +want):\n%s", diff)
	}
	all, err := dataset.ReadAll(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	want = &dataset.Table{
		Names: []string{"age, in years", "amount"}, Width: 2,
		X: []float32{30, 1500, 41, 200, 52, -0.25}, Y: []int{0, 1, 0}, Index: []int{0, 1, 2},
	}
	if diff := cmp.Diff(all, want); diff != "" {
		t.Errorf("ReadAll (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(all.Row(1), []float32{41, 200}); diff != "" || all.Len() != 3 {
		t.Errorf("Row(1) of %d (-got +want):\n%s", all.Len(), diff)
	}
}

func TestReadsWithoutFeatures(t *testing.T) {
	path := write(t, "prices.csv", "rooms,price\n3,1.5\n4,2\n")
	got, err := dataset.ReadAll(context.Background(), dataset.Spec{Path: path, Label: "price"})
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Table{Names: []string{"rooms"}, Width: 1, X: []float32{3, 4}, YValue: []float64{1.5, 2}, Index: []int{0, 1}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("ReadAll (-got +want):\n%s", diff)
	}
}

func TestCSVRefusals(t *testing.T) {
	features := []domain.Feature{{Name: "amount", Type: domain.Real}, {Name: "count", Type: domain.Integer}, {Name: "own", Type: domain.Binary}}
	const header = "amount,count,own,default\n1,1,1,0\n"
	tests := []struct{ name, content, want string }{
		{"comma in a number", header + "\"12,5\",1,1,0\n", "line 3, column \"amount\": \"12,5\" is not a number\nhint: write numbers with a decimal point, without separators of thousands"},
		{"text", header + "\n\"1\",many,1,0\n", "line 4, column \"count\": \"many\" is not a number\nhint: give each category a whole number as its code"},
		{"line after a field of two lines", "amount,count,own,default,note\n1,1,1,0,\"a\nb\"\nx,1,1,0,c\n", "line 4, column \"amount\": \"x\" is not a number\nhint: give each category a whole number as its code"},
		{"not whole", header + "1,1.5,1,0\n", "line 3, column \"count\": \"1.5\" is not a whole number, and the domain says integer"},
		{"not binary", header + "1,1,2,0\n", "line 3, column \"own\": \"2\" is neither 0 nor 1, and the domain says binary"},
		{"empty field", header + ",1,1,0\n", "line 3, column \"amount\": \"\" is missing\nhint: fill in the value or leave the row out"},
		{"NA", header + "NA,1,1,0\n", "line 3, column \"amount\": \"NA\" is missing\nhint: fill in the value or leave the row out"},
		{"nan", header + "nan,1,1,0\n", "line 3, column \"amount\": \"nan\" is missing\nhint: fill in the value or leave the row out"},
		{"infinity", header + "-Inf,1,1,0\n", "line 3, column \"amount\": \"-Inf\" is not finite\nhint: fill in the value or leave the row out"},
		{"hexadecimal", header + "0x10,1,1,0\n", "line 3, column \"amount\": \"0x10\" is not a number\nhint: give each category a whole number as its code"},
		{"beyond float64", header + "1e400,1,1,0\n", "line 3, column \"amount\": \"1e400\" is too large"},
		{"beyond float32", header + "1e39,1,1,0\n", "line 3, column \"amount\": \"1e39\" is too large for a model's float32 input"},
		{"ragged", header + "1,1,1\n", "line 3: the number of fields is not the header's 4\nhint: is a comma in a value without quotes around it?"},
		{"bare quote", header + "1\",1,1,0\n", "line 3: a quote stands in a field that does not begin with one\nhint: quote the whole field and double the quotes in it"},
		{"quote left open", header + "\"1,1,1,0\n1,1,1,0\n", "from line 3: a quoted field does not end with a quote before the next comma\nhint: close the quote, and double the quotes within"},
		{"missing column", "amuont,count,own,default\n1,1,1,0\n", "line 1: there is no column \"amount\"\nhint: did you mean \"amuont\"?"},
		{"column twice", "amount,count,own, count,default\n1,1,1,1,0\n", "line 1: two columns are named \"count\""},
		{"semicolons", "amount;count;own;default\n1;1;1;0\n", "line 1: there is no column \"default\"\nhint: separate columns with commas, not with semicolons or tabs"},
		{"header only", "amount,count,own,default\n", "there is a header but no rows"},
		{"empty", "", "the file is empty"},
		{"blank", "\n\n", "the file is empty"},
		{"label not a class", header + "1,1,1,2\n", "line 3, column \"default\": 2 is not an index into the 2 classes\nhint: there are \"no\", \"yes\", counted from 0"},
		{"label near a class", header + "1,1,1,yess\n", "line 3, column \"default\": \"yess\" is none of the classes\nhint: did you mean \"yes\"?"},
		{"label missing", header + "1,1,1,\n", "line 3, column \"default\": \"\": the label is missing"},
		{"UTF-16", "\xff\xfea\x00", "the text is UTF-16\nhint: write it as UTF-8"},
		{"gzip", "\x1f\x8b\x08", "the file is compressed with gzip\nhint: unpack it first"},
		{"pickle", "\x80\x04\x95", "it looks like a Python pickle, which is never opened\nhint: write the data as CSV or with numpy.savez"},
		{"zero bytes", "a,b\n\x00,1\n", "neither CSV, NPY nor NPZ: the file holds zero bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := dataset.Spec{Path: write(t, "train.csv", test.content), Features: features, Label: "default", Classes: []string{"no", "yes"}}
			_, err := dataset.Inspect(context.Background(), spec)
			onlyError(t, err, test.want)
			_, err = dataset.ReadAll(context.Background(), spec)
			onlyError(t, err, test.want)
		})
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	path := write(t, "train.csv", "a\nx\n")
	_, err := dataset.ReadAll(context.Background(), dataset.Spec{Path: path, Name: "train.csv"})
	want := "read data \"train.csv\": line 2, column \"a\": \"x\" is not a number\nhint: give each category a whole number as its code"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = dataset.ReadAll(context.Background(), dataset.Spec{Path: path + ".gone", Name: "gone.csv"})
	if want := "read data \"gone.csv\": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = dataset.ReadAll(context.Background(), dataset.Spec{Path: filepath.Dir(path), Name: "folder"})
	onlyError(t, err, "it is a folder\nhint: name the file in it")
}

func TestSelectRefusals(t *testing.T) {
	path := write(t, "a.csv", "a,species\n1,setosa\n2,virginica\n")
	_, err := dataset.Select(context.Background(), dataset.Spec{Path: path, Features: []domain.Feature{{Name: "a"}}}, []int{0, 2})
	onlyError(t, err, "row 2 was asked for, but there are 2 rows, counted from 0")
	_, err = dataset.Select(context.Background(), dataset.Spec{Path: path, Features: []domain.Feature{{Name: "a"}}}, []int{-1})
	onlyError(t, err, "row -1 does not exist")
	_, err = dataset.Select(context.Background(), dataset.Spec{Path: path, Label: "species"}, []int{0})
	onlyError(t, err, "line 2, column \"species\": \"setosa\" is not a number, and the classes have no names\nhint: name the classes, in the order of the model's outputs")
	_, err = dataset.Select(context.Background(), dataset.Spec{Path: path, Label: "a", Features: []domain.Feature{{Name: "a"}}}, []int{0})
	onlyError(t, err, "column \"a\" is both a feature and the label")
	_, err = dataset.Select(context.Background(), dataset.Spec{Path: path, Label: "a", Width: 3}, []int{0})
	onlyError(t, err, "a row holds 1 values where 3 are expected")
	unnamed := write(t, "b.csv", ",a\n0,1\n")
	_, err = dataset.Select(context.Background(), dataset.Spec{Path: unnamed}, []int{0})
	onlyError(t, err, "line 1: column 1 has no name\nhint: if it numbers the rows, write the file without it")
	_, err = dataset.ReadAll(context.Background(), dataset.Spec{Path: path, Features: []domain.Feature{{Name: "a"}}, Limits: dataset.Limits{MemoryBytes: 40}})
	onlyError(t, err, "2 rows of 28 bytes are more than the limit of 40 bytes in memory\nhint: select fewer rows, or raise the limit")
}

func TestLabelsThatAreNumbersByName(t *testing.T) {
	path := write(t, "a.csv", "a,y\n1,2\n2,1.0\n3,2\n")
	spec := dataset.Spec{Path: path, Label: "y", Classes: []string{"1", "2"}}
	got, err := dataset.ReadAll(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Y, []int{1, 0, 1}); diff != "" {
		t.Errorf("Y (-got +want):\n%s", diff)
	}
	// 0 would be an index, but a number is a name here.
	spec.Path = write(t, "b.csv", "a,y\n1,0\n")
	_, err = dataset.ReadAll(context.Background(), spec)
	onlyError(t, err, "line 2, column \"y\": 0 is none of the classes\nhint: there are \"1\", \"2\"")
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, path := range []string{write(t, "a.csv", "a\n1\n"), "testdata/version1.npy", "testdata/fortran.npy"} {
		if _, err := dataset.Inspect(ctx, dataset.Spec{Path: path}); err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
			t.Errorf("%s: got %v, want %v", path, err, context.Canceled)
		}
	}
}
