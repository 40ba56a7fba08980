package page

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/compare"
)

// story is a run with notes of about size octets in all.
func story(size int) []compare.Event {
	events := []compare.Event{{Seq: 1, Kind: compare.KindRun, Run: &compare.Run{Target: "a server"}}}
	for n := 0; n < size; n += 4000 {
		events = append(events, compare.Event{Seq: len(events) + 1, Kind: compare.KindNote, Text: strings.Repeat("x", 4000)})
	}
	return events
}

// upload sends a run's file as the page's form does, and gives the answer.
func upload(t *testing.T, server *httptest.Server, events []compare.Event) (status int, text string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("run", "run.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := compare.Save(file, events); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Post(server.URL+"/compare/replay", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

func pages(t *testing.T) (*Pages, *httptest.Server) {
	t.Helper()
	p := New(Config{Runs: filepath.Join(t.TempDir(), "runs")})
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		server.Close()
		p.Close()
	})
	return p, server
}

// TestUploadsAreBounded: strangers may send runs, and neither one nor all of them
// take more than their share of the disk.
func TestUploadsAreBounded(t *testing.T) {
	p, server := pages(t)
	if status, text := upload(t, server, story(maxRun+1)); status != http.StatusUnprocessableEntity || !strings.Contains(text, "larger than 4 MiB") {
		t.Errorf("a large run: %d %s", status, text)
	}
	if status, text := upload(t, server, story(8000)); status != http.StatusOK || !strings.Contains(text, `data-mode="replay"`) {
		t.Fatalf("a run: %d %s", status, text)
	}
	for i := range 40 { // those of other days
		name := filepath.Join(p.cfg.Runs, fmt.Sprintf("%026d.json", i))
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, maxRun); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(time.Duration(i-100) * time.Hour)
		if err := os.Chtimes(name, then, then); err != nil {
			t.Fatal(err)
		}
	}
	if status, _ := upload(t, server, story(12_000)); status != http.StatusOK {
		t.Fatalf("another run: %d", status)
	}
	kept, err := os.ReadDir(p.cfg.Runs)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, f := range kept {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > maxKept || size < maxKept-maxRun {
		t.Errorf("%d octets kept in %d runs, want at most %d", size, len(kept), maxKept)
	}
	if _, err := os.Stat(filepath.Join(p.cfg.Runs, fmt.Sprintf("%026d.json", 0))); err == nil {
		t.Error("the oldest run is still there")
	}
}

// TestFormsAreSmall: what is not the file of a run may not be as large as one.
func TestFormsAreSmall(t *testing.T) {
	_, server := pages(t)
	for _, path := range []string{"/compare/play", "/compare/tour", "/compare/shows/x/acts", "/compare/shows/x/save"} {
		body := strings.NewReader("link=" + strings.Repeat("x", maxForm))
		answer, err := server.Client().Post(server.URL+path, "application/x-www-form-urlencoded", body)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	var body bytes.Buffer // another encoding is read by PostFormValue, into files
	form := multipart.NewWriter(&body)
	if err := form.WriteField("link", strings.Repeat("x", 10*maxForm)); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Post(server.URL+"/compare/play", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("multipart: %d", answer.StatusCode)
	}
}

// TestSameRunTwice: two people may keep the same run at the same time.
func TestSameRunTwice(t *testing.T) {
	_, server := pages(t)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if status, text := upload(t, server, story(400_000)); status != http.StatusOK {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()
}

// TestFewRunsAtOnce: however many ask for runs, only some are in memory.
func TestFewRunsAtOnce(t *testing.T) {
	p, _ := pages(t)
	var mu sync.Mutex
	now, most := 0, 0
	begun := make(chan struct{}, 20)
	goOn := make(chan struct{})
	server := httptest.NewServer(p.withRun(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		begun <- struct{}{}
		<-goOn
		mu.Lock()
		now--
		mu.Unlock()
	}))
	defer server.Close()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			answer, err := server.Client().Get(server.URL)
			if err != nil {
				t.Error(err)
				return
			}
			answer.Body.Close()
		})
	}
	for range maxHeavy {
		<-begun
	}
	close(goOn)
	all.Wait()
	if most != maxHeavy {
		t.Errorf("%d at once, want %d", most, maxHeavy)
	}
}
