package clienttest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browserPatience is how long a test waits for a page: a browser on a busy
// machine takes its time.
const browserPatience = 90 * time.Second

// tab is a page in Debian's Chromium that notes what it should not do.
type tab struct {
	t    *testing.T
	ctx  context.Context
	host string // of the server; the only one that may be asked

	mu      sync.Mutex
	wrong   []string // on the console, or asked of others
	allowed func(message string) bool
}

// browse opens a page of the web server at addr.
func browse(t *testing.T, addr, path string) *tab {
	t.Helper()
	needs(t, "chromium", "chromium")
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*browserPatience)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, chromedp.Headless, chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.NoSandbox, // the tests may run as root
		chromedp.ExecPath(program), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &tab{t: t, ctx: ctx, host: addr}
	b.watch()
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+addr+path))
	t.Cleanup(b.blame)
	return b
}

// watch notes messages on the console, those about the content policy among
// them, and requests to other hosts.
func (b *tab) watch() {
	messages, requests := chromedp.Console(b.ctx), chromedp.Events(b.ctx, network.RequestWillBeSent)
	go func() { // until the tab closes
		for m, err := range messages {
			if err != nil {
				return
			}
			b.note("console: " + m.String())
		}
	}()
	go func() {
		for e, err := range requests {
			if err != nil {
				return
			}
			if at, err := url.Parse(e.Request.URL); err != nil || at.Host != b.host && at.Scheme != "data" && at.Scheme != "blob" {
				b.note("a request to " + e.Request.URL)
			}
		}
	}()
}

func (b *tab) note(wrong string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.allowed == nil || !b.allowed(wrong) {
		b.wrong = append(b.wrong, wrong)
	}
}

// blame fails the test for what was noted.
func (b *tab) blame() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Error(w)
	}
}

// do does steps, each within browserPatience.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.shoot("failed")
		b.t.Fatalf("browser: %v", err)
	}
}

// click clicks what a selector finds.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// until waits for a JavaScript expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(browserPatience), chromedp.WithPollingInterval(50*time.Millisecond)))
	if err != nil {
		b.shoot("failed")
		said, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.getElementById("say")?.textContent ?? ""`))
		b.t.Fatalf("waiting for %s: %v; the page says %q", expression, err, said)
	}
}

// value evaluates a JavaScript expression.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// shoot keeps a picture of the page with the test's artefacts (go test
// -artifacts), or where TANDEM_SCREENSHOTS says.
func (b *tab) shoot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("no picture: %v", err)
		return
	}
	dir := os.Getenv("TANDEM_SCREENSHOTS")
	if dir == "" {
		dir = b.t.ArtifactDir()
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".png"), png, 0o644); err != nil {
		b.t.Error(err)
	}
}

// width makes the page as narrow or wide as a device.
func (b *tab) width(pixels int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(pixels, 800))
	if w := value[float64](b, "document.scrollingElement.scrollWidth"); w > float64(pixels) {
		wide := value[string](b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll,.wire,.plot")).slice(0, 5).map(e => e.tagName + "." + e.className + "#" + e.id).join(" ")`)
		b.t.Errorf("the page is %v wide on a screen of %d: %s", w, pixels, wide)
	}
}
