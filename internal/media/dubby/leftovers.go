package dubby

import (
	"context"
	"encoding/json"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// drop deletes an invite that was not consumed, now or before the next account is made.
func (m *maker) drop(ctx context.Context, invite string) {
	switch media.CodeOf(m.run(ctx, m.discard, nil, nil, nil, invite)) {
	case "", media.NotFound, media.Invalid, media.Conflict, media.PermissionDenied, media.Unsupported:
		return // gone, or used: no second try says anything else
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.leftovers) < maxLeftovers {
		m.leftovers = append(m.leftovers, invite)
	}
}

// clearLeftovers tries again what drop could not do.
func (m *maker) clearLeftovers(ctx context.Context) {
	m.mu.Lock()
	again := m.leftovers
	m.leftovers = nil
	m.mu.Unlock()
	for _, invite := range again {
		m.drop(ctx, invite)
	}
}

// findLost deletes the invite whose answer was lost, if the server lists it: the one that expires at the very millisecond
// that was chosen for it. Nobody has its code, so that one that is not found does no harm until it expires.
func (m *maker) findLost(ctx context.Context) {
	o := m.plan.found[opListInvites]
	if o == nil || o.answer[keyExpires] == "" || !m.mint.takes(keyExpires) {
		return
	}
	var lost []string
	_ = m.list(ctx, o.path, wrongServer, func(raw json.RawMessage) error {
		var fields map[string]json.RawMessage
		var id string
		var expires time.Time
		if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(fields[o.answer[keyID]], &id) != nil {
			return errForm
		}
		if json.Unmarshal(fields[o.answer[keyExpires]], &expires) == nil && expires.Equal(m.expires) {
			lost = append(lost, id)
		}
		return nil
	})
	if len(lost) == 1 {
		m.drop(ctx, lost[0])
	}
}
