package planner

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/assize/assize/internal/catalogue"
)

// Bounds on conditions. They come from a user's folder, so neither text nor
// evaluation may cost more than a condition of a few facts needs.
const (
	maxCondition = 2000 // characters
	maxNesting   = 32
	maxCost      = 100_000 // CEL's own units: about one a step
)

// conditions evaluates what criteria say of the targets that they apply to, in
// CEL (cel.dev, version 0.25 of the language). The zero value is ready; the
// language is only set up when a condition is first met, which costs milliseconds.
type conditions struct {
	env   *cel.Env
	facts facts
}

// CheckCondition compiles a criterion's condition without evaluating it. The
// error says where in it the fault is.
func CheckCondition(expression string) error {
	_, err := (&conditions{}).compile(expression)
	return err
}

func (c *conditions) compile(expression string) (*cel.Ast, error) {
	if c.env == nil {
		p, err := newProvider()
		if err != nil {
			return nil, fmt.Errorf("set up CEL: %w", err)
		}
		options := []cel.EnvOption{
			cel.CustomTypeProvider(p), cel.ParserExpressionSizeLimit(maxCondition), cel.ParserRecursionLimit(maxNesting),
			cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateComprehensionNestingLimit(2)),
		}
		for _, name := range slices.Sorted(maps.Keys(p.fields[root])) {
			options = append(options, cel.Variable(name, p.fields[root][name]))
		}
		if c.env, err = cel.NewEnv(options...); err != nil {
			return nil, fmt.Errorf("set up CEL: %w", err)
		}
	}
	ast, issues := c.env.Compile(expression)
	if all := issues.Errors(); len(all) > 0 {
		where := ""
		if all[0].Location.Line() > 0 {
			where = fmt.Sprintf("%d:%d: ", all[0].Location.Line(), all[0].Location.Column()+1)
		}
		return nil, errors.New(where + firstLine(all[0].Message))
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("1:1: it gives %s, not true or false", ast.OutputType())
	}
	return ast, nil
}

// why says why a criterion does not apply; empty where it does, has no
// condition, or where what its condition asks is not known, as of a model that does not open.
func (c *conditions) why(expression string) (string, error) {
	if expression == "" {
		return "", nil
	}
	ast, err := c.compile(expression)
	if err != nil {
		return "", err
	}
	program, err := c.env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptPartialEval))
	if err != nil {
		return "", err
	}
	var unknown []*cel.AttributePatternType
	for _, field := range c.facts.unknown {
		unknown = append(unknown, cel.AttributePattern("model").QualString(field))
	}
	vars, err := cel.PartialVars(c.facts.values, unknown...)
	if err != nil {
		return "", err
	}
	out, _, err := program.Eval(vars)
	if err != nil {
		return "", errors.New(firstLine(err.Error()))
	}
	if types.IsUnknown(out) || out == types.True {
		return "", nil
	}
	reason := fmt.Sprintf("it applies where %s, which is not so of this target", strings.Join(strings.Fields(expression), " "))
	if read := c.facts.read(expression); len(read) > 0 {
		reason += ": " + strings.Join(read, ", ")
	}
	return reason, nil
}

// settle fills in what a criterion needs of the target before it can decide.
func (c *conditions) settle(k *catalogue.Criterion, place string) error {
	if k.Confidence == 0 {
		k.Confidence = catalogue.DefaultConfidence
	}
	reason, err := c.why(k.Applies)
	if err != nil {
		return fmt.Errorf("plan: %s: criterion %q: applies: %w\nhint: a condition is an expression in CEL; it can read %s", place, k.ID, err, strings.Join(paths(), ", "))
	}
	k.NotApplicable = reason
	return nil
}

var dotted = regexp.MustCompile(`\b[a-z_]+(\.[a-z_]+)*\b`)

// read lists the facts that an expression names, with their values.
func (f facts) read(expression string) []string {
	var out []string
	known := paths()
	for _, path := range dotted.FindAllString(expression, -1) {
		if !slices.Contains(known, path) {
			continue
		}
		var v any = f.values
		for part := range strings.SplitSeq(path, ".") {
			group, ok := v.(map[string]any)
			if !ok {
				break
			}
			v = group[part]
		}
		fact := path + " is "
		switch v := v.(type) {
		case string:
			fact += fmt.Sprintf("%.200q", v)
		case bool, int64:
			fact += fmt.Sprint(v)
		default:
			continue
		}
		if !slices.Contains(out, fact) {
			out = append(out, fact)
		}
	}
	return out
}
