package pop3d

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Everything that a client is told is there in German too.
func TestGermanIsComplete(t *testing.T) {
	said := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, text := range textsOf(n) {
				said[text] = true
			}
			return true
		})
	}
	for _, f := range failures {
		said[f.text] = true
	}
	for _, text := range []string{"no such message", "argument missing"} {
		if !said[text] {
			t.Errorf("%q was not found: the test looks in the wrong places", text)
		}
	}
	for text := range said {
		if german[text] == "" {
			t.Errorf("%q has no translation", text)
		}
	}
	for text := range german {
		if !said[text] {
			t.Errorf("%q is translated, but nobody says it", text)
		}
	}
}

// textsOf gives the texts for clients that a piece of the program has.
func textsOf(n ast.Node) (texts []string) {
	take := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, _ := strconv.Unquote(lit.Value); text != "" {
				texts = append(texts, text)
			}
		}
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		if ok && slices.Contains([]string{"ok", "okCount", "refuse", "badCommand", "say"}, sel.Sel.Name) && len(n.Args) > 0 {
			take(n.Args[len(n.Args)-1])
		}
	case *ast.CompositeLit:
		if id, ok := n.Type.(*ast.Ident); ok && id.Name == "failure" {
			take(n.Elts[1])
		}
	case *ast.ReturnStmt: // what is wrong with an argument, a line, or a number
		if len(n.Results) == 2 || len(n.Results) == 3 {
			take(n.Results[len(n.Results)-1])
		}
	case *ast.AssignStmt:
		if id, ok := n.Lhs[0].(*ast.Ident); ok && id.Name == "problem" {
			take(n.Rhs[0])
		}
	}
	return texts
}
