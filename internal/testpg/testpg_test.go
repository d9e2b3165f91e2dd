package testpg_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/usher-media/usher/internal/testpg"
)

func TestMain(m *testing.M) { testpg.Main(m) }

func TestEveryDatabaseIsEmptyAndItsOwn(t *testing.T) {
	first, second := testpg.Database(t), testpg.Database(t)
	if first == second {
		t.Fatalf("both are %s", first)
	}
	for _, dsn := range []string{first, second, testpg.Schema(t), testpg.Schema(t)} {
		connection, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := connection.Exec(t.Context(), "CREATE TABLE mine (id int)"); err != nil {
			t.Error(err)
		}
		if err := connection.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
