package catalogue

// Name is how one scheme names a threat, an attack or an objective.
type Name struct {
	ID         string   `json:"id" lint:"need"`
	Scheme     string   `json:"scheme" lint:"need,enum=enisa-table1|enisa-smla|nist-ai-100-2|mitre-atlas|owasp-ai-exchange|own"`
	Kind       string   `json:"kind" lint:"need,enum=attack|objective|group|technique|threat"`
	Name       string   `json:"name" lint:"need"`
	Parent     string   `json:"parent" lint:"ref=names.csv"`
	Text       string   `json:"text"`
	Harms      string   `json:"harms" lint:"enum=|confidentiality|integrity|availability"`
	Stages     []string `json:"stages"`
	Source     string   `json:"source" lint:"need"`
	Confidence string   `json:"confidence" lint:"need,enum=stored|own-knowledge|name-unconfirmed"`
}

// Key is the scheme's own id of the threat, such as "NISTAML.022".
func (n Name) Key() string { return n.ID }

func (Name) file() string { return "names.csv" }

// Control is a measure as a scheme lists it.
type Control struct {
	ID       string   `json:"id" lint:"need"`
	Scheme   string   `json:"scheme" lint:"need,enum=enisa-smla|owasp-ai-exchange|own"`
	Category string   `json:"category" lint:"need"`
	Name     string   `json:"name" lint:"need"`
	Stages   []string `json:"stages"`
	Source   string   `json:"source" lint:"need"`
}

// Key is the control's id.
func (c Control) Key() string { return c.ID }

func (Control) file() string { return "controls.csv" }

// Weakness ties a threat to a vulnerability and to a control against it.
type Weakness struct {
	Threat        string `json:"threat" lint:"need,ref=names.csv"`
	Vulnerability string `json:"vulnerability" lint:"need"`
	Control       string `json:"control" lint:"need,ref=controls.csv"`
}

// Key is made of all three.
func (w Weakness) Key() string { return w.Threat + " " + w.Control + " " + w.Vulnerability }

func (Weakness) file() string { return "weaknesses.csv" }

// Answer is a cell of the matrix of threats and controls of the OWASP AI Exchange.
type Answer struct {
	Asset   string `json:"asset" lint:"need"`
	Surface string `json:"surface" lint:"need"`
	Threat  string `json:"threat" lint:"ref=names.csv"` // empty for generic rows
	Printed string `json:"printed" lint:"need"`
	Control string `json:"control" lint:"ref=controls.csv"` // empty where the cell is text
	Kind    string `json:"kind" lint:"need,enum=control|group|text"`
	Group   string `json:"group"`
	Note    string `json:"note"`
}

// Key is made of the whole cell.
func (a Answer) Key() string {
	return a.Asset + " " + a.Surface + " " + a.Printed + " " + a.Control + " " + a.Group
}

func (Answer) file() string { return "answers.csv" }

// Link is one step of a crosswalk: To is Relation to From, so "broader" means
// that To is broader.
type Link struct {
	FromScheme string `json:"from_scheme" lint:"need,ref=vocabularies.csv"`
	From       string `json:"from" lint:"need"`
	ToScheme   string `json:"to_scheme" lint:"need,ref=vocabularies.csv"`
	To         string `json:"to"`
	ToName     string `json:"to_name"`
	Relation   string `json:"relation" lint:"need,enum=equal|broader|narrower|related|none"`
	Original   string `json:"original" lint:"need"` // the word of the source
	Subject    string `json:"subject" lint:"ref=columns.csv"`
	Via        string `json:"via"`
	URL        string `json:"url"`
	Basis      string `json:"basis" lint:"need"`
}

// Key is made of both ends and what they are linked for.
func (l Link) Key() string {
	return l.FromScheme + " " + l.From + " " + l.ToScheme + " " + l.To + " " + l.ToName + " " + l.Subject + " " + l.Via
}

func (Link) file() string { return "links.csv" }

// references are both ends, where the scheme's items are in our own tables.
func (l Link) references() []reference {
	tables := map[string]string{
		"enisa-table1": "names.csv", "enisa-smla": "names.csv", "nist-ai-100-2": "names.csv", "mitre-atlas": "names.csv", "owasp-ai-exchange": "names.csv",
		"enisa-smla-control": "controls.csv", "owasp-ai-exchange-control": "controls.csv",
		"enisa-2023": "requirements.csv", "ai-act": "requirements.csv", "en-304-223": "requirements.csv", "cra": "requirements.csv",
		"annex-a3": "inventory.csv", "annex-a4": "inventory.csv", "standards": "standards.csv",
	}
	var refs []reference
	for _, end := range [][2]string{{l.FromScheme, l.From}, {l.ToScheme, l.To}} {
		if table := tables[end[0]]; table != "" {
			refs = append(refs, reference{table, end[1]})
		}
	}
	return refs
}

// Vocabulary is a scheme whose items crosswalks link.
type Vocabulary struct {
	ID    string `json:"id" lint:"need,id"`
	Title string `json:"title" lint:"need"`
}

// Key is the vocabulary's id.
func (v Vocabulary) Key() string { return v.ID }

func (Vocabulary) file() string { return "vocabularies.csv" }

// Term is what one document means by a term, in own words.
type Term struct {
	Term       string `json:"term" lint:"need"`
	Document   string `json:"document" lint:"need"`
	Standard   string `json:"standard" lint:"ref=standards.csv"`
	Meaning    string `json:"meaning" lint:"need"`
	Note       string `json:"note"`
	Source     string `json:"source" lint:"need"`
	Confidence string `json:"confidence" lint:"need,enum=stored|own-knowledge|not-found"`
}

// Key is made of the term and the document.
func (t Term) Key() string { return t.Term + " | " + t.Document }

func (Term) file() string { return "terms.csv" }

// Property is a quality of an AI system that standards speak of.
type Property struct {
	ID    string `json:"id" lint:"need,id"`
	Title string `json:"title" lint:"need"`
	Kind  string `json:"kind" lint:"need,enum=security|trustworthiness"`
}

// Key is the property's id.
func (p Property) Key() string { return p.ID }

func (Property) file() string { return "properties.csv" }

// Relation says how one property bears on another.
type Relation struct {
	From       string `json:"from" lint:"need,ref=properties.csv"`
	Relation   string `json:"relation" lint:"need,enum=supports|depends on|trades off"`
	To         string `json:"to" lint:"need,ref=properties.csv"`
	Why        string `json:"why" lint:"need"`
	Source     string `json:"source" lint:"need"`
	Confidence string `json:"confidence" lint:"need,enum=stored|own-knowledge|own-judgement"`
}

// Key is made of both properties and the relation.
func (r Relation) Key() string { return r.From + " " + r.Relation + " " + r.To }

func (Relation) file() string { return "relations.csv" }

// Scheme is a European scheme of cybersecurity certification.
type Scheme struct {
	ID         string        `yaml:"id" json:"id" lint:"need,id"`
	Title      string        `yaml:"title" json:"title" lint:"need"`
	Basis      string        `yaml:"basis" json:"basis"`
	Levels     []string      `yaml:"levels" json:"levels" lint:"enum=basic|substantial|high"`
	State      string        `yaml:"state" json:"state" lint:"need,enum=adopted|drafted|assessed|foreseen|unknown"`
	Points     []string      `yaml:"points" json:"points" lint:"ref=points.csv"`
	History    []SchemeState `yaml:"history" json:"history"`
	Source     string        `yaml:"source" json:"source" lint:"need"`
	Confidence string        `yaml:"confidence" json:"confidence" lint:"need,enum=stored|own-knowledge|not-found"`
}

// SchemeState is what was known of a scheme at a date.
type SchemeState struct {
	Date   string `yaml:"date" json:"date" lint:"need,date"`
	Text   string `yaml:"text" json:"text" lint:"need"`
	Source string `yaml:"source" json:"source" lint:"need"`
}

// Key is the scheme's id, such as "eucc".
func (s Scheme) Key() string { return s.ID }

func (Scheme) file() string { return "schemes.yaml" }

// About says of a whole table where it comes from and how sure it is.
type About struct {
	Name       string `yaml:"name" json:"name" lint:"need"`
	Rows       int    `yaml:"rows" json:"rows"`
	Source     string `yaml:"source" json:"source" lint:"need"`
	Licence    string `yaml:"licence" json:"licence" lint:"need"`
	Confidence string `yaml:"confidence" json:"confidence" lint:"need,enum=stored|own-knowledge|own-judgement|by row"`
	AsOf       string `yaml:"as_of" json:"as_of" lint:"need,date"`
}

// Key is the name of the table's file.
func (a About) Key() string { return a.Name }

func (About) file() string { return "tables.yaml" }
