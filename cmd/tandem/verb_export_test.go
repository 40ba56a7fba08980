package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportGoesOnPastDamage damages a small message, a large one in its last
// part, and a header, and exports the rest over the store and over the socket.
func TestExportGoesOnPastDamage(t *testing.T) {
	dir := t.TempDir()
	direct, remote := testServerIn(t, dir)
	sink, err := direct.startImport(t.Context(), importRequest{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range []int{10, 10, 1 << 20, 10, 10, 1 << 20} {
		text := fmt.Sprintf("Subject: %d\n\n%s\n", i, strings.Repeat("x", size))
		if err := sink.add(importItem{Mailbox: "INBOX", Source: "s", Position: fmt.Sprint(i)}, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sink.finish(); err != nil {
		t.Fatal(err)
	}
	spoil(t, filepath.Join(dir, storeFile),
		"UPDATE chunk SET data = zeroblob(length(data)) WHERE id = (SELECT body FROM message ORDER BY id LIMIT 1 OFFSET 1)",
		"UPDATE chunk SET data = zeroblob(length(data)) WHERE id = (SELECT body + 3 FROM message ORDER BY id LIMIT 1 OFFSET 2)",
		"UPDATE body SET header = zeroblob(length(header)) WHERE id = (SELECT body FROM message ORDER BY id LIMIT 1 OFFSET 4)")
	for name, b := range map[string]*backend{"store": direct, "socket": remote} {
		var got, bad []string
		err := b.export(t.Context(), exportRequest{Account: "alice", Mailbox: "INBOX"}, func(item exportItem, write func(io.Writer) error) error {
			if item.Damaged != "" {
				bad = append(bad, fmt.Sprint(item.UID))
				return nil
			}
			if write == nil {
				return nil
			}
			var text bytes.Buffer
			err := write(&text)
			got = append(got, fmt.Sprintf("%d:%.10s", item.UID, text.String()))
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if fmt.Sprint(got) != "[1:Subject: 0 4:Subject: 3 6:Subject: 5]" || fmt.Sprint(bad) != "[2 3 5]" {
			t.Errorf("%s: exported %q, damaged %v", name, got, bad)
		}
	}
}

func TestExportPaths(t *testing.T) {
	for name, want := range map[string]string{"a/b": "a/b", ".a/.b": "%2Ea/%2Eb", "a.mbox/b": "a%2Embox/b", "a.mbox": "a%2Embox"} {
		if got := escapePath(name); got != want || unescapePath(got) != name {
			t.Errorf("%q: %q, back %q", name, got, unescapePath(got))
		}
	}
}

// TestExportLeavesOutWhatHasNoFileName exports a mailbox whose name and those of
// its parents make too long a name for a folder of Maildir++.
func TestExportLeavesOutWhatHasNoFileName(t *testing.T) {
	direct, _ := testServer(t)
	long := strings.Repeat("n", 200) + "/" + strings.Repeat("m", 200)
	sink, err := direct.startImport(t.Context(), importRequest{Account: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for i, mailbox := range []string{"INBOX", long, "zoo"} {
		if err := sink.add(importItem{Mailbox: mailbox, Source: "s", Position: fmt.Sprint(i)}, strings.NewReader("Subject: x\n\nx\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sink.finish(); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs}
	to, err := newMaildirExporter(a, t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	run := &exportRun{a: a, out: to, bar: a.progress(0, "")}
	if err := direct.export(t.Context(), exportRequest{Account: "alice"}, run.take); err != nil {
		t.Fatal(err)
	}
	if err := run.tell("x"); err == nil || run.count != 2 || run.lost != 1 || !strings.Contains(errs.String(), long) {
		t.Errorf("%d written, %d left out, %v\n%s", run.count, run.lost, err, errs.String())
	}
}

// spoil runs statements on a store's file behind its back.
func spoil(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, sql := range statements {
		if _, err := db.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
}
