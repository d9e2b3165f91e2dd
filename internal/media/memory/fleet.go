package memory

import (
	"sync"

	"github.com/usher-media/usher/internal/media"
)

// Fleet is many servers by URL, for tests that connect by a MediaServer's url. The zero value is ready.
type Fleet struct {
	mu     sync.Mutex
	stores map[string]*Store
}

// Put makes the store answer at the URL; a nil one takes what is there away.
func (f *Fleet) Put(url string, store *Store) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stores == nil {
		f.stores = map[string]*Store{}
	}
	f.stores[url] = store
}

// Open opens a driver on the store at config.URL; it is a media.Open. Where there is none, Probe is Unavailable, as is
// every other call of that driver: open again once there is one.
func (f *Fleet) Open(config media.Config) (media.Driver, error) {
	f.mu.Lock()
	store := f.stores[config.URL]
	f.mu.Unlock()
	if store != nil {
		return store.Open(config)
	}
	nobody := NewStore(Options{})
	nobody.Down()
	return nobody.Open(config)
}
