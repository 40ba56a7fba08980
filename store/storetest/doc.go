// Package storetest is the conformance suite that every store.Engine passes.
//
// START HERE. Run(t, open) runs all of it; an engine's own tests call it. The
// rules it proves are those of store/engine.go and of the invariants in the
// design: counters, modseqs, tombstones, UIDLs, what is published and when.
//
//	storetest.go   Run, and the fixture that all tests use
//	account.go mailbox.go insert.go flags.go move.go pop3.go upkeep.go
//	               the tests, by what they are about
//	rules.go       contexts, order, rights: what holds for all verbs
//	model.go       a model of mailboxes in memory
//	random.go      random verbs, compared with the model after each
//
// Every fixture ends with Check, which must find nothing.
package storetest
