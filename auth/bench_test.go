package auth

import (
	"log/slog"
	"testing"

	"github.com/xdg-go/scram"

	"tandem/store"
)

func BenchmarkMakeScramKeys(b *testing.B) {
	for b.Loop() {
		MakeScramKeys("correct horse", false)
	}
}

// BenchmarkScram is the server's and the client's work for a login, less the
// client's derivation of its key, which it keeps.
func BenchmarkScram(b *testing.B) {
	list := newBook()
	list.add("alice", quick("right")).Keys = MakeScramKeys("right", false)
	a := New(list, Config{SCRAM: SCRAMAuto, Log: slog.New(slog.DiscardHandler)})
	c, err := scram.SHA256.NewClient("alice", "right", "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := converse(b.Context(), a, "SCRAM-SHA-256", Attempt{Scope: store.ScopeIMAP, Remote: here}, c.NewConversation()); err != nil {
			b.Fatal(err)
		}
	}
}
