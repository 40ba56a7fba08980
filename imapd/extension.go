package imapd

import (
	"fmt"
	"strings"

	"tandem/imapd/internal/wire"
)

// extension is all of one extension, or of RFC 3501 itself: what it adds at
// each joint of the grammar. A joint's type stands in the file of the command
// that it belongs to. A command that gets joints of its own adds a slice here
// and its line in newRegistry.
type extension struct {
	name string // as in its RFC's title or its capability
	rfc  string // "RFC 3501"

	capabilities []capability
	commands     []command
	enables      []enable
	createParams []createParam
	mailboxCodes []mailboxCode
	listSelects  []listSelect
	listReturns  []listReturn
	statusItems  []statusItem
	appendData   []appendData

	selectParams  []selectParam
	fetchItems    []fetchItem
	fetchMods     []fetchMod
	storeMods     []storeMod
	searchKeys    []searchKey
	searchReturns []searchReturn
	sortKeys      []sortKey
	threadings    []threading
}

// enable is a word of the ENABLE command (RFC 5161).
type enable struct {
	name string // as ENABLED tells it; a session keeps it in capitals
	// on makes it so in a session. nil: nothing but remembering it.
	on func(*session)
}

// extensions lists everything this server speaks. Adding one is its file and
// one word here.
func extensions() []extension {
	return []extension{
		imap4rev1(),
		startTLS(),
		extScramSHA256(),
		extScramSHA1(),
		extExternal(),
		extOAuthBearer(),
		extXOAuth2(),
		extID(),
		extEnable(),
		extNamespace(),
		extLiteralPlus(),
		extMultiAppend(),
		extInProgress(),
		extBinary(),
		extCatenate(),
		extURLPartial(),
		extAppendLimit(),
		extListExtended(),
		extChildren(),
		extSpecialUse(),
		extListStatus(),
		extStatusSize(),
		extIdle(),
		extUIDPlus(),
		extMove(),
		extReplace(),
		extUnselect(),
		extESearch(),
		extMultiSearch(),
		extCondstore(),
		extQResync(),
		extUIDOnly(),
		extUIDBatches(),
		extMessageLimit(),
		extNotify(),
		extObjectID(),
		extWithin(),
		extSaveDate(),
		extCompress(),
		extUnauthenticate(),
		extUTF8(),
		imap4rev2(),
		extSearchRes(),
		extFuzzy(),
		extSort(),
		extSortDisplay(),
		extESort(),
		extI18NLevel(),
		extThread(),
		extPartial(),
		extContextSearch(),
		extContextSort(),
		extPreview(),
		extQuota(),
		extMetadata(),
		extListMetadata(),
		extACL(),
		extListMyRights(),
	}
}

// registry is what all extensions add up to, by name. It is built once in New
// and never written again.
type registry struct {
	extensions   []extension
	capabilities []capability
	commands     map[string]command
	enables      map[string]enable
	createParams map[string]createParam
	mailboxCodes []mailboxCode
	listSelects  map[string]listSelect
	listReturns  map[string]listReturn
	statusItems  map[string]statusItem
	appendData   map[string]appendData

	selectParams  map[string]selectParam
	fetchItems    map[string]fetchItem
	fetchMods     map[string]fetchMod
	storeMods     map[string]storeMod
	searchKeys    map[string]searchKey
	searchReturns map[string]searchReturn
	sortKeys      map[string]sortKey
	threadings    map[string]threading
}

func newRegistry(list []extension) *registry {
	r := &registry{
		extensions:   list,
		commands:     map[string]command{},
		enables:      map[string]enable{},
		createParams: map[string]createParam{},
		listSelects:  map[string]listSelect{},
		listReturns:  map[string]listReturn{},
		statusItems:  map[string]statusItem{},
		appendData:   map[string]appendData{},

		selectParams:  map[string]selectParam{},
		fetchItems:    map[string]fetchItem{},
		fetchMods:     map[string]fetchMod{},
		storeMods:     map[string]storeMod{},
		searchKeys:    map[string]searchKey{},
		searchReturns: map[string]searchReturn{},
		sortKeys:      map[string]sortKey{},
		threadings:    map[string]threading{},
	}
	for _, x := range list {
		r.capabilities = append(r.capabilities, x.capabilities...)
		r.mailboxCodes = append(r.mailboxCodes, x.mailboxCodes...)
		addAll(r.commands, x.commands)
		addAll(r.enables, x.enables)
		addAll(r.createParams, x.createParams)
		addAll(r.listSelects, x.listSelects)
		addAll(r.listReturns, x.listReturns)
		addAll(r.statusItems, x.statusItems)
		addAll(r.appendData, x.appendData)
		addAll(r.selectParams, x.selectParams)
		addAll(r.fetchItems, x.fetchItems)
		addAll(r.fetchMods, x.fetchMods)
		addAll(r.storeMods, x.storeMods)
		addAll(r.searchKeys, x.searchKeys)
		addAll(r.searchReturns, x.searchReturns)
		addAll(r.sortKeys, x.sortKeys)
		addAll(r.threadings, x.threadings)
	}
	return r
}

// named is a value at a joint: a word of the grammar and what it means.
type named interface{ word() string }

func (c command) word() string     { return c.name }
func (e enable) word() string      { return strings.ToUpper(e.name) }
func (p createParam) word() string { return p.name }
func (o listSelect) word() string  { return o.name }
func (o listReturn) word() string  { return o.name }
func (i statusItem) word() string  { return i.name }
func (f appendData) word() string  { return f.name }

func (p selectParam) word() string  { return p.name }
func (i fetchItem) word() string    { return i.name }
func (m fetchMod) word() string     { return m.name }
func (m storeMod) word() string     { return m.name }
func (k searchKey) word() string    { return k.name }
func (r searchReturn) word() string { return r.name }
func (k sortKey) word() string      { return k.name }
func (t threading) word() string    { return t.name }

// addAll puts values under their names, which no other extension may have.
func addAll[T named](m map[string]T, list []T) {
	for _, v := range list {
		if _, taken := m[v.word()]; taken {
			panic(fmt.Sprintf("two extensions define %s", v.word()))
		}
		m[v.word()] = v
	}
}

// find expects a name of the registry's map; what is the word for it in the
// BAD answer.
func find[T any](d *wire.Decoder, m map[string]T, what string) (v T, ok bool) {
	name := d.Keyword()
	if d.Err() != nil {
		return v, false
	}
	v, ok = m[name]
	if !ok {
		d.Fail("Unknown %s %s", what, name)
	}
	return v, ok
}
