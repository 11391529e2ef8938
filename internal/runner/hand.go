package runner

import (
	"context"

	"github.com/assize/assize/internal/worker"
)

// hand is one worker's goroutine. It owns its child process.
type hand struct {
	run     *run
	process *worker.Process
}

// work takes tasks until there are no more or ctx ends.
func (h *hand) work(ctx context.Context, tasks <-chan *task) {
	defer h.drop()
	for {
		select {
		case t, ok := <-tasks:
			if !ok {
				return
			}
			if t.item.probe.Isolated {
				h.drop()
			}
			done, err := h.do(ctx, t)
			if err != nil || t.item.probe.Isolated {
				h.drop()
			}
			h.send(ctx, event{task: t, done: done, err: err})
		case <-ctx.Done():
			return
		}
	}
}

func (h *hand) do(ctx context.Context, t *task) (*worker.Done, error) {
	if h.process == nil {
		p, err := worker.Start(ctx, h.run.Command, h.run.Setup)
		if err != nil {
			return nil, err
		}
		h.process = p
	}
	return h.process.Run(ctx, t.item.probe, t.job, func(share float64) {
		h.send(ctx, event{task: t, progress: share})
	})
}

// send gives up when ctx ends, because then nobody may be listening.
func (h *hand) send(ctx context.Context, e event) {
	select {
	case h.run.events <- e:
	case <-ctx.Done():
	}
}

func (h *hand) drop() {
	if h.process != nil {
		h.process.Close()
		h.process = nil
	}
}
