package testpg

import "testing"

// takeEmptied returns a database that an earlier test had; empty where there is none.
func (s *server) takeEmptied() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.emptied) == 0 {
		return ""
	}
	name := s.emptied[len(s.emptied)-1]
	s.emptied = s.emptied[:len(s.emptied)-1]
	return name
}

// empty ends a database's connections and makes it as it was when it was new. One with more than the schema public is
// dropped.
func (s *server) empty(t testing.TB, name string) {
	const others = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	const more = `SELECT 1 FROM pg_namespace WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\_%'
		UNION ALL SELECT 1 FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`
	if s.exec(t, name, others); s.exec(t, name, more) > 0 {
		s.exec(t, superuser, "DROP DATABASE "+name+" WITH (FORCE)")
		return
	}
	s.exec(t, name, "DROP SCHEMA public CASCADE")
	s.exec(t, name, "CREATE SCHEMA public AUTHORIZATION pg_database_owner")
	s.exec(t, name, "GRANT USAGE ON SCHEMA public TO PUBLIC")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emptied = append(s.emptied, name)
}
