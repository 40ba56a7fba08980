package compare

import (
	"strings"
	"testing"
)

func TestReports(t *testing.T) {
	events := story()
	events[0].Run.Target = "mail.test <script>|"
	events[4].Text = "+OK <b>hello</b>"
	var md, html strings.Builder
	if err := Markdown(&md, events); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| hello | POP3 | 2 | 10 bytes |", "- **Say hello**: Both said hello.", `&lt;script>\|`} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("Markdown lacks %q:\n%s", want, md.String())
		}
	}
	if err := HTML(&html, events); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Both said hello.", "&#43;OK &lt;b&gt;hello&lt;/b&gt;", "<td>10 bytes</td>"} {
		if !strings.Contains(html.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, html.String())
		}
	}
	for _, bad := range []string{"<script", "http://", "https://", "<b>"} {
		if strings.Contains(html.String(), bad) {
			t.Errorf("the page has %q in it", bad)
		}
	}
}
