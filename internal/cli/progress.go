package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/result"
)

// progress shows a run as it goes: a bar per item on a terminal, plain lines elsewhere.
type progress struct {
	out   io.Writer
	now   func() time.Time
	bars  *mpb.Progress // nil where the output is no terminal
	items map[string]*under
	plan  *engine.Forecast
	once  sync.Once
}

// under is one item under way.
type under struct {
	bar     *mpb.Bar
	label   string
	started time.Time
	said    float64 // share at the last plain line
}

// parts is how finely a bar counts.
const parts = 1000

func (a *App) progress() *progress {
	p := &progress{out: a.Err, now: a.Now, items: map[string]*under{}}
	if a.Width > 0 {
		p.bars = mpb.New(mpb.WithOutput(a.Err), mpb.WithWidth(min(a.Width, 60)), mpb.WithRefreshRate(150*time.Millisecond))
	}
	return p
}

func (p *progress) forecast(f *engine.Forecast) { p.plan = f }

// Handle implements evidence.Handler.
func (p *progress) Handle(m evidence.Message) error {
	switch {
	case m.Started != nil:
		p.start(m.Started)
	case m.Progress != nil:
		p.advance(m.Progress)
	case m.Observation != nil:
		p.finish(m.Observation)
	case m.Warning != "":
		fmt.Fprintln(p.out, "warning:", m.Warning)
	}
	return nil
}

func (p *progress) start(s *evidence.Started) {
	u := &under{label: s.Probe + p.chain(s.Item), started: p.now()}
	p.items[s.Item] = u
	if p.bars == nil {
		fmt.Fprintf(p.out, "%s: started, %s\n", u.label, cost(s))
		return
	}
	u.bar = p.bars.AddBar(parts,
		mpb.PrependDecorators(decor.Name(u.label, decor.WCSyncSpaceR), decor.Name(cost(s), decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.OnComplete(decor.Any(p.left(u), decor.WC{W: 14}), "")),
	)
}

// chain marks the run with the switchable solutions off.
func (p *progress) chain(item string) string {
	if p.plan == nil {
		return ""
	}
	for _, i := range p.plan.Plan.Items {
		if i.ID == item && !i.Deployed {
			return " (off)"
		}
	}
	return ""
}

// left estimates the time that is left from how long the share done took.
func (p *progress) left(u *under) decor.DecorFunc {
	return func(s decor.Statistics) string {
		if s.Current == 0 || s.Current >= parts {
			return ""
		}
		spent := p.now().Sub(u.started).Seconds()
		left := spent * float64(parts-s.Current) / float64(s.Current)
		return fmt.Sprintf("%s left", seconds(left))
	}
}

func cost(s *evidence.Started) string {
	var words []string
	if s.Rows > 0 {
		words = append(words, fmt.Sprintf("%d rows", s.Rows))
	}
	if s.Queries > 0 {
		words = append(words, fmt.Sprintf("%s queries", thousands(s.Queries)))
	}
	if len(words) == 0 {
		return "files"
	}
	return strings.Join(words, ", ")
}

func (p *progress) advance(s *evidence.Progress) {
	u := p.items[s.Item]
	if u == nil {
		return
	}
	if u.bar != nil {
		u.bar.SetCurrent(int64(s.Share * (parts - 1)))
		return
	}
	if s.Share-u.said >= 0.25 && s.Share < 1 {
		u.said = s.Share
		spent := p.now().Sub(u.started).Seconds()
		fmt.Fprintf(p.out, "%s: %.0f %%, %s left\n", u.label, 100*s.Share, seconds(spent*(1-s.Share)/s.Share))
	}
}

func (p *progress) finish(o *evidence.Observation) {
	u := p.items[o.Item]
	if u == nil {
		return
	}
	if u.bar != nil {
		u.bar.SetCurrent(parts)
		return
	}
	line := fmt.Sprintf("%s: %s in %s", u.label, o.State, seconds(p.now().Sub(u.started).Seconds()))
	if o.State != result.Measured {
		line += ": " + o.Reason
	}
	fmt.Fprintln(p.out, line)
}

// stop ends the display; bars that did not finish stay as they are.
func (p *progress) stop() {
	p.once.Do(func() {
		if p.bars == nil {
			return
		}
		for _, u := range p.items {
			if !u.bar.Completed() {
				u.bar.Abort(false)
			}
		}
		p.bars.Wait()
	})
}

func seconds(s float64) string {
	switch {
	case s < 10:
		return fmt.Sprintf("%.1f s", s)
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%.0f min", s/60)
}

// thousands is a count in the shortest form that still says its size.
func thousands(n int) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 10_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}
