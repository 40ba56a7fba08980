package main

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// sampleFiles are the demo's messages: samples/ACCOUNT/MAILBOX/NN-what.eml.
//
//go:embed samples
var sampleFiles embed.FS

// sampleFlags marks what a person would have done with some of them.
func sampleFlags(file string) []string {
	switch path.Base(file) {
	case "02-ride-1.eml":
		return []string{`\Seen`, `\Answered`}
	case "03-ride-2.eml", "04-ride-3.eml", "06-html.eml", "20-many-recipients.eml":
		return []string{`\Seen`}
	case "13-calendar.eml":
		return []string{`\Flagged`}
	case "14-forwarded.eml":
		return []string{`\Seen`, `\Answered`, "$Forwarded"}
	}
	switch {
	case strings.Contains(file, "/Drafts/"):
		return []string{`\Draft`, `\Seen`}
	case strings.Contains(file, "/Junk/"):
		return []string{"$Junk"}
	case !strings.Contains(file, "/INBOX/"):
		return []string{`\Seen`}
	}
	return nil
}

// addSamples puts an account's messages into sink.
func addSamples(sink messageSink, account string) error {
	root := path.Join("samples", account)
	err := fs.WalkDir(sampleFiles, root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := sampleFiles.ReadFile(file)
		if err != nil {
			return err
		}
		return sink.add(sampleItem(file, strings.TrimPrefix(path.Dir(file), root+"/")), bytes.NewReader(text))
	})
	if err != nil {
		return err
	}
	if account == "alice" {
		return sink.add(sampleItem("samples/alice/INBOX/large", "INBOX"), largeSample())
	}
	return nil
}

func sampleItem(file, mailbox string) importItem {
	return importItem{Mailbox: mailbox, Subscribe: mailbox != "INBOX", Source: file, Position: "0", Flags: sampleFlags(file)}
}

// largeSample is a message with an attachment of 3 MiB, made as it is read.
func largeSample() io.Reader {
	const rows = 3 << 20 / 57
	in, out := io.Pipe()
	go func() { // ends with the reader's last byte
		fmt.Fprint(out, "From: \"Dev Desai\" <dev@demo.example>\nTo: Alice Archer <alice@demo.example>\n"+
			"Subject: The whole ride, unedited (3 MiB)\nDate: Tue, 17 Nov 2026 19:30:00 +0530\n"+
			"Message-ID: <large.1@demo.example>\nMIME-Version: 1.0\n"+
			"Content-Type: multipart/mixed; boundary=\"large\"\n\n--large\nContent-Type: text/plain; charset=utf-8\n\n"+
			"All eleven kilometres. The interesting part is near the end.\n\n"+
			"--large\nContent-Type: application/octet-stream; name=\"ride.bin\"\n"+
			"Content-Disposition: attachment; filename=\"ride.bin\"\nContent-Transfer-Encoding: base64\n\n")
		row := make([]byte, 57) // 76 characters of base64
		for i := range rows {
			for j := range row {
				row[j] = byte(i*j + i>>8)
			}
			fmt.Fprintln(out, base64.StdEncoding.EncodeToString(row))
		}
		fmt.Fprint(out, "--large--\n")
		out.Close()
	}()
	return in
}
