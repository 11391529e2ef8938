package sarif

// What follows are the objects of SARIF 2.1.0 that a dossier fills, named by the
// clauses of the specification.

type logFile struct { // 3.13
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct { // 3.14
	Tool        tool         `json:"tool"`
	Automation  automation   `json:"automationDetails"`
	Invocations []invocation `json:"invocations"`
	Artifacts   []file       `json:"artifacts,omitempty"`
	Results     []found      `json:"results"`
	Properties  properties   `json:"properties,omitempty"`
}

type tool struct { // 3.18
	Driver driver `json:"driver"`
}

type driver struct { // 3.19
	Name           string `json:"name"`
	Version        string `json:"version,omitempty"`
	InformationURI string `json:"informationUri"`
	Rules          []rule `json:"rules,omitempty"`
}

type rule struct { // 3.49
	ID    string     `json:"id"`
	Short message    `json:"shortDescription"`
	Help  *message   `json:"help,omitempty"`
	Props properties `json:"properties,omitempty"`
}

type automation struct { // 3.17
	ID string `json:"id"`
}

type invocation struct { // 3.20
	Successful bool   `json:"executionSuccessful"`
	Start      string `json:"startTimeUtc,omitempty"`
	End        string `json:"endTimeUtc,omitempty"`
}

type file struct { // 3.24
	Location place             `json:"location"`
	Length   int64             `json:"length"`
	Hashes   map[string]string `json:"hashes,omitempty"`
}

type place struct { // 3.4
	URI   string `json:"uri"`
	Index *int   `json:"index,omitempty"`
}

type found struct { // 3.27
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Kind         string            `json:"kind"`
	Level        string            `json:"level"`
	Message      message           `json:"message"`
	Locations    []location        `json:"locations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Props        properties        `json:"properties,omitempty"`
}

type message struct { // 3.11
	Text string `json:"text"`
}

type location struct { // 3.28
	Physical *physical `json:"physicalLocation,omitempty"`
	Logical  []logical `json:"logicalLocations,omitempty"`
}

type physical struct { // 3.29
	Artifact place `json:"artifactLocation"`
}

type logical struct { // 3.33
	Name string `json:"fullyQualifiedName"`
}

type properties map[string]any // 3.8
