package annexiv

// point is one point of Annex IV with its slots.
type point struct {
	number, title string
	slots         []slot
}

// points are those of Annex IV, in own words.
func points() []point {
	return append(description(), append(development(), operation()...)...)
}

func description() []point {
	return []point{
		{"1(a)", "Purpose, provider and version", []slot{
			known("Intended purpose", "State target.intended_purpose in assize.yaml and assess again.", purpose),
			known("System, provider and classification", "", identity),
			provider("Relation to earlier versions", "product owner", "product_owner", "Which version this one replaces, what differs from it, and whether results of the earlier one still hold."),
		}},
		{"1(b)", "Work with hardware and software outside the system", []slot{
			known("Infrastructure and components of others, as declared", "State target.environment in assize.yaml and assess again.", surroundings),
			provider("Interaction with other systems", "system architect", "architect", "Every system, including other AI systems, that gives this one input or acts on its output: interface, data, who runs it, and what happens when it fails."),
		}},
		{"1(c)", "Versions of software and firmware", []slot{
			known("Versions that were assessed", "", versions),
			provider("What updates need", "operations lead", "operations", "What must be updated together, how an update reaches deployers, and which update asks for a new assessment."),
		}},
		{"1(d)", "Forms in which it is supplied", []slot{
			provider("Forms of supply", "product owner", "product_owner", "Each form: built into hardware, package, download, programming interface or service."),
		}},
		{"1(e)", "Hardware", []slot{
			known("Hardware it is to run on, as declared", "State target.environment.hardware in assize.yaml and assess again.", hardware),
			known("Hardware it was assessed on", "The run recorded no environment; assess again.", tested),
		}},
		{"1(f)", "The product, where the system is a part of one", []slot{
			provider("Pictures, marking and layout", "product owner", "product_owner", "Photographs or drawings of the product with its outside, its marking and its inside; or one sentence that the system is no part of a product."),
		}},
		{"1(g)", "User interface", []slot{
			provider("What the deployer sees", "user interface lead", "interface", "Short description of the screens or messages that deployers work with, and what they can set."),
		}},
		{"1(h)", "Instructions for use", []slot{
			provider("Instructions for use", "technical writer", "documentation", "The instructions themselves (Article 13) or where they stand. The tested levels that they must state are under point 3, and the report format \"instructions\" writes them out."),
		}},
	}
}

func development() []point {
	return []point{
		{"2(a)", "How it was developed", []slot{
			known("Where each artefact comes from", "Name artefacts with from, of and on in assize.yaml and assess again.", lineage),
			provider("Methods and steps", "development lead", "model_owner", "Steps from data to release; which trained models and tools of others were used, and how they were integrated or changed."),
		}},
		{"2(b)", "Design", []slot{
			known("Quality it is designed to reach", "State levels under declared in assize.yaml and assess again.", declared),
			provider("Logic, choices and trade-offs", "development lead", "model_owner", "What the system and its algorithms do, the main choices with reasons and assumptions (also about the persons it is used on), what is optimised, what the output means, and which requirements were traded against which."),
		}},
		{"2(c)", "Architecture and computing resources", []slot{
			known("Components, by digest", "Name artefacts in assize.yaml and assess again.", components),
			known("Computing used by the tests", "No probe ran; assess again.", computing),
			provider("Architecture", "system architect", "architect", "How the components build on and feed each other, and how the model sits in the whole; a drawing helps."),
			provider("Computing used for development and training", "development lead", "model_owner", "Machines, hours and energy of training, validation and testing before this assessment."),
		}},
		{"2(d)", "Data", []slot{
			known("Data sets, by digest", "Name artefacts of kind dataset in assize.yaml and assess again.", datasets),
			known("What was measured on the data", "Claim the goal data-poisoning in assize.yaml and assess again with a build that measures it.", onData),
			provider("Origin, scope and preparation", "data governance lead", "data_owner", "For each set: where it was collected and for what, scope and main characteristics, how it was selected, labelled and cleaned, how outliers were found, and which gaps and biases are known (Article 10)."),
		}},
		{"2(e)", "Human oversight", []slot{
			known("Who oversees, as declared", "State target.roles.oversight in assize.yaml and assess again.", overseer),
			known("Measures of control and response, as declared", "Name solutions with the function control or respond in assize.yaml and assess again.", control),
			provider("Assessment of the measures", "oversight lead", "oversight", "Whether those who oversee can understand, question, override and stop the system (Article 14), and which technical means help deployers to interpret its output."),
		}},
		{"2(f)", "Changes that are foreseen", []slot{
			known("Learning and changes, as declared", "State target.life_cycle in assize.yaml and assess again.", lifeCycle),
			provider("How it stays compliant through them", "development lead", "model_owner", "For each foreseen change: what may change within which limits, how it is tested before release, and how it is undone."),
		}},
		{"2(g)", "Validation and tests", []slot{
			known("Procedures", "No probe was planned; assess again.", procedures),
			known("Accuracy", "No probe of performance measured anything; the reasons stand under what was not tested.", accuracy),
			known("Robustness", "No probe of evasion, availability or formal proof measured anything; the reasons stand under what was not tested.", robustness),
			known("Other measurements", "Nothing else was measured; the reasons stand under what was not tested.", others),
			known("Decisions", "No criterion was applied; assess again.", decisions),
			known("Whether the measurements are valid", "No probe checked itself; assess again.", validity),
			known("What was not tested, and why", "", gaps),
			known("Test log", "", testLog),
			provider("Effects that may discriminate", "fundamental rights or compliance lead", "compliance", "Which groups were compared, with which measure, and what was found; or why none can be affected."),
			provider("Signature of those responsible", "head of development and quality manager", "quality", "Date, name and signature on the test reports. The dossier itself is signed by the key under the test log."),
		}},
		{"2(h)", "Cybersecurity", []slot{
			known("Measures in the system and their measured effect", "Name the measures under solutions in assize.yaml and assess again.", measures),
			known("Attacks that were tried, and what held", "No goal was decided; assess again.", goalTable),
			provider("Measures around the system", "security lead", "security", "Access, network, secrets, supply chain, monitoring and incident response for model, data and service, as far as they are no solution above."),
		}},
	}
}

func operation() []point {
	return []point{
		{"3", "Monitoring, functioning and control", []slot{
			known("Levels that were tested", "No criterion measured anything; the reasons stand under point 2(g).", levels),
			known("Limits to know", "", caveats),
			known("Which inputs are feasible", "", feasible),
			provider("Accuracy for persons and groups", "development lead", "model_owner", "Levels for the specific persons or groups that the system is meant for, beside the levels over all above."),
			provider("Unintended outcomes and sources of risk", "risk manager", "risk", "Foreseeable unintended outcomes and sources of risk to health, safety and fundamental rights, given the intended purpose."),
			provider("Specification of input data", "data governance lead", "data_owner", "What input must look like to be used: fields, ranges, quality, and what is done with input that is not so."),
		}},
		{"4", "Why the metrics fit", []slot{
			known("Criteria, who set them and why", "No criterion is in the plan; assess again.", criteria),
			provider("Why they fit this system", "development lead", "model_owner", "Why these metrics and levels say what matters for the intended purpose, and what they leave out."),
		}},
		{"5", "Risk management", []slot{
			known("Goals against threats, and their outcome", "No goal was decided; assess again.", goalTable),
			provider("The risk management system", "risk manager", "risk", "The system of Article 9: risks identified, how they were estimated, measures chosen, residual risk and why it is acceptable."),
		}},
		{"6", "Changes over the life cycle", []slot{
			known("This version, and runs before it", "", history),
			provider("Changes by the provider", "product owner", "product_owner", "Every relevant change since first release: date, what, why, and which tests were done again."),
		}},
		{"7", "Standards", []slot{
			known("Law and standards that the criteria cite", "No decision cites anything.", cites),
			provider("Harmonised standards that are applied", "compliance lead", "compliance", "Each harmonised standard, applied in full or in which part, with its reference in the Official Journal; where none is, how the requirements are met and by which other standards and specifications."),
		}},
		{"8", "EU declaration of conformity", []slot{
			provider("Copy of the declaration", "legal representative of the provider", "legal", "The signed declaration of Article 47 and Annex V."),
		}},
		{"9", "After placing on the market", []slot{
			known("Measures that detect or respond in operation, as declared", "Name solutions with the function detect, respond or resolve in assize.yaml and assess again.", running),
			provider("Post-market monitoring plan", "quality manager", "quality", "The system that follows performance in use, with the plan of Article 72(3): which data is collected from whom, how often it is looked at, and what starts corrective action."),
		}},
	}
}
