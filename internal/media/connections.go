package media

import (
	"sync"
	"time"
)

// Connections holds the connection of every MediaServer that is in use. One reconciler writes it (the
// MediaServer's); all others read. Safe for concurrent use.
type Connections struct {
	mu    sync.RWMutex
	byKey map[string]Connection
}

// Connection is one MediaServer's connection, as its reconciler last found it. A value: reading it once gives
// one consistent view.
type Connection struct {
	// Server that the calls go to; nil before there is one.
	Server *Server
	// Fingerprint of the configuration that the Server was opened with.
	Fingerprint string
	// Opened is when the Server was opened: a listing begun before says nothing about what it did.
	Opened time.Time
	// Generation of the MediaServer that this connection was made for: with another, nothing is done.
	Generation int64
	// Up: probed and listed, its identity is the expected one.
	Up bool
	// Remembered: the Secret is gone, and the server still answers to the credentials from before. Only what is being let
	// go uses such a connection; it is not Up.
	Remembered bool
	// SecretGone is since when the Secret has been missing; zero when it is there.
	SecretGone time.Time
	// Reason (a condition's reason) and Message say why it is not up.
	Reason, Message string
	// Probe is what the server last said of itself.
	Probe Probe
	// StaleAt is when the Inventory becomes too old to say that anything is as it should be.
	StaleAt time.Time
	// RetryAt is when the server is next looked at.
	RetryAt time.Time
	// Failures counts the looks that failed since the last that did not.
	Failures int
}

// NewConnections makes an empty set.
func NewConnections() *Connections {
	return &Connections{byKey: map[string]Connection{}}
}

// Get returns the connection of a MediaServer, by namespace/name; the zero Connection when there is none.
func (c *Connections) Get(key string) Connection {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byKey[key]
}

// Put replaces the connection of a MediaServer and returns the one before.
func (c *Connections) Put(key string, connection Connection) Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.byKey[key]
	c.byKey[key] = connection
	return before
}

// Fail marks a connection as not up, if it is in use and still goes to the server that failed. It says whether it did.
func (c *Connections) Fail(key string, failed *Server, reason, message string, retryAt time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	connection := c.byKey[key]
	if (!connection.Up && !connection.Remembered) || connection.Server != failed {
		return false
	}
	if connection.Up { // else, that the Secret is gone is still the reason
		connection.Reason, connection.Message = reason, message
	}
	connection.Up, connection.Remembered, connection.RetryAt = false, false, retryAt
	c.byKey[key] = connection
	return true
}

// Remove forgets the connection of a MediaServer and closes it.
func (c *Connections) Remove(key string) {
	c.mu.Lock()
	connection := c.byKey[key]
	delete(c.byKey, key)
	c.mu.Unlock()
	if connection.Server != nil {
		_ = connection.Server.Close()
	}
}
