package testenv

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2/textlogger"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// shared is the control plane of the running test package.
var shared struct {
	once sync.Once
	env  *Environment
	err  error
}

// Runner runs the tests of a package, as *testing.M does.
type Runner interface{ Run() int }

// Main runs the tests of a package, stops its control plane if one was started, and exits. USHER_TEST_LOG=1 shows the
// logs of the controllers.
func Main(m Runner) {
	logger := logr.Discard()
	if os.Getenv("USHER_TEST_LOG") != "" {
		logger = textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(os.Stderr), textlogger.Verbosity(1)))
	}
	log.SetLogger(logger)
	code := m.Run()
	if shared.env != nil {
		if err := shared.env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "testenv: stop:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Get returns the package's control plane, started at the first call. A test that cannot have one fails.
func Get(t testing.TB) *Environment {
	t.Helper()
	shared.once.Do(func() {
		// Not the test's context: the control plane outlives the test that starts it.
		shared.env, shared.err = Start(context.Background(), Options{})
	})
	if shared.err != nil {
		t.Fatalf("testenv: %v", shared.err)
	}
	return shared.env
}

// Namespace makes a namespace of the test's own. It stays until the control plane stops.
func (e *Environment) Namespace(t testing.TB) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
	name = strings.Trim(name[:min(len(name), 40)], "-")
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-"}}
	if err := e.client.Create(t.Context(), namespace); err != nil {
		t.Fatalf("testenv: make a namespace: %v", err)
	}
	return namespace.Name
}

// Eventually waits until the condition holds, and fails the test with what was awaited when it does not.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), pollEvery, pollFor, true, func(context.Context) (bool, error) {
		return condition(), nil
	})
	if err != nil {
		t.Fatalf("not seen within %s: %s", pollFor, what)
	}
}
