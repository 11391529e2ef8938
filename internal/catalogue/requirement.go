package catalogue

// Requirement is one item of law, one provision of a standard, or one group of
// requirements of the report.
type Requirement struct {
	ID          string   `json:"id" lint:"need"`
	Framework   string   `json:"framework" lint:"need,enum=ai-act|en-304-223|enisa-2023|cra|own"`
	Reference   string   `json:"reference" lint:"need"`
	Addressee   string   `json:"addressee"`
	Subject     string   `json:"subject" lint:"need"`
	Text        string   `json:"text" lint:"need"`
	Check       string   `json:"check" lint:"enum=|decision|doc|process|design|test|record|authority"`
	Relevance   string   `json:"relevance" lint:"enum=|core|support|context"` // to cybersecurity
	Norm        string   `json:"norm" lint:"enum=|shall|should"`
	Phase       string   `json:"phase"`
	Evidence    string   `json:"evidence"`
	AppliesFrom string   `json:"applies_from"`
	Standards   []string `json:"standards" lint:"ref=standards.csv"` // in preparation for it, or named for it
	Source      string   `json:"source" lint:"need"`
	Confidence  string   `json:"confidence" lint:"need,enum=stored|own-knowledge|not-found"`
}

// Key is the requirement's id.
func (r Requirement) Key() string { return r.ID }

func (Requirement) file() string { return "requirements.csv" }

// The frameworks that requirements come from.
const (
	AIAct    = "ai-act"
	EN304223 = "en-304-223"
	Groups   = "enisa-2023"
	CRA      = "cra"
)

// Rule is one rule of classification, conformity assessment or presumption.
type Rule struct {
	ID         string `json:"id" lint:"need"`
	Kind       string `json:"kind" lint:"need,enum=AI Act route|re-assessment|presumption|classification|certificate|declaration|CSA level|EUCC level|independence"`
	Condition  string `json:"condition" lint:"need"`
	Result     string `json:"result" lint:"need"`
	Source     string `json:"source" lint:"need"`
	Confidence string `json:"confidence" lint:"need,enum=stored|own-knowledge|not-found"`
}

// Key is the rule's id.
func (r Rule) Key() string { return r.ID }

func (Rule) file() string { return "rules.csv" }

// Date is a date from which law applies or by which something is due.
type Date struct {
	Date      string `json:"date" lint:"need,date"`
	Event     string `json:"event" lint:"need"`
	Reference string `json:"reference" lint:"need"`
}

// Key is the date.
func (d Date) Key() string { return d.Date + " " + d.Reference }

func (Date) file() string { return "dates.csv" }

// HighRisk is one use that Annex III of the AI Act lists as high-risk.
type HighRisk struct {
	Point        string `json:"point" lint:"need"`
	Area         string `json:"area" lint:"need"`
	Text         string `json:"text" lint:"need"`
	Route        string `json:"route" lint:"need"`
	Registration string `json:"registration" lint:"need"`
}

// Key is the point of Annex III.
func (u HighRisk) Key() string { return u.Point }

func (HighRisk) file() string { return "uses.csv" }

// Change is what the final AI Act has where the report read the draft.
type Change struct {
	Topic string `json:"topic" lint:"need"`
	Draft string `json:"draft" lint:"need"`
	Final string `json:"final" lint:"need"`
}

// Key is the topic.
func (c Change) Key() string { return c.Topic }

func (Change) file() string { return "changes.csv" }

// Rating is one value of the tables that rate attack potential (CEM, EUCC) or
// risk (ETSI TS 102 165-1).
type Rating struct {
	Scheme     string `json:"scheme" lint:"need,enum=cem|eucc|tvra"`
	Kind       string `json:"kind" lint:"need,enum=factor|band|assurance|derived|rule|step"`
	Name       string `json:"name" lint:"need"`
	Value      string `json:"value"`
	Result     string `json:"result"` // points, or what follows
	Note       string `json:"note"`
	Source     string `json:"source" lint:"need"`
	Confidence string `json:"confidence" lint:"need,enum=stored|own-knowledge|not-found"`
}

// Key is made of scheme, kind, name and value.
func (r Rating) Key() string { return r.Scheme + " " + r.Kind + " " + r.Name + " " + r.Value }

func (Rating) file() string { return "ratings.csv" }

// Gap is one that the report judged to be there. Computed ones are another type.
type Gap struct {
	ID         string   `json:"id" lint:"need"`
	Section    string   `json:"section" lint:"need"`
	Addressees []string `json:"addressees" lint:"need"`
	Text       string   `json:"text" lint:"need"`
	Topics     []string `json:"topics" lint:"need"`
	Columns    []string `json:"columns" lint:"ref=columns.csv"` // requirements it speaks of, where it names one
	Lacks      []string `json:"lacks" lint:"enum=vocabulary|process|requirement|method|metric|threshold"`
	Restates   []string `json:"restates" lint:"ref=gaps.csv"`
	Meaning    string   `json:"meaning" lint:"need"` // for who builds tools
	State      string   `json:"state" lint:"need,enum=open|partly|closed|confirmed|by design"`
	StateNote  string   `json:"state_note" lint:"need"`
	Source     string   `json:"source" lint:"need"`
}

// Key is the gap's id, such as "G-4.1-12".
func (g Gap) Key() string { return g.ID }

func (Gap) file() string { return "gaps.csv" }

// Recommendation is one that the report made.
type Recommendation struct {
	ID         string   `json:"id" lint:"need"`
	Section    string   `json:"section" lint:"need"`
	Addressees []string `json:"addressees" lint:"need"`
	Text       string   `json:"text" lint:"need"`
	Topics     []string `json:"topics" lint:"need"`
	Meaning    string   `json:"meaning" lint:"need"`
	State      string   `json:"state" lint:"need,enum=open|partly|mostly done|done"`
	StateNote  string   `json:"state_note" lint:"need"`
	Source     string   `json:"source" lint:"need"`
}

// Key is the recommendation's id, such as "R-03".
func (r Recommendation) Key() string { return r.ID }

func (Recommendation) file() string { return "recommendations.csv" }

// Point is one statement on certification: a challenge, a prerequisite, a
// status, a scope.
type Point struct {
	ID     string   `json:"id" lint:"need"`
	Kind   string   `json:"kind" lint:"need,enum=challenge|difference|prerequisite|status|scope"`
	Text   string   `json:"text" lint:"need"`
	Topics []string `json:"topics" lint:"need"`
	Source string   `json:"source" lint:"need"`
}

// Key is the point's id.
func (p Point) Key() string { return p.ID }

func (Point) file() string { return "points.csv" }
