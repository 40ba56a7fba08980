package clienttest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// python runs a script of testdata with the target and the sample messages.
func python(t *testing.T, to target, script string) {
	t.Helper()
	interpret(t, to, "python3", script)
}

// interpret has an interpreter run a script of testdata.
func interpret(t *testing.T, to target, interpreter, script string) {
	t.Helper()
	input, err := json.Marshal(struct {
		target
		Mails [][]byte `json:"mails"`
	}{to, samples()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, interpreter, filepath.Join("testdata", script))
	if interpreter == "node" {
		cmd.Env = nodeCommand(t).Env
	}
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

func TestPythonImaplib(t *testing.T) {
	t.Parallel()
	needs(t, "python3", "python3")
	to := newTarget(t)
	fill(t, to, "INBOX", samples())
	python(t, to, "imap_job.py")
}

func TestPythonPoplib(t *testing.T) {
	t.Parallel()
	needs(t, "python3", "python3")
	to := newTarget(t)
	fill(t, to, "INBOX", samples())
	python(t, to, "pop3_job.py")
}

func TestPythonLMTP(t *testing.T) {
	t.Parallel()
	needs(t, "python3", "python3")
	python(t, newTarget(t), "lmtp_job.py")
}

// TestPythonCompress: zlib at the other end of COMPRESS=DEFLATE, flushing in
// each of its ways, also a few bytes at a time.
func TestPythonCompress(t *testing.T) {
	t.Parallel()
	needs(t, "python3", "python3")
	to := newTarget(t)
	fill(t, to, "INBOX", samples())
	python(t, to, "compress_job.py")
}

// TestImapflow needs node and the npm package imapflow, found by NODE_PATH or where
// scripts/test-needs puts it.
func TestImapflow(t *testing.T) {
	t.Parallel()
	if err := nodeCommand(t, "-e", "require('imapflow')").Run(); err != nil {
		t.Skip("node cannot find imapflow: run scripts/test-needs, or set NODE_PATH to a node_modules that has it")
	}
	interpret(t, newTarget(t), "node", "imapflow_job.js")
}

// nodeCommand is node with the packages that scripts/test-needs installs.
func nodeCommand(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Env = os.Environ()
	if cache, err := os.UserCacheDir(); err == nil && os.Getenv("NODE_PATH") == "" {
		cmd.Env = append(cmd.Env, "NODE_PATH="+filepath.Join(cache, "tandem", "node", "node_modules"))
	}
	return cmd
}
