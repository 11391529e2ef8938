// Package corruptions holds the probe of what happens to pictures on their way from
// the world to the model: noise, blur, light, compression and a crooked camera.
package corruptions

import (
	"time"

	"github.com/assize/assize/internal/measure"
)

// Probes lists the probes of the family.
func Probes() []measure.Probe {
	return []measure.Probe{{
		ID: "evasion/corruptions", Version: 1,
		Doc: "Corruptions of images: how much accuracy is lost to noise, blur, light, compression, rotation, translation and occlusion?\n\n" +
			"Each picture is corrupted in twelve ways at five severities. Noise, blur, light and JPEG have the parameters of ImageNet-C, and up to 64 pixels those of CIFAR-10-C " +
			"(Hendrycks and Dietterich 2019), lengths scaled to the picture's shorter side; the last three have our own. Beside the mean over kinds stands the worst case of each row: right only where it is right under every kind.",
		Metrics: []string{"accuracy_drop", "clean_accuracy", "corrupted_accuracy", "worst_case_accuracy", "worst_kind_accuracy"},
		Goals:   []string{"resilience"}, Threats: []string{"model-flaws"},
		Needs:  measure.Needs{Model: true, Data: true, Labels: true, Domain: true, Rule: true, Layout: "image"},
		Switch: true, Paired: "stands",
		Cites: []string{
			"Hendrycks, Dietterich: Benchmarking Neural Network Robustness to Common Corruptions and Perturbations. ICLR 2019, arXiv 1903.12261",
			"AI Act Art. 15(4)", "ENISA Failure or malfunction",
		},
		Params: []measure.Param{
			{Name: "rows", Doc: "pictures that are corrupted", Unit: "rows", Quick: 100.0, Standard: 400.0, Thorough: 2000.0},
		},
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			return min(s.TestRows, s.Params.Int("rows")) * (1 + len(kinds())*severities)
		},
		Timeout: 30 * time.Minute,
		Run:     run, Join: join,
	}}
}

const (
	severities = 5
	middle     = 3 // the severity of the worst case, counted from 1
)

// outcome is what became of a corrupted picture.
type outcome int

const (
	wrong outcome = iota
	right
	refused
	unusable
	outcomes
)
