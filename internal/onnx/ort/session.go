//go:build cgo

package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	binding "github.com/yalue/onnxruntime_go"

	"github.com/assize/assize/internal/onnx"
)

// Load loads the library at path into the process and starts its
// environment, telemetry off and silent. Only the first call does anything:
// a process has one ONNX Runtime, until it ends. Call it before anything
// else of the package, not from several goroutines at once.
func Load(path string) error {
	if binding.IsInitialized() {
		return nil
	}
	// Microsoft's build opens a database for telemetry while it is being loaded, before anybody can call it.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return fmt.Errorf("load ONNX Runtime: switch off telemetry: %w", err)
	}
	binding.SetSharedLibraryPath(path)
	if err := binding.InitializeEnvironment(binding.WithLogLevelFatal()); err != nil {
		return fmt.Errorf("load ONNX Runtime: %s\nhint: %s must be libonnxruntime of version 1.%d or newer for this machine",
			plain(err), path, minMinor)
	}
	if err := binding.DisableTelemetry(); err != nil {
		return fmt.Errorf("load ONNX Runtime: switch off telemetry: %s", plain(err))
	}
	return nil
}

// Version returns the version of the library that is loaded, empty before
// Load.
func Version() string {
	if !binding.IsInitialized() {
		return ""
	}
	return binding.GetVersion()
}

// plain is the binding's error on one line, without its own prefixes.
func plain(err error) string {
	s := strings.Join(strings.Fields(err.Error()), " ")
	for _, prefix := range []string{"Error running network: ", "Error creating C session: ", "Error creating session: ",
		"Platform-specific initialization failed: "} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

// Session is a model that is loaded and can run. Run may be called from
// several goroutines at once. Close frees it; nothing else does.
type Session struct {
	*signature
	session *binding.DynamicAdvancedSession
}

// NewSession loads an encoded model, with all graph optimisations. The
// slice may be reused afterwards.
//
// The arena and the memory patterns of ONNX Runtime are on: without them a
// small convolutional network took 3 % longer at 16 rows and ten times longer
// at 1,000, where every run maps its memory anew. The arena keeps what the
// largest batch needed, up to twice that, until Close: 1.1 GB for 10,000 MNIST
// images in one batch. Many different batch sizes do not add to it.
func NewSession(model []byte, opts Options) (*Session, error) {
	if !binding.IsInitialized() {
		return nil, errors.New("start session: ONNX Runtime is not loaded")
	}
	sig, err := sign(model, opts)
	if err != nil {
		return nil, err
	}
	options, err := sessionOptions(opts)
	if err != nil {
		return nil, fmt.Errorf("start session: %s", plain(err))
	}
	defer options.Destroy()
	s, err := binding.NewDynamicAdvancedSessionWithONNXData(model, valueNames(sig.inputs), valueNames(sig.outputs), options)
	if err != nil {
		return nil, fmt.Errorf("start session: %s", plain(err))
	}
	return &Session{signature: sig, session: s}, nil
}

func valueNames(values []*onnx.ValueInfo) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.Name)
	}
	return out
}

func sessionOptions(opts Options) (*binding.SessionOptions, error) {
	o, err := binding.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		o.SetIntraOpNumThreads(max(1, opts.Threads)),
		o.SetInterOpNumThreads(1),
		o.SetGraphOptimizationLevel(binding.GraphOptimizationLevelEnableAll),
		o.SetCpuMemArena(true),
		o.SetMemPattern(true),
		o.SetLogSeverityLevel(binding.LoggingLevelFatal),
	)
	if opts.Folder != "" {
		err = errors.Join(err, o.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", opts.Folder))
	}
	if err != nil {
		o.Destroy()
		return nil, err
	}
	return o, nil
}

// Close frees the session. No Run may be going on, and none may follow.
func (s *Session) Close() error {
	if s.session == nil {
		return nil
	}
	err := s.session.Destroy()
	s.session = nil
	return err
}

// Run computes the session's outputs from one tensor an input, in the order
// of Inputs. Tensors of any type and shape are handed to ONNX Runtime, whose
// refusal comes back as an error. When ctx ends the run is stopped at the
// next operator and the error is ctx's.
//
// BUG: a float16 output, and one number (rank 0), are returned only where
// the model declares the output's shape; otherwise Run fails.
func (s *Session) Run(ctx context.Context, inputs []*Tensor) ([]*Tensor, error) {
	if len(inputs) != len(s.inputs) {
		return nil, fmt.Errorf("run model: got %d inputs, want %d (%s)", len(inputs), len(s.inputs), names(s.inputs))
	}
	var owned []binding.Value
	defer func() {
		for _, v := range owned {
			v.Destroy()
		}
	}()
	in := make([]binding.Value, len(inputs))
	for i, t := range inputs {
		v, err := toValue(t)
		if err != nil {
			return nil, fmt.Errorf("run model: input %q: %s", s.inputs[i].Name, plain(err))
		}
		in[i] = v
		owned = append(owned, v)
	}
	out := make([]binding.Value, len(s.outputs))
	for i, v := range s.outputs {
		var err error
		if out[i], err = allocate(v); err != nil {
			return nil, fmt.Errorf("run model: output %q: %s", v.Name, plain(err))
		}
		if out[i] != nil {
			owned = append(owned, out[i])
		}
	}
	made := make([]bool, len(out))
	for i := range out {
		made[i] = out[i] == nil
	}
	err := s.run(ctx, in, out)
	for i, v := range out {
		// Where the binding cannot wrap an output it leaves a nil of some tensor type.
		if made[i] && v != nil && !reflect.ValueOf(v).IsNil() {
			owned = append(owned, v)
		}
	}
	if err != nil {
		return nil, err
	}
	results := make([]*Tensor, len(out))
	for i, v := range out {
		if results[i], err = fromValue(v); err != nil {
			return nil, fmt.Errorf("run model: output %q: %s", s.outputs[i].Name, plain(err))
		}
	}
	return results, nil
}

// run calls ONNX Runtime, and stops it when ctx ends.
func (s *Session) run(ctx context.Context, in, out []binding.Value) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("run model: %w", err)
	}
	if s.session == nil {
		return errors.New("run model: the session is closed")
	}
	var options *binding.RunOptions
	if ctx.Done() != nil {
		var err error
		if options, err = binding.NewRunOptions(); err != nil {
			return fmt.Errorf("run model: %s", plain(err))
		}
		defer options.Destroy()
		stopped := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(stopped)
			options.Terminate()
		})
		defer func() {
			if !stop() {
				<-stopped // Terminate is under way: the options must outlive it
			}
		}()
	}
	err := s.session.RunWithOptions(in, out, options)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("run model: %w", ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("run model: %s", plain(err))
	}
	return nil
}
