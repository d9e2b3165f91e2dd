package testpg

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

var (
	shared     sync.Once
	sharedName string
)

// Schema makes a new, empty schema in a database that all tests of this process share, and returns how to connect to it
// as the superuser. It is dropped with the test. It is made much faster than a database.
func Schema(t testing.TB) string {
	t.Helper()
	s := get(t)
	shared.Do(func() {
		sharedName = fmt.Sprintf("shared_%d", os.Getpid())
		s.exec(t, superuser, "CREATE DATABASE "+sharedName)
	})
	name := fmt.Sprintf("test_%d", names.Add(1))
	s.exec(t, sharedName, "CREATE SCHEMA "+name)
	t.Cleanup(func() { s.exec(t, sharedName, "DROP SCHEMA "+name+" CASCADE") })
	return s.dsn(sharedName) + "&search_path=" + name
}
