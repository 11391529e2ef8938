package onnxfile

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// memoryTag is the location with which ONNX Runtime marks an address in its own memory.
const memoryTag = "_ORT_MEM_ADDR_"

var drive = regexp.MustCompile(`^[A-Za-z]:`)

// Location judges the name of a file with a tensor's data: the rule that it breaks and
// why, both empty where it stays beside the model.
func Location(location string) (rule, what string) {
	parts := strings.FieldsFunc(location, func(r rune) bool { return r == '/' || r == '\\' })
	switch {
	case strings.Contains(location, memoryTag):
		return "onnx/external-data-memory", "The tensor's data are said to lie at an address in memory: a loader that believes it reads its own memory."
	case strings.Contains(location, "://"):
		return "onnx/external-data-absolute", "The tensor's data are said to lie at an address outside."
	case strings.HasPrefix(location, "/"), strings.HasPrefix(location, `\`), strings.HasPrefix(location, "~"), drive.MatchString(location):
		return "onnx/external-data-absolute", "The tensor's data are said to lie at an absolute path: loading the model reads that file."
	case slices.Contains(parts, ".."):
		return "onnx/external-data-escapes", "The path to the tensor's data leaves the model's folder: loading the model reads a file outside."
	case strings.ContainsAny(location, "\\\x00\r\n") || strings.IndexFunc(location, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0:
		return "onnx/external-data-name", "The name of the data file holds control characters or backslashes, which systems read differently."
	}
	return "", ""
}

// Escape shortens text that the file chose and spells out what does not print.
func Escape(s string) string {
	const most = 120
	cut := len(s) > most
	if cut {
		s = s[:most]
	}
	q := strconv.QuoteToASCII(s)
	if q = q[1 : len(q)-1]; cut {
		q += "…"
	}
	return strings.ReplaceAll(q, `\"`, `"`)
}
