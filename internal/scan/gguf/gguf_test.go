package gguf_test

import (
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/gguf"
	"github.com/assize/assize/internal/scan/scantest"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: []scan.Format{gguf.Format{}}} }

// le is numbers and texts as GGUF has them: ints are of 8 bytes, uint32 of 4, text has its length before it.
func le(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch v := p.(type) {
		case int:
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		case uint32:
			b = binary.LittleEndian.AppendUint32(b, v)
		case string:
			b = append(binary.LittleEndian.AppendUint64(b, uint64(len(v))), v...)
		case []byte:
			b = append(b, v...)
		}
	}
	return b
}

const (
	u32  uint32 = 4
	str  uint32 = 8
	list uint32 = 9
	f32  uint32 = 0
	q4   uint32 = 2
)

// file is a header, keys, tensors and data.
func file(keys, tensors [][]byte, data int) []byte {
	b := le([]byte("GGUF"), uint32(3), len(tensors), len(keys))
	for _, k := range slices.Concat(keys, tensors) {
		b = append(b, k...)
	}
	b = append(b, make([]byte, -len(b)&31)...)
	return append(b, make([]byte, data)...)
}

func keys(k ...[]byte) [][]byte { return k }

func chat(template string) []byte { return le("tokenizer.chat_template", str, template) }

const honest = `{% macro row(x) %}{{ x|trim }}{% endmacro %}{%- for message in messages -%}{% if message['role'] == 'user' and not loop.last %}{{ '<|' + message.role + '|>' ~ message['content']|trim }}
{%- elif message.content is string and 'a' in message.content %}{{ message.content.split('</think>')[-1].lstrip('\n') }}{% else %}{{ raise_exception('os.system is a word, eval too') }}{% endif %}{% endfor %}
{#- __globals__ in a comment -#}{% set ns = namespace(found=false) %}{% if tools %}{{ tools | tojson(indent=4) }}{{ row(config) }}{% endif %}{{ messages[loop.index0 - 1]['content'] }}{{ dict(a=[1, 2])['a'] }}
__text__ outside of any expression {{ strftime_now("%d %b %Y") }}{% for x in range(3) %}{{ x if x > 1 else (x|string) }}{% endfor %}`

func TestScan(t *testing.T) {
	one := le("w", uint32(2), 8, 4, f32, 0)
	words := le("tokenizer.ggml.tokens", list, str, 3, "<s>", "__init__", "os.system")
	tests := []struct {
		name    string
		b       []byte
		outcome scan.Outcome
		rule    string
	}{
		{"a tensor", file(keys(le("general.architecture", str, "llama"), words, chat(honest)), keys(one), 128), scan.Clean, ""},
		{"blocks", file(nil, keys(le("w", uint32(1), 64, q4, 0)), 64), scan.Clean, ""},
		{"nothing", file(nil, nil, 0), scan.Clean, ""},
		{"2^60 tensors", le([]byte("GGUF"), uint32(3), 1<<60, 0, 0), scan.Dangerous, "gguf/count"},
		{"2^60 keys", le([]byte("GGUF"), uint32(3), 0, 1<<60, 0), scan.Dangerous, "gguf/count"},
		{"2^60 items", file(keys(le("a", list, u32, 1<<60)), nil, 64), scan.Dangerous, "gguf/count"},
		{"text past the end", file(keys(le("a", str, 1<<40)), nil, 64), scan.Dangerous, "gguf/length"},
		{"nested arrays", file(keys(le("a", list, list, 1, list, 1, u32, 1, u32)), nil, 64), scan.Incomplete, "gguf/nesting"},
		{"arrays without end", file(keys(append(le("a"), le(slices.Repeat([]any{list, []byte("")}, 40)...)...)), nil, 999), scan.Dangerous, ""},
		{"dimensions that overflow", file(nil, keys(le("w", uint32(3), 1<<32, 1<<31, 1<<31, f32, 0)), 64), scan.Dangerous, "gguf/dimensions"},
		{"dimensions that overflow to little", file(nil, keys(le("w", uint32(2), 1<<62, 4, f32, 0)), 64), scan.Dangerous, "gguf/dimensions"},
		{"five dimensions", file(nil, keys(le("w", uint32(5), 1, 1, 1, 1, 1, f32, 0)), 64), scan.Dangerous, "gguf/dimensions"},
		{"tensor past the end", file(nil, keys(le("w", uint32(1), 64, f32, 0)), 64), scan.Dangerous, "gguf/range"},
		{"tensor far away", file(nil, keys(le("w", uint32(1), 8, f32, -32)), 64), scan.Dangerous, "gguf/range"},
		{"overlap", file(nil, keys(one, le("v", uint32(1), 8, f32, 32)), 128), scan.Dangerous, "gguf/overlap"},
		{"hidden bytes", append(file(nil, keys(one), 128), "hidden"...), scan.Dangerous, "gguf/hidden-bytes"},
		{"key twice", file(keys(le("a", u32, u32), le("a", u32, u32)), nil, 0), scan.Dangerous, "gguf/duplicate-name"},
		{"tensor twice", file(nil, keys(one, le("w", uint32(1), 8, f32, 128)), 160), scan.Dangerous, "gguf/duplicate-name"},
		{"long name", file(nil, keys(le(strings.Repeat("w", 64), uint32(1), 8, f32, 0)), 32), scan.Dangerous, "gguf/name"},
		{"unknown type of value", file(keys(le("a", uint32(77))), nil, 64), scan.Dangerous, "gguf/type"},
		{"unknown type of tensor", file(nil, keys(le("w", uint32(1), 8, uint32(77), 0)), 64), scan.Dangerous, "gguf/type"},
		{"alignment 3", file(keys(le("general.alignment", u32, uint32(3))), nil, 0), scan.Dangerous, "gguf/alignment"},
		{"tensor off its place", file(nil, keys(le("w", uint32(1), 4, f32, 8)), 64), scan.Dangerous, "gguf/alignment"},
		{"version 9", le([]byte("GGUF"), uint32(9), 0, 0), scan.Incomplete, "gguf/version"},
		{"cut", file(keys(chat(honest)), nil, 0)[:60], scan.Incomplete, "gguf/truncated"},
		{"several templates, one bad", file(keys(chat(honest), le("tokenizer.chat_template.tool", str, "{{ ''.__class__ }}")), nil, 0), scan.Malicious, "gguf/template-escape"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scantest.Bounded(t, func() {
				all := scantest.Scan(t, scanner(), test.b)
				got := scantest.File(all)
				if got.Outcome != test.outcome || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
					t.Errorf("%s with %+v, want %s by %q", got.Outcome, got.Findings, test.outcome, test.rule)
				}
			})
		})
	}
}

// TestTemplates judges programs of chat templates; none of them does anything.
func TestTemplates(t *testing.T) {
	for template, want := range map[string]scan.Outcome{
		honest:                                   scan.Clean,
		"{% raw %}{{ x.__class__ }}{% endraw %}": scan.Clean,
		"plain text with {single} braces and % signs":                   scan.Clean,
		"{{ messages | selectattr('role', 'equalto', 'user') | list }}": scan.Clean,
		"{{ ''.__class__.__mro__[1].__subclasses__() }}":                scan.Malicious,
		"{{ ''['__class__'] }}":                                         scan.Dangerous,
		`{{ ''['\x5f\x5fclass\x5f\x5f'] }}`:                             scan.Dangerous,
		"{{ ''['__cl' ~ 'ass__'] }}":                                    scan.Dangerous,
		"{{ x['_' + '_globals_' + '_'] }}":                              scan.Malicious,
		"{% set u = '_' %}{{ x[u ~ u ~ 'class' ~ u ~ u] }}":             scan.Dangerous,
		"{{ x|attr('a' ~ 'b') }}":                                       scan.Dangerous,
		"{{ lipsum.__globals__ }}":                                      scan.Malicious,
		"{{ cycler.next }}":                                             scan.Dangerous,
		"{{ '{0.a}'.format(x) }}":                                       scan.Dangerous,
		"{{ ('%c' % 95) }}{{ x['a' * 2 ~ 'b'] }}":                       scan.Dangerous,
		"{{ (raise_exception|string)[10] }}":                            scan.Dangerous,
		"{% include '/etc/hostname' %}":                                 scan.Dangerous,
		"{% for x in ().__class__ %}{% endfor %}":                       scan.Malicious,
		"{{ messages|map(attribute=x)|list }}":                          scan.Dangerous,
		"{{ mine(1) }}":                                                 scan.UnknownCode,
		"{{ x|mine }}":                                                  scan.UnknownCode,
		"{{ 'never ends":                                                scan.Incomplete,
		"{% raw %}":                                                     scan.Incomplete,
	} {
		if got := scantest.File(scantest.Scan(t, scanner(), file(keys(chat(template)), nil, 0))); got.Outcome != want {
			t.Errorf("%s\nis %s, want %s: %+v", template, got.Outcome, want, got.Findings)
		}
	}
}

// TestStored reads what bench/scanner/gguf_cases.py wrote with gguf 0.19.
func TestStored(t *testing.T) {
	for _, name := range []string{"testdata/ok.gguf", "testdata/ok-big.gguf"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Outcome != scan.Clean || got.Coverage.Unread > 0 || got.Coverage.Opaque == 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	f.Add(file(keys(le("general.architecture", str, "llama"), chat(honest)), keys(le("w", uint32(2), 8, 4, f32, 0)), 128))
	f.Add(file(keys(le("a", list, list, 1, u32, 1, u32)), nil, 64))
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}
