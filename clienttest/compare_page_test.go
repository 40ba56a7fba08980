package clienttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"tandem/compare"
)

// startWeb starts a server with web pages and gives their address.
func startWeb(t *testing.T, extra string) (*server, string) {
	t.Helper()
	needs(t, "chromium", "chromium")
	web := freePorts(t, 1)[0]
	s := startServer(t, extra+"[web]\nlisten = [\""+web+"\"]\ncompare = true\nconnections = 100\nshows = 5\n")
	return s, web
}

// compareTab opens the page and waits until its buttons are of use.
func compareTab(t *testing.T, web string) *tab {
	t.Helper()
	b := browse(t, web, "/compare/")
	b.until(`!document.getElementById("play").disabled`)
	return b
}

// run gets the events of the run that a page shows.
func (b *tab) run() []compare.Event {
	b.t.Helper()
	answer, err := http.Get(value[string](b, `document.getElementById("download").href`))
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	events, err := compare.Load(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return events
}

// meters are the numbers that a page shows, by meter and protocol.
func (b *tab) meters() map[string]string {
	return value[map[string]string](b, `Object.fromEntries([...document.querySelectorAll("#meters tr")].flatMap(
		r => ["pop3", "imap"].map(p => [r.id + " " + p, r.querySelector("td." + p).dataset.value])))`)
}

// checkMeters compares the page's numbers with those of the last scenario in a
// list of events: of each protocol the last way it went.
func checkMeters(t *testing.T, b *tab, events []compare.Event) {
	t.Helper()
	results := compare.Results(events)
	want := map[string]int64{}
	for _, total := range results[len(results)-1].Totals {
		p := string(total.Protocol)
		want["meter-bytes "+p] = total.Bytes()
		want["meter-trips "+p] = int64(total.Trips)
		want["meter-setup "+p] = int64(total.Setup)
		want["meter-connections "+p] = int64(total.Connections)
	}
	got := b.meters()
	for key, n := range want {
		if got[key] != strconv.FormatInt(n, 10) {
			t.Errorf("%s shows %s, the events say %d", key, got[key], n)
		}
	}
}

func TestCompareTour(t *testing.T) {
	t.Parallel()
	_, web := startWeb(t, "")
	b := compareTab(t, web)
	b.do(chromedp.Evaluate[chromedp.Void](`window.heard = []; new MutationObserver(() => heard.push(told.textContent)).observe(told, { childList: true }); undefined`))
	b.shoot("compare start")
	b.click("#tour-all")
	b.until(`!document.getElementById("end").hidden`)
	events := b.run()
	results := compare.Results(events)
	if len(results) != 6 {
		t.Fatalf("%d scenes", len(results))
	}
	body := value[string](b, `document.getElementById("end-body").textContent`)
	markdown := value[string](b, `document.getElementById("markdown").value`)
	for _, r := range results {
		if r.Skipped != "" || r.Sentence == "" {
			t.Errorf("%s: %q, %q", r.Name, r.Skipped, r.Sentence)
		}
		if !strings.Contains(body, r.Sentence) || !strings.Contains(markdown, r.Sentence) {
			t.Errorf("the end card lacks: %s", r.Sentence)
		}
	}
	if !strings.Contains(body, "After a year the server held 0 B with POP3 and 2.8 MB with IMAP") {
		t.Error("the end card does not say what little space is left")
	}
	for _, who := range []string{"One computer", "A phone and a laptop", "A scanner", "A family account"} {
		if !strings.Contains(body, who) {
			t.Errorf("the end card does not advise: %s", who)
		}
	}
	checkMeters(t, b, events)
	if heard := value[[]string](b, `heard`); len(heard) > 20 { // by somebody who listens: 6 titles, 6 sentences, notes
		t.Errorf("the tour speaks %d times: %q", len(heard), heard)
	}
	if said := value[string](b, `document.getElementById("say").textContent`); said != results[5].Sentence {
		t.Errorf("the page says %q", said)
	}
	for _, id := range []string{"open-ladder", "open-bytes", "open-latency"} {
		b.click("#" + id + " summary")
	}
	b.until(`document.querySelectorAll("#plot-bytes canvas, #plot-latency canvas").length == 2 && document.querySelectorAll("#ladder-imap path").length > 5`)
	b.shoot("compare drawings")
	b.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`))
	b.shoot("compare tour")
	b.width(360)
	b.shoot("compare tour phone")
}

func TestComparePlay(t *testing.T) {
	t.Parallel()
	_, web := startWeb(t, "")
	b := compareTab(t, web)
	b.click("#play")
	on := func(device, act string) { b.click(`article[aria-label="` + device + `"] [data-act="` + act + `"]`) }
	said := func(device, what string) {
		b.until(`document.querySelector('article[aria-label="` + device + `"]')?.textContent.includes(` + strconv.Quote(what) + `)`)
	}
	boxes := func(what string) {
		b.until(`document.getElementById("boxes").textContent.includes(` + strconv.Quote(what) + `)`)
	}
	said("imap-2", "0 B here")
	on("imap-1", "sync")
	said("imap-1", "3 as subjects only")
	on("imap-2", "sync")
	said("imap-2", "3 as subjects only")
	on("imap-1", "flag")
	said("imap-2", "flagged") // the other device hears of it
	on("imap-1", "read")
	said("imap-2", "read, flagged")
	on("imap-1", "file")
	boxes("Work 1")
	on("imap-1", "delete")
	boxes("Trash 1")
	b.click(`#controls [data-act="deliver"]`)
	boxes("INBOX 2")
	on("pop3-1", "sync") // the policy is trash: what is downloaded goes there
	said("pop3-1", "2 whole")
	boxes("Trash 3")
	on("pop3-1", "cable")
	said("pop3-1", "offline")
	on("pop3-1", "sync")
	b.until(`document.getElementById("say").textContent.includes("cable is pulled")`)
	on("pop3-1", "read") // what it has downloaded can be read without the server
	said("pop3-1", "read")
	b.click(`#controls [data-act="add-pop3"]`)
	said("pop3-3", "online")
	b.click(`#controls [data-act="add-imap"]`)
	said("imap-3", "online")
	on("pop3-1", "flag") // what it does by itself is nobody else's
	said("pop3-1", "flagged")
	on("pop3-1", "file")
	said("pop3-1", "in Work")
	on("pop3-1", "cable")
	said("pop3-1", "online")
	choose := func(id, value string) {
		b.do(chromedp.SetValue(chromedp.CSS("#"+id), value), chromedp.Evaluate[chromedp.Void](`document.getElementById("`+id+`").dispatchEvent(new Event("change"))`))
	}
	choose("link", "lan")
	choose("policy", "keep")
	b.click(`#controls [data-act="deliver"]`)
	boxes("INBOX 1")
	on("pop3-2", "sync")
	said("pop3-2", "1 whole")
	boxes("INBOX 1") // the server keeps a copy
	on("pop3-2", "delete")
	said("pop3-2", "0 whole")
	boxes("INBOX 1")
	choose("poll", "10")
	b.click(`#controls [data-act="deliver"]`)
	said("pop3-2", "1 whole") // without being told to
	b.shoot("compare play")

	events := b.run()
	if err := compare.Check(events); err != nil {
		t.Error(err)
	}
}

// TestComparePlayIsBounded: a stranger who acts without an end is stopped before
// the run takes much memory, and the run can still be kept.
func TestComparePlayIsBounded(t *testing.T) {
	t.Parallel()
	_, web := startWeb(t, "")
	post := func(path string, fields url.Values) (status int, answer map[string]string) {
		t.Helper()
		r, err := http.PostForm("http://"+web+path, fields)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, answer
	}
	_, begun := post("/compare/play", url.Values{"link": {"none"}, "policy": {"keep"}, "poll": {"0"}})
	show, acts, status := "/compare/shows/"+begun["show"], 0, http.StatusOK
	for _, add := range []string{"add-pop3", "add-imap", "add-imap"} {
		post(show+"/acts", url.Values{"act": {add}})
	}
	for ; acts < 400 && status == http.StatusOK; acts++ {
		post(show+"/acts", url.Values{"act": {"deliver"}})
		status, _ = post(show+"/acts", url.Values{"act": {"sync"}, "device": {fmt.Sprintf("imap-%d", acts%4+1)}})
	}
	if status != http.StatusNotFound || acts < 20 {
		t.Errorf("after %d acts: status %d", acts, status)
	}
	if status, kept := post(show+"/save", nil); status != http.StatusOK {
		t.Errorf("not kept: %d %v", status, kept)
	}
}

func TestCompareReplay(t *testing.T) {
	t.Parallel()
	_, web := startWeb(t, "")
	b := compareTab(t, web)
	b.click(`[data-scene="first-look"]`)
	b.until(`!document.getElementById("end").hidden`)
	events := b.run()
	b.click("#save")
	b.until(`document.querySelector("#saved a") !== null`)
	again := browse(t, web, value[string](b, `document.querySelector("#saved a").getAttribute("href")`))
	again.until(`!document.getElementById("end").hidden`)
	checkMeters(t, again, events)

	file := filepath.Join(t.TempDir(), "run.json")
	var saved strings.Builder
	if err := compare.Save(&saved, events); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(saved.String(), `"round_trips":5`, `"round_trips":1`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	again.allowed = func(m string) bool { return strings.Contains(m, "422") } // the browser tells of the refusal
	again.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	again.click("#upload button")
	again.do(chromedp.WaitVisible(chromedp.CSS("[role=alert]")))
	if why := value[string](again, `document.querySelector("[role=alert]").textContent`); !strings.Contains(why, "changed after it was saved") {
		t.Errorf("a changed run is refused with %q", why)
	}
}

// TestCompareByKeyboard begins a scene and has a line explained without a mouse.
func TestCompareByKeyboard(t *testing.T) {
	t.Parallel()
	_, web := startWeb(t, "")
	b := compareTab(t, web)
	tabTo := func(selector string) {
		t.Helper()
		for range 80 {
			if value[bool](b, `document.activeElement.matches(`+strconv.Quote(selector)+`)`) {
				return
			}
			b.do(chromedp.KeyEvent(kb.Tab))
		}
		t.Fatalf("%s cannot be reached", selector)
	}
	tabTo(`[data-scene="first-look"]`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`!document.getElementById("end").hidden`)
	tabTo("#wire-pop3 li")
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown))
	b.until(`document.getElementById("explain-pop3").textContent.includes("RFC")`)
	tabTo("#copy")
}
