package wire

// Limits bounds what one command may make the server read and keep. All
// figures are bytes unless they say otherwise; zero in a field means no limit.
type Limits struct {
	Line     int64 // text of a command, its literals not counted
	Literal  int64 // one literal that is kept in memory
	Unasked  int64 // one literal of any kind that is sent without asking, {n+}
	Command  int64 // text and literals together
	Literals int   // literals in a command (a count)
	Nesting  int   // parentheses within parentheses (a count)
	Ranges   int   // ranges of a sequence set after merging (a count)
	SASL     int64 // one line of a SASL exchange, initial response included
	Message  int64 // one message given to APPEND
	Drain    int64 // refused input that is read and thrown away
}

// StrangerLimits are the defaults before login.
func StrangerLimits() Limits {
	return Limits{
		Line:     8 << 10,
		Literal:  4 << 10,
		Command:  8 << 10,
		Literals: 1000,
		Nesting:  64,
		Ranges:   10_000,
		SASL:     12 << 10,
		Message:  4 << 10,
		Drain:    64 << 10,
	}
}

// UserLimits are the defaults after login for a server that takes messages of
// up to message bytes (0: of any size).
func UserLimits(message int64) Limits {
	drain := int64(1 << 20)
	if message == 0 {
		drain = 0
	} else if 2*message > drain {
		// A message that is too big and was sent without asking is read to
		// its end: closing instead makes clients try the same again.
		drain = 2 * message
	}
	return Limits{
		Line:     64 << 10,
		Literal:  128 << 10,
		Command:  1 << 20,
		Literals: 1000,
		Nesting:  64,
		Ranges:   10_000,
		SASL:     12 << 10,
		Message:  message,
		Drain:    drain,
	}
}

// over says whether n breaks the limit max, where 0 is no limit.
func over(n, max int64) bool { return max > 0 && n > max }
