package onnx

import (
	"bytes"
	"fmt"
	"regexp"
)

// SniffBytes is how many of a file's first bytes Sniff looks at.
const SniffBytes = 4096

// Format is a file format that models are stored in.
type Format string

// The formats that Sniff tells apart. Unrecognised includes ONNX, which has
// no magic number.
const (
	Unrecognised Format = ""
	Pickle       Format = "Python pickle"
	Torch        Format = "PyTorch file (a zip with a pickle in it)"
	Keras        Format = "Keras file"
	NumPy        Format = "NumPy file"
	Zip          Format = "zip archive"
	Gzip         Format = "gzip file"
	Compressed   Format = "compressed file"
	HDF5         Format = "HDF5 file, as Keras writes them"
	XGBoost      Format = "XGBoost model"
	LightGBM     Format = "LightGBM model"
	CatBoost     Format = "CatBoost model"
	TFLite       Format = "TensorFlow Lite model"
	Safetensors  Format = "safetensors file"
	GGUF         Format = "GGUF file"
	JSON         Format = "JSON file"
	XML          Format = "XML file"
)

// textPickle is how pickles of protocol 0 and 1 begin: a global's module and
// name on two lines, or the mark of a container and its first memo.
var textPickle = regexp.MustCompile(`^(c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|\((lp|dp|ic|c[a-z_]|V)|[\]}]q\x00)`)

// Sniff names the format of a file from its first bytes.
func Sniff(head []byte) Format {
	has := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	within := func(part string) bool { return bytes.Contains(head, []byte(part)) }
	start := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5, textPickle.Match(head):
		return Pickle
	case has("PK\x03\x04"), has("PK\x05\x06"):
		switch {
		case within("/data.pkl"), within("/constants.pkl"), within("/version"), within("/.format_version"):
			return Torch
		case within("metadata.json"), within("model.weights.h5"):
			return Keras
		case within(".npy"):
			return NumPy
		}
		return Zip
	case has("\x1f\x8b"):
		return Gzip
	case has("BZh"), has("\xfd7zXZ\x00"), has("\x28\xb5\x2f\xfd"), has("\x04\x22\x4d\x18"),
		has("\x78\x9c"), has("\x78\xda"), has("\x78\x01"), has("7z\xbc\xaf"):
		return Compressed
	case has("\x89HDF\r\n\x1a\n"):
		return HDF5
	case has("{L\x00\x00"), has("binf"), has("{") && within(`"learner"`):
		return XGBoost
	case has("tree\nversion="):
		return LightGBM
	case has("CBM1"):
		return CatBoost
	case len(head) >= 8 && string(head[4:8]) == "TFL3":
		return TFLite
	case has("\x93NUMPY"):
		return NumPy
	case has("GGUF"):
		return GGUF
	case len(head) > 9 && head[8] == '{' && head[6] == 0 && head[7] == 0:
		return Safetensors
	case len(start) > 1 && (start[0] == '{' && bytes.ContainsAny(start[1:2], "\"} \t\r\n") ||
		start[0] == '[' && bytes.ContainsAny(start[1:2], "\"{[] \t\r\n")):
		return JSON
	case bytes.HasPrefix(start, []byte("<?xml")), bytes.HasPrefix(start, []byte("<PMML")):
		return XML
	}
	return Unrecognised
}

// ExportHint says how a model in that format is brought to ONNX; it is empty
// for Unrecognised.
func (f Format) ExportHint() string {
	switch f {
	case Pickle:
		return "export the pipeline with skl2onnx.to_onnx(model, X[:1]), or a PyTorch module with torch.onnx.export"
	case Torch:
		return "export the module with torch.onnx.export(model, example, \"model.onnx\")"
	case Keras, HDF5:
		return "export the model with model.export(\"model.onnx\", format=\"onnx\") of Keras 3, or with tf2onnx"
	case XGBoost:
		return "export the model with onnxmltools.convert_xgboost(model, initial_types=[...])"
	case LightGBM:
		return "export the model with onnxmltools.convert_lightgbm(model, initial_types=[...])"
	case CatBoost:
		return "export the model with model.save_model(\"model.onnx\", format=\"onnx\")"
	case TFLite:
		return "convert the model with python -m tf2onnx.convert --tflite model.tflite --output model.onnx"
	case Gzip, Compressed, Zip:
		return "unpack it first and name the .onnx file inside"
	case NumPy, Safetensors, GGUF:
		return "it holds arrays without a graph; export the model that they belong to with torch.onnx.export or the like"
	case JSON, XML:
		return "export the model from the library that trained it, for example with skl2onnx, onnxmltools or torch.onnx.export"
	}
	return ""
}

// recognise refuses a file that cannot be ONNX by its first bytes.
func recognise(name string, head []byte) error {
	if len(head) == 0 {
		return fmt.Errorf("read %q: the file is empty\nhint: export or copy the model again", name)
	}
	switch f := Sniff(head); f {
	case Unrecognised:
	case Pickle, Torch:
		return fmt.Errorf("read %q: it is a %s; Assize never unpickles\nhint: %s", name, f, f.ExportHint())
	default:
		return fmt.Errorf("read %q: it is a %s, not ONNX\nhint: %s", name, f, f.ExportHint())
	}
	if first, _, err := consume(head); first.num == 0 && err != nil {
		return fmt.Errorf("read %q: not an ONNX model: %w\nhint: export the model to ONNX and name that file", name, err)
	}
	return nil
}
