package imapd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLiveResultsAreWhatASearchFinds: a client that does with its lists as it
// is told always has what the same search or sort would find.
func TestLiveResultsAreWhatASearchFinds(t *testing.T) {
	ts := startServer(t, nil)
	c, other := ts.login(t, "alice"), ts.login(t, "alice")
	random := rand.New(rand.NewPCG(1, 2))
	appendSome(other, random, 20)
	for _, one := range []*client{c, other} {
		one.send("s SELECT INBOX")
		one.expectUntil("s OK ...")
	}
	programs := []string{
		"SEARCH RETURN (UPDATE ALL) FLAGGED", "UID SEARCH RETURN (ALL UPDATE) OR UNSEEN SUBJECT a",
		"SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 FLAGGED", "UID SORT RETURN (UPDATE ALL) (REVERSE SUBJECT) UTF-8 UNSEEN",
	}
	lists := make([][]int, len(programs))
	follow := func(lines []string) {
		for _, line := range lines {
			followUpdate(t, lists, line)
		}
	}
	for i, program := range programs {
		c.send(fmt.Sprintf("L%d %s", i, program))
		follow(c.expectUntil(fmt.Sprintf("L%d OK ...", i)))
	}
	for round := range 60 {
		actor := c
		if round%3 > 0 {
			actor = other
		}
		lines := randomChange(actor, random, round)
		if actor == c {
			follow(lines)
		}
		c.send("n NOOP")
		follow(c.expectUntil("n OK ..."))
		for i, program := range programs {
			c.send("q " + strings.ReplaceAll(program, "UPDATE", "COUNT"))
			fresh := [][]int{nil}
			for _, line := range c.expectUntil("q OK ...") {
				followUpdate(t, fresh, strings.Replace(line, `TAG "q"`, `TAG "L0"`, 1))
			}
			if !slices.Equal(lists[i], fresh[0]) {
				t.Fatalf("round %d: %s\nthe client has %v\na search finds  %v", round, program, lists[i], fresh[0])
			}
		}
	}
}

// expectUntil reads lines to one that matches, and gives them.
func (c *client) expectUntil(pattern string) (lines []string) {
	c.t.Helper()
	for {
		line := c.line()
		lines = append(lines, line)
		if matches(pattern, line) {
			return lines
		}
	}
}

func appendSome(c *client, random *rand.Rand, n int) (lines []string) {
	for range n {
		message := fmt.Sprintf("Subject: %c%c\r\n\r\n", 'a'+random.IntN(4), 'a'+random.IntN(20))
		c.send(fmt.Sprintf("a APPEND INBOX (%s) {%d+}\r\n%s", []string{"", `\Flagged`, `\Seen`}[random.IntN(3)], len(message), message))
		lines = append(lines, c.expectUntil("a OK ...")...)
	}
	return lines
}

// randomChange changes the selected mailbox somehow.
func randomChange(c *client, random *rand.Rand, round int) (lines []string) {
	switch random.IntN(4) {
	case 0:
		lines = appendSome(c, random, random.IntN(3))
		c.send("x NOOP")
	case 1:
		c.send(fmt.Sprintf(`x UID STORE %d:%d %cFLAGS (\Flagged)`, 1+random.IntN(40), 1+random.IntN(40), "+-"[random.IntN(2)]))
	case 2:
		c.send(fmt.Sprintf(`x UID STORE %d:%d %cFLAGS (\Seen)`, 1+random.IntN(40), 1+random.IntN(40), "+-"[random.IntN(2)]))
	case 3:
		c.send(fmt.Sprintf(`y UID STORE %d,%d +FLAGS (\Deleted)`, 1+random.IntN(40), 1+random.IntN(40)))
		lines = c.expectUntil("y OK ...")
		c.send("x EXPUNGE")
	}
	return append(lines, c.expectUntil("x OK ...")...)
}

// followUpdate does with a list as a line says. Message numbers of the lists
// that have them move with every EXPUNGE.
func followUpdate(t *testing.T, lists [][]int, line string) {
	t.Helper()
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(line))
	if len(words) == 3 && words[2] == "EXPUNGE" {
		n, _ := strconv.Atoi(words[1])
		for i := 0; i < len(lists); i += 2 { // of those without UID
			for k, m := range lists[i] {
				if m == n {
					t.Fatalf("%d was expunged and not removed: %v", n, lists[i])
				} else if m > n {
					lists[i][k]--
				}
			}
		}
		return
	}
	if len(words) < 6 || words[1] != "ESEARCH" {
		return
	}
	at, _ := strconv.Atoi(strings.Trim(words[4], `"L`))
	list, what := &lists[at], ""
	for i := 6; i < len(words); i++ {
		switch word := words[i]; word {
		case "UID", "(", ")":
		case "ALL", "COUNT", "ADDTO", "REMOVEFROM":
			what = word
		default:
			place := 0
			if what == "ADDTO" || what == "REMOVEFROM" {
				place, _ = strconv.Atoi(word)
				i++
				word = words[i]
			}
			applyUpdate(t, list, what, place, numbersOf(word))
		}
	}
}

func applyUpdate(t *testing.T, list *[]int, what string, place int, nums []int) {
	t.Helper()
	switch {
	case what == "ALL":
		*list = nums
	case what == "ADDTO" && place == 0:
		*list = append(*list, nums...)
		slices.Sort(*list)
	case what == "ADDTO":
		*list = slices.Insert(*list, place-1, nums...)
	case what == "REMOVEFROM":
		for _, n := range nums {
			i := slices.Index(*list, n)
			if i < 0 || place > 0 && i != place-1 {
				t.Fatalf("%d is to be removed from %d: %v", n, place, *list)
			}
			*list = slices.Delete(*list, i, i+1)
		}
	}
}

// numbersOf writes a set out.
func numbersOf(set string) (nums []int) {
	for part := range strings.SplitSeq(set, ",") {
		first, last, ok := strings.Cut(part, ":")
		from, _ := strconv.Atoi(first)
		to := from
		if ok {
			to, _ = strconv.Atoi(last)
		}
		for n := from; n <= to; n++ {
			nums = append(nums, n)
		}
	}
	return nums
}
