package compare

import (
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
)

// TestReasonSaysWhere: of two servers, which did not answer.
func TestReasonSaysWhere(t *testing.T) {
	silent := &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	err := fmt.Errorf("POP3 at %s: %w", "mail.example.org:110", fmt.Errorf("greeting: %w", silent))
	if got, want := reason(err), "POP3 at mail.example.org:110: greeting: the server did not answer within 1m0s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := reason(errors.New("no")); got != "no" {
		t.Errorf("%q", got)
	}
}
