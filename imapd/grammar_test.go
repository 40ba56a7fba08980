package imapd

import (
	"maps"
	"reflect"
	"regexp"
	"strings"
)

// grammar makes lines of the words in the registry: what no extension of ours
// defines is not in it, what one defines is.
type grammar struct {
	commands []string
	words    map[string][]string // by joint, the words with what may follow them
}

// joint is a field of extension that holds words.
type joint struct {
	name string
	all  []string
}

// joints gives the joints of an extension and all words at each. A joint that
// holds something else than words has no lines of its own.
func joints(list []extension) (all []joint) {
	for i := range reflect.TypeFor[extension]().NumField() {
		f := reflect.TypeFor[extension]().Field(i)
		if f.Type.Kind() != reflect.Slice || !f.Type.Elem().Implements(reflect.TypeFor[named]()) {
			continue
		}
		j := joint{name: f.Name}
		for k := range list {
			words := reflect.ValueOf(&list[k]).Elem().Field(i)
			for n := range words.Len() {
				j.all = append(j.all, wordOf(words.Index(n)))
			}
		}
		all = append(all, j)
	}
	return all
}

// wordOf reads the name of a value that reflection will not hand out.
func wordOf(v reflect.Value) string { return strings.ToUpper(v.FieldByName("name").String()) }

// after has what may follow a word, a line each. A word that is not here
// stands alone, unless that is not taken: then the test asks for its line.
func after() map[string][]string {
	return map[string][]string{
		"createParams USE":           {`(\Junk)`, `()`},
		"listReturns STATUS":         {"(MESSAGES)", "({statusItems} {statusItems})"},
		"listReturns METADATA":       {"(/shared/comment)"},
		"listSelects RECURSIVEMATCH": {"SUBSCRIBED"},
		"selectParams QRESYNC":       {"(1 2)", "(1 2 1:3)", "(1 2 1:3 (1 2))"},
		"appendData CATENATE":        {"(TEXT {4+}\r\na: b)", `(URL "/INBOX/;UID=1")`},
		"appendData UTF8":            {"({4+}\r\na: b)", "(~{4+}\r\na: b)"},
		"fetchItems BINARY":          {"[1]", "[]", "[1.2]<0.5>"},
		"fetchItems BINARY.PEEK":     {"[1]", "[]<3.9>"},
		"fetchItems BINARY.SIZE":     {"[1]", "[]"},
		"fetchItems BODY":            {"", "[]", "[TEXT]<1.2>", "[1.MIME]", "[HEADER.FIELDS (From {2+}\r\nTo)]"},
		"fetchItems BODY.PEEK":       {"[]", "[HEADER.FIELDS.NOT (A)]", "[1.2.HEADER]", "[1]<0.3>"},
		"fetchItems PREVIEW":         {"", " (LAZY)"},
		"fetchMods CHANGEDSINCE":     {"0", "3", "3 VANISHED"},
		"fetchMods PARTIAL":          {"1:2", "-1:-5"},
		"fetchMods VANISHED":         {"CHANGEDSINCE 2"},
		"storeMods UNCHANGEDSINCE":   {"0", "9"},
		"searchKeys BCC":             {"{astring}"},
		"searchKeys BODY":            {"{astring}"},
		"searchKeys CC":              {"{astring}"},
		"searchKeys FROM":            {"{astring}"},
		"searchKeys SUBJECT":         {"{astring}"},
		"searchKeys TEXT":            {"{astring}"},
		"searchKeys TO":              {"{astring}"},
		"searchKeys HEADER":          {"{astring} {astring}"},
		"searchKeys KEYWORD":         {"$Forwarded", "kw"},
		"searchKeys UNKEYWORD":       {"kw"},
		"searchKeys BEFORE":          {"{date}"},
		"searchKeys ON":              {"{date}"},
		"searchKeys SINCE":           {"{date}"},
		"searchKeys SENTBEFORE":      {"{date}"},
		"searchKeys SENTON":          {"{date}"},
		"searchKeys SENTSINCE":       {"{date}"},
		"searchKeys SAVEDBEFORE":     {"{date}"},
		"searchKeys SAVEDON":         {"{date}"},
		"searchKeys SAVEDSINCE":      {"{date}"},
		"searchKeys LARGER":          {"{number}"},
		"searchKeys SMALLER":         {"{number}"},
		"searchKeys OLDER":           {"1"},
		"searchKeys YOUNGER":         {"4294967295"},
		"searchKeys MODSEQ":          {"1", `"/flags/\\Seen" all 2`},
		"searchKeys EMAILID":         {"M1"},
		"searchKeys THREADID":        {"T1"},
		"searchKeys UID":             {"{set}"},
		"searchKeys UIDAFTER":        {"1"},
		"searchKeys UIDBEFORE":       {"3"},
		"searchKeys NOT":             {"{searchKeys}", "({searchKeys} {searchKeys})"},
		"searchKeys OR":              {"{searchKeys} {searchKeys}"},
		"searchKeys FUZZY":           {"SUBJECT {astring}", "(TEXT {astring} SEEN)"},
		"searchReturns UPDATE":       {"", " (UID FLAGS)"},
		"searchReturns PARTIAL":      {"1:2", "-1:-2"},
		"commands APPEND":            {"{mailbox} {flags} {message}", "{mailbox} {message}", `{mailbox} "17-Jul-1996 02:44:25 -0700" {message}`, "{mailbox} {message} {flags} {message}", "{mailbox} {appendData}"},
		"commands CANCELUPDATE":      {`"x"`, `"x" {1+}` + "\r\ny"},
		"commands COMPRESS":          {"DEFLATE"},
		"commands COPY":              {"{set} {mailbox}"},
		"commands MOVE":              {"{set} {mailbox}"},
		"commands UID COPY":          {"{set} {mailbox}"},
		"commands UID MOVE":          {"{set} {mailbox}"},
		"commands CREATE":            {"{mailbox}", "{mailbox} ({createParams})", "new/{atom}"},
		"commands DELETE":            {"{mailbox}", "new"},
		"commands RENAME":            {"{mailbox} {mailbox}", "new newer/{atom}"},
		"commands SUBSCRIBE":         {"{mailbox}"},
		"commands UNSUBSCRIBE":       {"{mailbox}"},
		"commands ENABLE":            {"{enables}", "{enables} X-UNKNOWN {enables}"},
		"commands ESEARCH":           {"IN (personal) {searchKeys}", "IN (mailboxes (INBOX Sent) subtree a) RETURN ({searchReturns}) {searchKeys}", "{searchKeys}", "RETURN ({searchReturns}) CHARSET UTF-8 {searchKeys}"},
		"commands SELECT":            {"{mailbox}", "{mailbox} ({selectParams})"},
		"commands EXAMINE":           {"{mailbox}", "{mailbox} ({selectParams})"},
		"commands FETCH":             {"{set} {fetchItems}", "{set} ({fetchItems} {fetchItems})", "{set} (UID {fetchItems}) ({fetchMods})"},
		"commands UID FETCH":         {"{set} {fetchItems}", "{set} ({fetchItems} {fetchItems})", "{set} (UID {fetchItems}) ({fetchMods})"},
		"commands STORE":             {"{set} {sign}FLAGS{silent} {flags}", "{set} ({storeMods}) {sign}FLAGS{silent} {flags}"},
		"commands UID STORE":         {"{set} {sign}FLAGS{silent} {flags}", "{set} ({storeMods}) {sign}FLAGS{silent} {flags}"},
		"commands UID EXPUNGE":       {"{set}"},
		"commands REPLACE":           {"1 {mailbox} {flags} {message}"},
		"commands UID REPLACE":       {"1 {mailbox} {message}"},
		"commands SEARCH":            {"{searchKeys}", "RETURN ({searchReturns}) {searchKeys}", "CHARSET UTF-8 {searchKeys} {set}", "RETURN ({searchReturns} {searchReturns}) {searchKeys}", "({searchKeys} {searchKeys})", "RETURN (RELEVANCY COUNT) FUZZY SUBJECT {astring}"},
		"commands UID SEARCH":        {"{searchKeys}", "RETURN ({searchReturns}) {searchKeys}", "CHARSET US-ASCII {searchKeys}"},
		"commands SORT":              {"({sortKeys}) UTF-8 {searchKeys}", "(REVERSE {sortKeys} {sortKeys}) US-ASCII {searchKeys}", "RETURN ({searchReturns}) ({sortKeys}) UTF-8 {searchKeys}"},
		"commands UID SORT":          {"({sortKeys}) UTF-8 {searchKeys}", "RETURN ({searchReturns}) ({sortKeys}) UTF-8 {searchKeys}"},
		"commands THREAD":            {"{threadings} UTF-8 {searchKeys}"},
		"commands UID THREAD":        {"{threadings} US-ASCII {searchKeys}"},
		"commands GETMETADATA":       {`"" /shared/comment`, "INBOX (/private/a /shared/b)", "(DEPTH 1 MAXSIZE 9) {mailbox} /private"},
		"commands SETMETADATA":       {"{mailbox} (/private/a {astring})", `"" (/private/b NIL)`, "INBOX (/shared/c ~{2+}\r\nab)"},
		"commands GETQUOTA":          {"alice", "{astring}"},
		"commands GETQUOTAROOT":      {"{mailbox}"},
		"commands SETQUOTA":          {"alice (STORAGE 10)", "{astring} ()"},
		"commands ID":                {"NIL", `("name" "x" "version" NIL)`},
		"commands LIST":              {`"" *`, `"" {mailbox}`, `({listSelects}) "" (% a*) RETURN ({listReturns})`, `"" % RETURN ({listReturns} {listReturns})`, `() "" ""`},
		"commands LSUB":              {`"" *`, `a %`},
		"commands NOTIFY":            {"NONE", "SET (selected (MessageNew MessageExpunge))", "SET STATUS (personal (MailboxName SubscriptionChange))", "SET (selected-delayed (MessageNew ({fetchItems} {fetchItems}) MessageExpunge FlagChange)) (subtree a (MessageNew MessageExpunge))", "SET (mailboxes (a INBOX) NONE)"},
		"commands STATUS":            {"{mailbox} ({statusItems})", "{mailbox} ({statusItems} {statusItems})"},
		"commands UIDBATCHES":        {"500", "2000 1:3"},
		"commands GETACL":            {"{mailbox}"},
		"commands SETACL":            {"{mailbox} bob {sign}lr"},
		"commands DELETEACL":         {"{mailbox} bob"},
		"commands LISTRIGHTS":        {"{mailbox} bob"},
		"commands MYRIGHTS":          {"{mailbox}"},
		"commands LOGOUT":            {""},
		"commands UNAUTHENTICATE":    {""},
		"commands IDLE":              {""},
		"fetchItems FAST":            {alone}, // macros stand without others
		"fetchItems ALL":             {alone},
		"fetchItems FULL":            {alone},
		"searchReturns RELEVANCY":    {alone}, // with FUZZY only
	}
}

// alone marks a word that is taken only where no other is.
const alone = "\x00alone"

// newGrammar makes the lines of all words there are.
func newGrammar() *grammar {
	g := &grammar{words: map[string][]string{}}
	given := after()
	for _, j := range joints(extensions()) {
		for _, word := range j.all {
			rest, ok := given[j.name+" "+word]
			if !ok {
				rest = []string{""}
			}
			for _, r := range rest {
				switch {
				case r == alone && j.name != "commands":
					continue
				case r != "" && r[0] != '[' && r[0] != ' ':
					r = " " + r
				}
				g.words[j.name] = append(g.words[j.name], word+r)
			}
		}
	}
	g.commands = g.words["commands"]
	delete(g.words, "commands")
	maps.Copy(g.words, map[string][]string{
		"set":     {"1", "1:*", "2,4:3", "*", "$", "4294967295"},
		"mailbox": {"INBOX", "inbox", `"Sent"`, "{4+}\r\nSent", "nowhere", "a/b", "Entw&APw-rfe", `"a \"b\\"`, `"Other Users/bob/INBOX"`, "Shared/Team"},
		"atom":    {"a", "b", "c"},
		"astring": {"word", `"two words"`, "{3+}\r\nabc", `""`, "{0+}\r\n", "NIL"},
		"date":    {"1-Jan-2020", `"31-Dec-1999"`},
		"number":  {"0", "17", "4294967295"},
		"flags":   {`(\Seen)`, "()", `(\Deleted kw $Forwarded)`},
		"sign":    {"", "+", "-"},
		"silent":  {"", ".SILENT"},
		"message": {"{9+}\r\na: b\r\n\r\nc", "~{4+}\r\na: b"},
	})
	return g
}

var placeholder = regexp.MustCompile(`\{([a-zA-Z]+)\}`)

// fill puts words for what a line leaves open, by the first choice that next
// gives.
func (g *grammar) fill(line string, next func(joint string, n int) int) string {
	for depth := 0; ; depth++ {
		at := placeholder.FindStringSubmatchIndex(line)
		if at == nil {
			return line
		}
		name := line[at[2]:at[3]]
		list := g.words[name]
		if len(list) == 0 {
			panic("no words for " + name)
		}
		word := list[next(name, len(list))]
		if depth > 40 && name == "searchKeys" {
			word = "SEEN" // deep enough
		}
		line = line[:at[0]] + word + line[at[1]:]
	}
}
