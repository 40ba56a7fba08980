// Package page shows runs of package compare in a browser while they happen.
//
// START HERE. The nouns:
//
//   - show: a run that somebody watches: its events, and who is told of more.
//   - tour: a show of scenarios, one after the other.
//   - play: a show in which the visitor says what the devices do.
//   - Visit: the mailbox that a show has to itself, handed in by the program.
//
// The files:
//
//	page.go    Config, New, the routes and the page
//	show.go    shows: how many, how long, following one
//	tour.go    the scenes
//	play.go    what a visitor can do
//	replay.go  runs that are kept, and shown again
//	templates/ the page
//	static/    its style and script; uPlot, under its own licence
//
// Everything on the page is drawn from the list of events (static/state.js), and
// the same list is what is kept and shown again.
//
// Invariants: a show belongs to nobody's mail; the number of shows, their
// lifetime and their acts are bounded; a viewer pulls events, so that a slow one
// holds up nothing.
package page
