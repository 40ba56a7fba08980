package clienttest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// marionette drives a Gecko program by its Marionette protocol: messages are JSON
// with their length and a colon before them.
type marionette struct {
	conn net.Conn
	in   *bufio.Reader
	last int // id of a command
}

// dialMarionette waits until the program listens, and opens a session that may do
// what the program itself may.
func dialMarionette(t testing.TB, addr string) *marionette {
	t.Helper()
	m := &marionette{}
	eventually(t, func() (err error) {
		m.conn, err = net.Dial("tcp", addr)
		return err
	})
	t.Cleanup(func() { m.conn.Close() })
	m.conn.SetDeadline(time.Now().Add(6 * patience))
	m.in = bufio.NewReader(m.conn)
	m.message(t) // the greeting
	m.command(t, "WebDriver:NewSession", map[string]any{"capabilities": map[string]any{}})
	m.command(t, "Marionette:SetContext", map[string]any{"value": "chrome"})
	return m
}

// message reads a message.
func (m *marionette) message(t testing.TB) json.RawMessage {
	t.Helper()
	head, err := m.in.ReadString(':')
	if err != nil {
		t.Fatalf("marionette: %v", err)
	}
	n, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
	if err != nil || n > 1<<20 {
		t.Fatalf("marionette: length %q", head)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(m.in, body); err != nil {
		t.Fatalf("marionette: %v", err)
	}
	return body
}

// command sends a command and gives the value of its response.
func (m *marionette) command(t testing.TB, name string, params any) json.RawMessage {
	t.Helper()
	m.last++
	body, err := json.Marshal([]any{0, m.last, name, params})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(body), body); err != nil {
		t.Fatalf("marionette: %v", err)
	}
	var answer [4]json.RawMessage // 1, id, error, result
	if err := json.Unmarshal(m.message(t), &answer); err != nil {
		t.Fatalf("marionette: %v", err)
	}
	if string(answer[2]) != "null" {
		t.Fatalf("marionette: %s: %s", name, answer[2])
	}
	var result struct{ Value json.RawMessage }
	if err := json.Unmarshal(answer[3], &result); err != nil {
		return answer[3]
	}
	return result.Value
}

// run runs the body of an async function with the arguments in args, and puts what
// it returns into result.
func (m *marionette) run(t testing.TB, result any, body string, args ...any) {
	t.Helper()
	script := "const args = arguments, done = args[args.length - 1];" +
		"(async () => {" + body + "})().then(v => done({value: v}), e => done({error: String(e)}));"
	if args == nil {
		args = []any{}
	}
	answer := m.command(t, "WebDriver:ExecuteAsyncScript", map[string]any{"script": script, "args": args})
	outcome := struct {
		Value json.RawMessage
		Error string
	}{}
	if err := json.Unmarshal(answer, &outcome); err != nil || outcome.Error != "" {
		t.Fatalf("script: %s %v", answer, err)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(outcome.Value, result); err != nil {
		t.Fatalf("script: %s: %v", answer, err)
	}
}
