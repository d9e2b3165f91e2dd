package alcoves

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// options of a database URL that are taken. Any other is refused: most name files, services or commands of the machine
// that the operator runs on, which whoever wrote the Secret has no right to read through it.
var options = []string{"sslmode", "connect_timeout", "application_name"}

const databaseForm = "write it like postgres://role:password@host:5432/database?sslmode=verify-full"

// newDatabase reads a database URL. Nothing of it shows in an error, and nothing but it decides: no environment
// variable, no password file, no service file (design D9).
func newDatabase(config media.Config) (*database, error) {
	parsed, err := url.Parse(config.DatabaseURL)
	switch {
	case err != nil:
		return nil, media.Errorf(media.Invalid, "the database url cannot be read: %s", databaseForm)
	case parsed.Scheme != "postgres" && parsed.Scheme != "postgresql":
		return nil, media.Errorf(media.Invalid, "the database url must begin with postgres://: %s", databaseForm)
	case !isHost(parsed.Hostname()):
		return nil, media.Errorf(media.Invalid, "the database url must name one host, by name or address; a socket of the operator's own machine is none: %s", databaseForm)
	case parsed.User.Username() == "" || strings.Trim(parsed.Path, "/") == "":
		return nil, media.Errorf(media.Invalid, "the database url must name a role and a database: %s", databaseForm)
	}
	for name := range parsed.Query() {
		if !slices.Contains(options, name) {
			return nil, media.Errorf(media.Invalid, "the database url has an option that is not taken: %v are; a CA belongs into spec.tls of the MediaServer", options)
		}
	}
	if err := wire.CheckHost(parsed.Hostname(), config.Allowed); err != nil {
		return nil, media.Errorf(media.Invalid, "the database: %s", err)
	}
	port := 5432
	if text := parsed.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return nil, media.Errorf(media.Invalid, "the port in the database url is none: %s", databaseForm)
		}
	}
	security, err := transportSecurity(parsed, config)
	if err != nil {
		return nil, err
	}
	// Every setting that would come from the environment or from a file is given, and then everything is replaced.
	connection, err := pgx.ParseConfig("host=localhost port=5432 user=u password=p dbname=d sslmode=disable passfile='' sslcert='' sslkey='' sslrootcert='' target_session_attrs=any sslnegotiation=postgres connect_timeout=0 min_protocol_version=3.0 max_protocol_version=3.0")
	if err != nil {
		return nil, media.Errorf(media.Invalid, "the environment of the operator holds settings of PostgreSQL (PGSERVICE and others) that cannot be used: unset them")
	}
	password, _ := parsed.User.Password()
	connection.Host, connection.Port = parsed.Hostname(), uint16(port)
	connection.User, connection.Password = parsed.User.Username(), password
	connection.Database, connection.TLSConfig, connection.Fallbacks = strings.Trim(parsed.Path, "/"), security, nil
	connection.KerberosSrvName, connection.KerberosSpn = "", ""
	connection.RuntimeParams = map[string]string{"application_name": "usher"}
	connection.DialFunc = wire.Dialer(config.Allowed).DialContext
	// No statements are kept on the server, so that a pooler between may hand each transaction to another connection.
	connection.DefaultQueryExecMode = pgx.QueryExecModeExec
	connection.StatementCacheCapacity, connection.DescriptionCacheCapacity = 0, 0
	return &database{config: connection}, nil
}

// isHost says whether a text names one host.
func isHost(host string) bool { return host != "" && !strings.ContainsAny(host, `/\,@ `) }

// transportSecurity reads sslmode. There is no mode that tries one thing and falls back to a weaker one.
func transportSecurity(parsed *url.URL, config media.Config) (*tls.Config, error) {
	security := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: parsed.Hostname(), InsecureSkipVerify: config.InsecureSkipVerify}
	if net.ParseIP(parsed.Hostname()) != nil {
		security.ServerName = strings.Trim(parsed.Hostname(), "[]")
	}
	if config.CA != nil {
		security.RootCAs = x509.NewCertPool()
		if !security.RootCAs.AppendCertsFromPEM(config.CA) {
			return nil, media.Errorf(media.Invalid, "the CA holds no PEM certificate")
		}
	}
	switch parsed.Query().Get("sslmode") {
	case "verify-full":
		return security, nil
	case "require":
		security.InsecureSkipVerify = true
		return security, nil
	case "disable":
		return nil, nil
	}
	return nil, media.Errorf(media.Invalid, "the database url must say sslmode=verify-full (certificate checked, the CA of spec.tls or the system's), sslmode=require (encrypted, not checked) or sslmode=disable: %s", databaseForm)
}
