package domain

// Canonical parses a relation and writes it again with the fewest parentheses.
func Canonical(text string, features []Feature) (string, error) {
	names := map[string]int32{}
	for i, f := range features {
		names[f.Name] = int32(i)
	}
	e, err := parse(text, features, names)
	if err != nil {
		return "", err
	}
	return (&parser{features: features}).write(e, 0), nil
}
