// Package storetest is the conformance suite that every store.Engine passes.
//
// START HERE. Run(t, open) runs all of it; an engine's own tests call it. The
// rules it proves are those of store/engine.go and of the invariants in the
// design: counters, modseqs, tombstones, UIDLs, what is published and when.
//
//	storetest.go   Run, and the fixture that all tests use
//	account.go mailbox.go metadata.go quota.go
//	insert.go flags.go move.go across.go replace.go pop3.go device.go
//	upkeep.go recover.go story.go
//	               the tests, by what they are about
//	acl.go         giving rights, and what they show; rights.go: every verb
//	               with and without each
//	rules.go       contexts, order: what holds for all verbs
//	model.go       a model of mailboxes in memory
//	random.go      random verbs, compared with the model after each
//	recover_random.go  random deletions, brought back
//
// Every fixture ends with Check, which must find nothing.
package storetest
