package catalogue

// Standard is one standard, specification, report or law, whatever its edition.
type Standard struct {
	ID          string   `json:"id" lint:"need,id"`
	Designation string   `json:"designation" lint:"need"`
	Also        []string `json:"also"`       // other numbers: adoptions, renumberings, as printed elsewhere
	WorkItems   []string `json:"work_items"` // numbers of work items
	Title       string   `json:"title" lint:"need"`
	SDO         string   `json:"sdo" lint:"need"`
	Committee   string   `json:"committee"`
	Type        string   `json:"type" lint:"need,enum=IS|EN|TS|TR|TR/TS|GR|AIR|WI|series|amendment|corrigendum|law|request|scheme|framework|report|paper|guideline|recommendation|study|list|checklist|architecture|organisation|unknown"`
	Level       string   `json:"level" lint:"need,enum=organisation|system|unknown"`
	Reach       string   `json:"reach" lint:"need,enum=horizontal|sector|unknown"`
	Supersedes  []string `json:"supersedes" lint:"ref=standards.csv"`
	AmendmentTo string   `json:"amendment_to" lint:"ref=standards.csv"`
	BuildsOn    []string `json:"builds_on" lint:"ref=standards.csv"` // horizontal standards below a sector's
	OJ          string   `json:"oj"`                                 // citation in the Official Journal; empty is not known
	Liaison     string   `json:"liaison"`
	AIAct       string   `json:"ai_act"` // the articles that it is meant to serve
	Source      string   `json:"source" lint:"need"`
	Confidence  string   `json:"confidence" lint:"need,enum=stored|own-knowledge|not-found"`
}

// Key is the standard's id.
func (s Standard) Key() string { return s.ID }

func (Standard) file() string { return "standards.csv" }

// Entry is one row of an inventory, as printed there. Several entries may name
// one standard, and one entry several.
type Entry struct {
	ID        string   `json:"id" lint:"need"`
	Inventory string   `json:"inventory" lint:"need,enum=a1|a2|a3|a4|list"`
	Standards []string `json:"standards" lint:"need,ref=standards.csv"`
	Name      string   `json:"name" lint:"need"`
	Reference string   `json:"reference"`
	Edition   string   `json:"edition"`
	Type      string   `json:"type"`
	Action    string   `json:"action" lint:"enum=|Adopt|Adapt|Develop"`
	Status    string   `json:"status"`
	Expected  string   `json:"expected"` // the date of publication expected, as printed
	Place     string   `json:"place" lint:"need"`
	Note      string   `json:"note"`
}

// Key is the entry's id, such as "A3-01".
func (e Entry) Key() string { return e.ID }

func (Entry) file() string { return "inventory.csv" }

// The inventories: the report's annexes A.1 to A.4, and the list of all else.
const (
	AnnexA1 = "a1"
	AnnexA2 = "a2"
	AnnexA3 = "a3"
	AnnexA4 = "a4"
	List    = "list"
)

// Stage is what is known of a standard at a date: the whole state in a
// snapshot, or one event of its life.
type Stage struct {
	Standard   string `json:"standard" lint:"need,ref=standards.csv"`
	Entry      string `json:"entry" lint:"ref=inventory.csv"` // the row that says so, where one does
	Kind       string `json:"kind" lint:"need,enum=snapshot|event"`
	Date       string `json:"date" lint:"need,date"`
	Stage      string `json:"stage" lint:"need,enum=proposed|started|draft|enquiry|approval|publishing|published|superseded|withdrawn|unknown"`
	Code       string `json:"code" lint:"enum=|10|20|30|40|50|60|60.00|60.60|95"` // harmonised stage code, where the source or the designation tells it
	Reference  string `json:"reference"`
	AsStated   string `json:"as_stated" lint:"need"`
	Source     string `json:"source" lint:"need"`
	Confidence string `json:"confidence" lint:"need,enum=stored|own-knowledge|not-found"`
}

// Key is made of standard, kind, date, the row that says so and the statement.
func (s Stage) Key() string {
	key := s.Standard + " " + s.Kind + " " + s.Date + " " + s.Entry
	if s.Kind == Event {
		key += " " + s.AsStated
	}
	return key
}

func (Stage) file() string { return "history.csv" }

// The kinds of Stage.
const (
	InSnapshot = "snapshot"
	Event      = "event"
)

// Draft says whether nothing binding has come out yet at this stage.
func (s Stage) Draft() bool {
	switch s.Stage {
	case "proposed", "started", "draft", "enquiry", "approval", "publishing", "unknown":
		return true
	}
	return false
}

// Snapshot is a date for which the state of all standards was collected.
type Snapshot struct {
	Date   string `json:"date" lint:"need,date"`
	Title  string `json:"title" lint:"need"`
	Source string `json:"source" lint:"need"`
}

// Key is the snapshot's date.
func (s Snapshot) Key() string { return s.Date }

func (Snapshot) file() string { return "snapshots.csv" }

// Column is a requirement as the report's annexes A.3 and A.4 head a column.
type Column struct {
	ID          string `json:"id" lint:"need,id"`
	Title       string `json:"title" lint:"need"`
	Requirement string `json:"requirement" lint:"need,ref=requirements.csv"` // the report's group, Table 3
	Article     string `json:"article" lint:"need"`                          // of the final AI Act
}

// Key is the column's id, such as "cybersecurity".
func (c Column) Key() string { return c.ID }

func (Column) file() string { return "columns.csv" }

// Cell is one judge's mark on what a standard covers.
type Cell struct {
	Standard   string `json:"standard" lint:"need,ref=standards.csv"`
	Entry      string `json:"entry" lint:"ref=inventory.csv"`
	Edition    string `json:"edition"`
	Clause     string `json:"clause"`
	By         string `json:"by" lint:"need,enum=requirement|threat|property|control"`
	Subject    string `json:"subject" lint:"need"`
	Mark       string `json:"mark" lint:"enum=x|?|"` // empty: looked at, and not covered
	Kind       string `json:"kind" lint:"need,enum=vocabulary|process|requirement|method|metric|threshold|unknown"`
	Basis      string `json:"basis" lint:"need,enum=title|scope|full text|unknown"`
	Judge      string `json:"judge" lint:"need,ref=judges.csv"`
	Date       string `json:"date" lint:"need,date"`
	AsStated   string `json:"as_stated"`
	Source     string `json:"source" lint:"need"`
	Confidence string `json:"confidence" lint:"need,enum=stored|own-knowledge|own-judgement|not-found"`
}

// Key is made of what the cell is about and who judged it.
func (c Cell) Key() string {
	return c.Standard + " " + c.Entry + " " + c.Clause + " " + c.By + " " + c.Subject + " " + c.Judge + " " + c.Date
}

func (Cell) file() string { return "coverage.csv" }

func (c Cell) references() []reference {
	table := map[string]string{"requirement": "columns.csv", "threat": "names.csv", "property": "properties.csv", "control": "controls.csv"}[c.By]
	return []reference{{table, c.Subject}}
}

// What a coverage can be asked by.
const (
	ByRequirement = "requirement"
	ByThreat      = "threat"
	ByProperty    = "property"
	ByControl     = "control"
)

// Judge is who gave marks.
type Judge struct {
	ID    string `json:"id" lint:"need,id"`
	Title string `json:"title" lint:"need"`
	How   string `json:"how" lint:"need"`
}

// Key is the judge's id.
func (j Judge) Key() string { return j.ID }

func (Judge) file() string { return "judges.csv" }

// Report is the judge that ENISA's report of March 2023 is.
const Report = "enisa-2023"
