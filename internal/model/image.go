package model

// Image is how the values of a row lie when it is a picture: the value of channel c in
// line y and column x is number y*Line + x*Column + c*Channel.
type Image struct {
	Height, Width, Channels int
	Line, Column, Channel   int
}

// Image says how a row is laid out as a picture. It is false where the
// manifest declares columns, or the shape is not that of one picture.
func (m *Model) Image() (Image, bool) {
	var s []int
	for _, d := range m.InputShape() {
		s = append(s, int(d))
	}
	if len(m.spec.Input.Shape) == 3 {
		s = m.spec.Input.Shape
	}
	if len(s) != 3 || s[0]*s[1]*s[2] != m.width {
		return Image{}, false
	}
	switch m.spec.Input.Layout {
	case "nchw":
		return Image{Channels: s[0], Height: s[1], Width: s[2], Line: s[2], Column: 1, Channel: s[1] * s[2]}, true
	case "nhwc":
		return Image{Height: s[0], Width: s[1], Channels: s[2], Line: s[1] * s[2], Column: s[2], Channel: 1}, true
	}
	return Image{}, false
}
