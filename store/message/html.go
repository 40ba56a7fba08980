package message

import (
	"io"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var space = []byte(" ")

// htmlText writes what a reader of an HTML page sees: text without tags,
// entities decoded, a space where an element starts a new line.
func htmlText(w io.Writer, r io.Reader) error {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(1 << 20)
	var hidden atom.Atom // the element whose text is not shown
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF && err != html.ErrBufferExceeded {
				return err
			}
			return nil
		case html.TextToken:
			if hidden == 0 {
				if _, err := w.Write(z.Text()); err != nil {
					return err
				}
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if hidden == 0 && (a == atom.Script || a == atom.Style) {
				hidden = a
			}
			if err := breakBefore(w, a); err != nil {
				return err
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if a == hidden {
				hidden = 0
			}
			if err := breakBefore(w, a); err != nil {
				return err
			}
		}
	}
}

// breakBefore writes a space for all but the elements that stand in a line.
func breakBefore(w io.Writer, a atom.Atom) error {
	switch a {
	case atom.A, atom.Abbr, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Ins, atom.Del,
		atom.Mark, atom.S, atom.Small, atom.Span, atom.Strike, atom.Strong, atom.Sub, atom.Sup, atom.Tt, atom.U, atom.Wbr:
		return nil
	}
	_, err := w.Write(space)
	return err
}
