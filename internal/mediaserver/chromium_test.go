package mediaserver_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// chromium starts a real browser for the test, or skips it where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("USHER_CI_REQUIRE") != "" {
			t.Fatal("there is no chromium, which USHER_CI_REQUIRE asks for")
		}
		t.Skip("there is no chromium on the PATH")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.WSURLReadTimeout(2*time.Minute))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	// It has a directory of its own, empty at first, which is removed when the browser has ended.
	ctx, closed := chromedp.NewContext(ctx)
	browser := chromedp.FromContext(ctx).Allocator
	t.Cleanup(func() {
		closed()
		browser.Wait()
	})
	ctx, late := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(late)
	return ctx
}

// screen makes the browser's window that large.
func screen(width, height int64) chromedp.Action {
	return emulation.SetDeviceMetricsOverride(width, height, 1, width < 600)
}

// shoot keeps a picture of the page for people, if MEDIASERVER_SCREENSHOTS names a directory.
func shoot(t *testing.T, name string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		dir := os.Getenv("MEDIASERVER_SCREENSHOTS")
		if dir == "" {
			return nil
		}
		var picture []byte
		if err := chromedp.FullScreenshot(&picture, 100).Do(ctx); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	})
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// watchPages fails the test when a page asks for something from elsewhere, breaks its own policy, or its script fails.
func watchPages(t *testing.T, ctx context.Context, origin string) {
	t.Helper()
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if url := e.Request.URL; len(url) < len(origin) || (url[:len(origin)] != origin && url[:5] != "data:") {
				t.Errorf("a page asks for %s", url)
			}
		case *network.EventLoadingFailed:
			if e.BlockedReason != "" {
				t.Errorf("blocked: %s", e.BlockedReason)
			}
		}
	})
}
