package connect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/usher-media/usher/internal/media"
)

// The variables that credentials are read from.
const (
	UsernameVariable = "USHER_IMPORT_USERNAME"
	PasswordVariable = "USHER_IMPORT_PASSWORD"
	TokenVariable    = "USHER_IMPORT_TOKEN"
	DatabaseVariable = "USHER_IMPORT_DATABASE_URL"
)

// Terminal asks a person.
type Terminal interface {
	// Ask shows a question and returns the line that is typed.
	Ask(question string) (string, error)
	// AskSecret does the same without showing what is typed.
	AskSecret(question string) (string, error)
}

// Credentials reads the account that is to be used: a token, or a username and a password. What the environment does not hold is
// asked of the terminal; a nil one asks nobody.
func Credentials(getenv func(string) string, terminal Terminal) (media.Credentials, error) {
	if token := getenv(TokenVariable); token != "" {
		return media.Credentials{Token: token}, clean(token)
	}
	credentials := media.Credentials{Username: getenv(UsernameVariable), Password: getenv(PasswordVariable)}
	var err error
	if credentials.Username == "" && terminal != nil {
		credentials.Username, err = terminal.Ask("Administrator's username: ")
	}
	if err == nil && credentials.Password == "" && terminal != nil {
		credentials.Password, err = terminal.AskSecret("Password: ")
	}
	switch {
	case err != nil:
		return media.Credentials{}, fmt.Errorf("ask for the credentials: %w", err)
	case credentials.Username == "" || credentials.Password == "":
		return media.Credentials{}, fmt.Errorf("no credentials: set %s and %s, or %s, in the environment, or run this in a terminal, which asks for them",
			UsernameVariable, PasswordVariable, TokenVariable)
	}
	if strings.Contains(credentials.Username, "@") {
		credentials.Email = credentials.Username
	}
	return credentials, clean(credentials.Username + credentials.Password)
}

// clean refuses what no header and no Secret of Usher's may hold.
func clean(text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("the credentials hold a line break or another control character")
	}
	return nil
}

// Console is the terminal that a program was started in.
type Console struct {
	In  *os.File
	Out io.Writer
}

// OpenConsole returns nil where the input is no terminal.
func OpenConsole(in io.Reader, out io.Writer) Terminal {
	file, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return Console{In: file, Out: out}
}

// Ask implements Terminal. It reads byte by byte: what comes after the line is for the next question.
func (c Console) Ask(question string) (string, error) {
	if _, err := io.WriteString(c.Out, question); err != nil {
		return "", err
	}
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := c.In.Read(one)
		switch {
		case n == 1 && one[0] == '\n', errors.Is(err, io.EOF):
			return strings.TrimSpace(string(line)), nil
		case err != nil:
			return "", err
		case n == 1:
			line = append(line, one[0])
		}
	}
}

// AskSecret implements Terminal.
func (c Console) AskSecret(question string) (string, error) {
	if _, err := io.WriteString(c.Out, question); err != nil {
		return "", err
	}
	secret, err := term.ReadPassword(int(c.In.Fd()))
	_, _ = io.WriteString(c.Out, "\n")
	return string(secret), err
}
