// Package testpg runs a real PostgreSQL server for tests: one for a test package, started when the first test asks for
// it, on a port of loopback and in a directory that go with it.
//
//	func TestMain(m *testing.M) { testpg.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		dsn := testpg.Database(t) // of a new, empty database
//		...
//	}
//
// A test that runs its own program again for a second round passes ChildEnv on, and the child uses the same server.
//
// The server's programs are those of the machine (Debian's package postgresql). Where there are none, the test is
// skipped and says so; with USHER_CI_REQUIRE=1 it fails.
package testpg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "postgres"
	startTime = 60 * time.Second
)

// errMissing says that this machine has no PostgreSQL server.
var errMissing = errors.New("there is no PostgreSQL server on this machine (Debian: apt-get install postgresql)")

var (
	once    sync.Once
	running *server
	failure error
	names   atomic.Int64
)

// Main runs a package's tests and then stops the server, if one was started.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for who exits by themselves: it returns the exit code.
func Run(m *testing.M) int {
	code := m.Run()
	Stop()
	return code
}

// Stop stops the server, if one was started, for good: for packages whose TestMain is that of another environment.
func Stop() {
	if running != nil {
		running.stop()
	}
}

// portVariable says in a child's environment where its parent's server listens.
const portVariable = "USHER_TESTPG_PORT"

// ChildEnv is what makes a child process that runs tests use this process's server.
func ChildEnv(t testing.TB) string { return portVariable + "=" + strconv.Itoa(get(t).port) }

// Database returns how to connect, as its superuser, to an empty database that no other test has. After the test its
// connections are ended. It is emptied for the next test, since making one takes much longer.
func Database(t testing.TB) string {
	t.Helper()
	s := get(t)
	name := s.takeEmptied()
	if name == "" {
		name = fmt.Sprintf("test_%d_%d", os.Getpid(), names.Add(1))
		s.exec(t, superuser, "CREATE DATABASE "+name)
	}
	t.Cleanup(func() { s.empty(t, name) })
	return s.dsn(name)
}

// As returns the connection string of a database for another role, with its password.
func As(t testing.TB, dsn, role, password string) string {
	t.Helper()
	parsed, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.UserPassword(role, password)
	return parsed.String()
}

func get(t testing.TB) *server {
	t.Helper()
	once.Do(func() { running, failure = start() })
	switch {
	case errors.Is(failure, errMissing) && os.Getenv("USHER_CI_REQUIRE") == "":
		t.Skip(failure)
	case failure != nil:
		t.Fatal(failure)
	}
	return running
}

type server struct {
	dir     string
	port    int
	command *exec.Cmd

	mu sync.Mutex
	// emptied are the databases that the next tests may have.
	emptied []string
}

func (s *server) dsn(database string) string {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Host: address, Path: database, RawQuery: "sslmode=disable"}).String()
}

// exec runs a statement in a database and returns how many rows it concerned.
func (s *server) exec(t testing.TB, database, statement string) int64 {
	t.Helper()
	// Not the test's context: the database is dropped after that has ended.
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.dsn(database))
	if err != nil {
		t.Fatalf("connect to the test's PostgreSQL: %v", err)
	}
	defer func() { _ = connection.Close(ctx) }()
	done, err := connection.Exec(ctx, statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return done.RowsAffected()
}

// start makes a cluster of databases and serves it. Nothing in it is worth keeping, so nothing is synced to disk.
func start() (*server, error) {
	if port, err := strconv.Atoi(os.Getenv(portVariable)); err == nil {
		return &server{port: port}, nil
	}
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	attributes, owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "testpg-*")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	if err := s.init(bin, attributes, owner); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *server) init(bin string, attributes *syscall.SysProcAttr, owner func(string) error) error {
	if err := owner(s.dir); err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.dir, attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	// A port of the system's choice may be taken by another before the server has it; then the next one is tried.
	var err error
	for range 5 {
		if err = s.serve(bin, data, attributes); err == nil {
			return nil
		}
	}
	return err
}

func (s *server) serve(bin, data string, attributes *syscall.SysProcAttr) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	logfile, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = logfile.Close() }()
	s.port = port
	s.command = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-k", s.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
	s.command.Dir, s.command.SysProcAttr, s.command.Stdout, s.command.Stderr = s.dir, attributes, logfile, logfile
	started := make(chan error, 1)
	go func() {
		// The death signal is sent when the thread that started the process ends, so that thread must stay.
		runtime.LockOSThread()
		err := s.command.Start()
		started <- err
		if err == nil {
			_ = s.command.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	return s.ready(logfile.Name())
}

func (s *server) ready(log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		connection, err := pgx.Connect(ctx, s.dsn(superuser))
		if err == nil {
			return connection.Close(ctx)
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(log)
			return fmt.Errorf("PostgreSQL does not start: %w: %s", err, text)
		case <-tick.C:
		}
	}
}

func (s *server) stop() {
	if s.command != nil && s.command.Process != nil {
		_ = s.command.Process.Signal(syscall.SIGQUIT) // at once: nothing is worth keeping
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// programs finds the folder of initdb and postgres: on the path, or where Debian keeps them, the newest version.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// unprivileged says how to start a process that root may not run (PostgreSQL refuses), and how to give it a directory.
func unprivileged() (*syscall.SysProcAttr, func(dir string) error, error) {
	attributes := &syscall.SysProcAttr{}
	diesWithParent(attributes)
	if os.Geteuid() != 0 {
		return attributes, func(string) error { return nil }, nil
	}
	account, err := user.Lookup(superuser)
	if err != nil {
		return nil, nil, fmt.Errorf("running as root, which PostgreSQL refuses, and there is no user to run it: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, func(dir string) error { return os.Chown(dir, int(uid), int(gid)) }, nil
}
