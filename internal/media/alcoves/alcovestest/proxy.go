package alcovestest

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Proxy stands between Usher and PostgreSQL, and can be as bad as a network.
type Proxy struct {
	target   string
	dsn      url.URL
	listener net.Listener

	mu          sync.Mutex
	connections map[net.Conn]bool
	// down refuses connections; losing breaks them in place of the answer to the commit of a write.
	down, losing bool
	// crash is the code of the error that a client is told in place of the lost answer; empty for none.
	crash string
	// holding is closed when what is held may go on; nil when nothing is held.
	holding chan struct{}
	arrived chan<- struct{}
	commits int
	// instead is the database that new connections lead to; empty for the one that they ask for.
	instead string
	all     sync.WaitGroup
}

func startProxy(t testing.TB, host string, port int, dsn string) *Proxy {
	t.Helper()
	parsed, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: net.JoinHostPort(host, strconv.Itoa(port)), dsn: *parsed, listener: listener, connections: map[net.Conn]bool{}}
	p.all.Go(p.serve)
	t.Cleanup(func() {
		p.Heal()
		_ = listener.Close()
		p.drop()
		p.all.Wait()
	})
	return p
}

// URL is how to connect through the proxy: as that role, or as the one of the database's own URL where it is empty.
func (p *Proxy) URL(role, password string) string {
	through := p.dsn
	through.Host = p.listener.Addr().String()
	if role != "" {
		through.User = url.UserPassword(role, password)
	}
	return through.String()
}

// Lead makes new connections lead to another proxy's database, at the same address.
func (p *Proxy) Lead(to *Proxy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instead = strings.Trim(to.dsn.Path, "/")
}

// led puts the database that a connection is led to into its first message.
func (p *Proxy) led(startup []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.instead == "" || len(startup) < 4 {
		return startup
	}
	asked := "database\x00" + strings.Trim(p.dsn.Path, "/") + "\x00"
	led := bytes.Replace(startup, []byte(asked), []byte("database\x00"+p.instead+"\x00"), 1)
	binary.BigEndian.PutUint32(led, uint32(len(led)))
	return led
}

// Down makes PostgreSQL unreachable for Usher.
func (p *Proxy) Down() {
	p.mu.Lock()
	p.down = true
	p.mu.Unlock()
	p.drop()
}

// LoseCommits lets writes be committed, and breaks the connection in place of the answer.
func (p *Proxy) LoseCommits() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.losing = true
}

// CrashCommits lets writes be committed, and answers as a pooler does whose server went away meanwhile, or a server that
// is shut down: with an error of that code.
func (p *Proxy) CrashCommits(code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.losing, p.crash = true, code
}

// crashed is the answer in place of the lost one.
func (p *Proxy) crashed() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.crash == "" {
		return nil
	}
	text, _ := (&pgproto3.ErrorResponse{Severity: "FATAL", Code: p.crash, Message: "server conn crashed?"}).Encode(nil)
	return text
}

// Hold makes everything wait until Heal. Each that begins to wait is told to arrived.
func (p *Proxy) Hold(arrived chan<- struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding, p.arrived = make(chan struct{}), arrived
}

// Heal takes all faults away.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.losing, p.crash = false, false, ""
	if p.holding != nil {
		close(p.holding)
		p.holding = nil
	}
}

// Commits counts the writes that were committed.
func (p *Proxy) Commits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.commits
}

func (p *Proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.connections {
		_ = c.Close()
	}
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.carry(client) })
	}
}

func (p *Proxy) keep(c net.Conn) (down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connections[c] = true
	return p.down
}

func (p *Proxy) forget(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.connections, c)
}

func (p *Proxy) carry(client net.Conn) {
	defer p.forget(client)
	if p.keep(client) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.forget(server)
	p.keep(server)
	var lost sync.Map // holds true once the commit of a write was sent, whose answer is to be lost
	p.all.Go(func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if _, losing := lost.Load(true); losing || err != nil {
				_, _ = client.Write(p.crashed())
				_ = client.Close()
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	buffer, reads := make([]byte, 64<<10), false
	for first := true; ; first = false {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if first {
			n = copy(buffer, p.led(buffer[:n]))
		}
		reads = reads || bytes.Contains(buffer[:n], []byte("read only"))
		if p.pass(!reads && bytes.Contains(buffer[:n], []byte("commit\x00"))) {
			lost.Store(true, true)
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// pass waits while everything is held, and says whether the answer is to be lost.
func (p *Proxy) pass(commit bool) (lose bool) {
	p.mu.Lock()
	holding, arrived := p.holding, p.arrived
	if commit {
		p.commits++
	}
	lose = commit && p.losing
	p.mu.Unlock()
	if holding != nil {
		select {
		case arrived <- struct{}{}:
		default:
		}
		<-holding
	}
	return lose
}
