package catalogue

// Standards lists every standard.
func (t *Tables) Standards() ([]Standard, error) { return rowsOf[Standard](t) }

// Entries lists the rows of all inventories, as printed.
func (t *Tables) Entries() ([]Entry, error) { return rowsOf[Entry](t) }

// History lists what is known of standards when: snapshots and events.
func (t *Tables) History() ([]Stage, error) { return rowsOf[Stage](t) }

// Snapshots lists the dates that the history knows whole, oldest first.
func (t *Tables) Snapshots() ([]Snapshot, error) { return rowsOf[Snapshot](t) }

// Columns lists the ten requirements of annexes A.3 and A.4, in the order of the report.
func (t *Tables) Columns() ([]Column, error) { return rowsOf[Column](t) }

// Judges lists who gave marks.
func (t *Tables) Judges() ([]Judge, error) { return rowsOf[Judge](t) }

// Cells lists every mark of every judge.
func (t *Tables) Cells() ([]Cell, error) { return rowsOf[Cell](t) }

// Requirements lists law, provisions and groups of requirements.
func (t *Tables) Requirements() ([]Requirement, error) { return rowsOf[Requirement](t) }

// Rules lists rules of classification, conformity assessment and presumption.
func (t *Tables) Rules() ([]Rule, error) { return rowsOf[Rule](t) }

// Dates lists the dates from which law applies.
func (t *Tables) Dates() ([]Date, error) { return rowsOf[Date](t) }

// Uses lists the uses of Annex III of the AI Act.
func (t *Tables) Uses() ([]HighRisk, error) { return rowsOf[HighRisk](t) }

// Changes lists what the final AI Act has otherwise than the draft.
func (t *Tables) Changes() ([]Change, error) { return rowsOf[Change](t) }

// Ratings lists the values that rate attack potential and risk.
func (t *Tables) Ratings() ([]Rating, error) { return rowsOf[Rating](t) }

// Gaps lists the gaps that the report judged to be there.
func (t *Tables) Gaps() ([]Gap, error) { return rowsOf[Gap](t) }

// Recommendations lists what the report recommends.
func (t *Tables) Recommendations() ([]Recommendation, error) { return rowsOf[Recommendation](t) }

// Points lists statements on certification.
func (t *Tables) Points() ([]Point, error) { return rowsOf[Point](t) }

// Names lists how schemes name threats.
func (t *Tables) Names() ([]Name, error) { return rowsOf[Name](t) }

// Controls lists the controls of other schemes.
func (t *Tables) Controls() ([]Control, error) { return rowsOf[Control](t) }

// Weaknesses lists threat, vulnerability and control of ENISA's SMLA report.
func (t *Tables) Weaknesses() ([]Weakness, error) { return rowsOf[Weakness](t) }

// Answers lists the threats and controls of the OWASP AI Exchange.
func (t *Tables) Answers() ([]Answer, error) { return rowsOf[Answer](t) }

// Links lists every step of every crosswalk.
func (t *Tables) Links() ([]Link, error) { return rowsOf[Link](t) }

// Vocabularies lists the schemes that crosswalks link.
func (t *Tables) Vocabularies() ([]Vocabulary, error) { return rowsOf[Vocabulary](t) }

// Terms lists what documents mean by terms.
func (t *Tables) Terms() ([]Term, error) { return rowsOf[Term](t) }

// Properties lists the properties of AI systems.
func (t *Tables) Properties() ([]Property, error) { return rowsOf[Property](t) }

// Relations lists how properties bear on one another.
func (t *Tables) Relations() ([]Relation, error) { return rowsOf[Relation](t) }

// Schemes lists the European schemes of certification.
func (t *Tables) Schemes() ([]Scheme, error) { return rowsOf[Scheme](t) }

// About says of every table where it comes from.
func (t *Tables) About() ([]About, error) { return rowsOf[About](t) }
