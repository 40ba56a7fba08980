package maildir

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseName(t *testing.T) {
	at := time.Unix(1204680122, 0).UTC()
	tests := []struct {
		name string
		want Name
	}{
		{"1204680122.M1P2.host,S=12,W=13:2,RS", Name{"1204680122.M1P2.host,S=12,W=13", Flags{Seen: true, Answered: true}, at}},
		{"1204680122.M1P2.host;2,DFPRSTacb", Name{"1204680122.M1P2.host", Flags{true, true, true, true, true, true, "abc"}, at}},
		{"1204680122_0.12.host,U=1,FMD5=7:2,", Name{"1204680122_0.12.host,U=1,FMD5=7", Flags{}, at}},
		{"1204680122.x:2,aaXYé", Name{"1204680122.x", Flags{Keywords: "a"}, at}},
		{"12.eml", Name{"12.eml", Flags{}, time.Time{}}},
		{"99999999999999999999.x:2,S", Name{"99999999999999999999.x", Flags{Seen: true}, time.Time{}}},
		{"msg.x:1,S", Name{"msg.x:1,S", Flags{}, time.Time{}}},
		{"", Name{}},
	}
	for _, test := range tests {
		if got := ParseName(test.name); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestFolderNames(t *testing.T) {
	tests := map[string]string{ // directory: mailbox
		".Sent":                    "Sent",
		".Folder.Sub":              "Folder/Sub",
		".Entw&APw-rfe.&ZeVnLIqe-": "Entwürfe/日本語",
		".Q&-A":                    "Q&A",
		".a&AC4-b":                 "a.b",
		".&2D3eAA-":                "😀",
		".with space.":             "with space/",
	}
	for dir, mailbox := range tests {
		if got := folderName(dir[1:]); got != mailbox {
			t.Errorf("folderName(%q) = %q, want %q", dir, got, mailbox)
		}
		if got := dirName(mailbox); got != dir {
			t.Errorf("dirName(%q) = %q, want %q", mailbox, got, dir)
		}
	}
	for _, broken := range []string{"a&", "&AAA-", "&!-", "&2D0-", "&AC8-", "&AAo-", "a\xff"} {
		if got := folderName(broken); got != broken {
			t.Errorf("folderName(%q) = %q: a name that cannot be decoded should stay", broken, got)
		}
	}
}

func TestParseSubscriptions(t *testing.T) {
	for _, text := range []string{"INBOX\nFolder.Sub\nEntw&APw-rfe\n", "V\t2\n\nINBOX\nFolder\tSub\nEntw&APw-rfe\n", "INBOX\r\nFolder.Sub\r\n\r\nEntw&APw-rfe"} {
		want := []string{"INBOX", "Folder/Sub", "Entwürfe"}
		if got := parseSubscriptions(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func TestReadTree(t *testing.T) {
	dir := t.TempDir()
	put := func(path, text string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	put("cur/1200000002.b.h:2,Sab", "second")
	put("new/1200000001.a.h", "first")
	put("cur/third:2,F", "third")
	put("cur/.hidden", "no")
	put("dovecot-keywords", "0 $Label1\n1 work\nx bad\n99 far\n")
	put("subscriptions", "Sent\n")
	put(".Sent.2004/new/1200000001.a.h", "sent")
	put(".nofolder/file", "no")
	mtime := time.Unix(1300000000, 0)
	if err := os.Chtimes(filepath.Join(dir, "cur/third:2,F"), mtime, mtime); err != nil {
		t.Fatal(err)
	}
	tree, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	folders, err := tree.Folders()
	if err != nil || len(folders) != 2 || folders[0].Name != "INBOX" || folders[1].Name != "Sent/2004" {
		t.Fatal(folders, err)
	}
	files, err := tree.Files(folders[0])
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for i := range files {
		f, err := tree.Open(&files[i])
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(f)
		f.Close()
		texts = append(texts, string(b))
	}
	if !slices.Equal(texts, []string{"first", "second", "third"}) {
		t.Errorf("order %q", texts)
	}
	if second := files[1]; !slices.Equal(second.Words, []string{"$Label1", "work"}) || !second.Flags.Seen {
		t.Errorf("%+v", second)
	}
	if third := files[2]; !third.Received().Equal(mtime) {
		t.Errorf("received %v, want the mtime %v", third.Received(), mtime)
	}
	if subs, err := tree.Subscriptions(); err != nil || !slices.Equal(subs, []string{"Sent"}) {
		t.Error(subs, err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "cur/1200000009.l.h")); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Files(folders[0]); err == nil {
		t.Error("a link out of the tree was followed")
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("an empty directory was taken for a Maildir")
	}
}

func TestWriteThenRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "tree")
	w, err := Create(dir, "host")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := w.Folder("Entwürfe/a.b")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1234567890, 0)
	var many []string
	for i := range 27 {
		many = append(many, "k"+strings.Repeat("x", i))
	}
	lost, err := folder.Add(strings.NewReader("A: b\r\n\r\n"), Flags{Seen: true, Passed: true}, many, at)
	if err != nil || !slices.Equal(lost, many[26:]) {
		t.Fatal(lost, err)
	}
	if err := w.Subscribe([]string{"INBOX", "Entwürfe/a.b"}); err != nil {
		t.Fatal(err)
	}
	w.Close()

	tree, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	folders, err := tree.Folders()
	if err != nil || len(folders) != 2 || folders[1].Name != "Entwürfe/a.b" {
		t.Fatal(folders, err)
	}
	files, err := tree.Files(folders[1])
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	got := files[0]
	if !got.Flags.Seen || !got.Flags.Passed || got.Flags.Draft || !slices.Equal(got.Words, many[:26]) || !got.Received().Equal(at) || !got.Mtime.Equal(at) || got.Size != 8 {
		t.Errorf("%+v", got)
	}
	if subs, _ := tree.Subscriptions(); !slices.Equal(subs, []string{"INBOX", "Entwürfe/a.b"}) {
		t.Error(subs)
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("1204680122.M1P2.host,S=12:2,RSab")
	f.Add(";2,:2,")
	f.Fuzz(func(t *testing.T, s string) {
		n := ParseName(s)
		again := ParseName(n.Key + ":2," + n.Flags.String())
		if again.Flags != n.Flags || !again.Time.Equal(n.Time) {
			t.Errorf("%q: %+v, then %+v", s, n, again)
		}
	})
}

func FuzzFolderName(f *testing.F) {
	f.Add("Entw&APw-rfe/&2D3eAA-")
	f.Add("&")
	f.Fuzz(func(t *testing.T, s string) {
		folderName(s)
		parseSubscriptions(s)
		parseKeywords(s)
		clean := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || r == 0xfffd {
				return -1
			}
			return r
		}, s)
		if clean == "INBOX" {
			return
		}
		if got := folderName(dirName(clean)[1:]); got != clean {
			t.Errorf("%q is %q on disk and comes back %q", clean, dirName(clean), got)
		}
	})
}
