package remote

import (
	"fmt"
	"strings"
	"sync"
)

// meter counts what is sent and holds it to a cap. Once rows did not fit under it, no
// others are sent: what a run asks does not depend on which of its questions are small.
type meter struct {
	maxRows, maxRequests int // 0: no cap
	mu                   sync.Mutex
	rows, requests       int // that were sent
	closed               bool
}

// spend counts a request with so many rows. A failure says that it must not be sent.
func (m *meter) spend(rows int) *failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.over(rows)
	if f == nil {
		m.charge(rows, 1)
	}
	return f
}

// room says whether a request with so many rows could be sent now.
func (m *meter) room(rows int) *failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over(rows)
}

func (m *meter) over(rows int) *failure {
	fits := (m.maxRows == 0 || m.rows+rows <= m.maxRows) && (m.maxRequests == 0 || m.requests < m.maxRequests)
	if fits && (rows == 0 || !m.closed) {
		return nil
	}
	m.closed = m.closed || rows > 0
	var words []string
	if m.maxRows > 0 {
		words = append(words, fmt.Sprintf("%d of at most %d rows", m.rows, m.maxRows))
	}
	if m.maxRequests > 0 {
		words = append(words, fmt.Sprintf("%d of at most %d requests", m.requests, m.maxRequests))
	}
	return &failure{capped: true, text: "the cap on what may be asked is reached: " + strings.Join(words, " and ") + " were sent"}
}

func (m *meter) charge(rows, requests int) {
	m.rows += rows
	m.requests += requests
}
