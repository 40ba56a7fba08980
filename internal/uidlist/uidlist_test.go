package uidlist

import (
	"bufio"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReadDovecot(t *testing.T) {
	const v3 = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n" +
		"25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n" +
		"25017 W2481 S2400 :1276533073.M242911P3632.kurkku:2,F\n" +
		"25018 Gabc P5d2b-old :1276533074.M1P2.kurkku\n" +
		"garbage\n0 :x\n25019 W1\n25020 :cut off"
	format := func(text string) *Format {
		f, err := ParseFormat(text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, test := range []struct{ text, format, want string }{
		{v3, DefaultFormat, "[{1276528487.M364837P9451.kurkku,S=1355,W=1394 000061ae4c0907b0} {1276533073.M242911P3632.kurkku 000061b94c0907b0} {1276533074.M1P2.kurkku 5d2b-old}]"},
		{"1 7 30\n12 a:2,S\n13 b\n", DefaultFormat, "[{a 0000000c00000007} {b 0000000d00000007}]"},
		{"1 7 30\n12 a:2,S\n13 b\n", "%v-%u", "[{a 7-12} {b 7-13}]"},
		{"1 7 30\n12 a\n", "%f", "[{a a}]"},
		{"1 7 30\n12 a\n", "%Mf", "[{a 0cc175b9c0f1b6a831c399e269772661}]"},
		{"3 V7 N30\n12 Gguid :a\n13 :b\n", "%g", "[{a guid} {b b}]"},
		{"1 7 30\n255 a\n", "%08Xv%08XUu", "[{a 00000007000000FF}]"},
		{"1 7 30\n255 a\n", "%{uid | hex(8)}%{uidvalidity | hex(8)}", "[{a 000000ff00000007}]"},
		{"1 7 30\n255 a\n", "x%%%{uid}", "[{a x%255}]"},
	} {
		got, err := ReadDovecot(strings.NewReader(test.text), format(test.format))
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("%s: %v, %v; want %s", test.format, got, err, test.want)
		}
	}
	for _, bad := range []string{"", "2 V1 N2\n", "3 N2\n", "1\n", "1 0 5\n", "3 V1 N2\n" + strings.Repeat("x", maxLine+1)} {
		if got, err := ReadDovecot(strings.NewReader(bad), format(DefaultFormat)); err == nil {
			t.Errorf("%.20q: %v, want an error", bad, got)
		}
	}
	for _, bad := range []string{"", "uid", "%", "%z", "%m", "%v", "%{uid", "%{uid | what}", "%999u", "%{uid | lower(3)}"} {
		if _, err := ParseFormat(bad); err == nil {
			t.Errorf("format %q was taken", bad)
		}
	}
}

func TestReadCourier(t *testing.T) {
	const text = "/3 105 1167000000\n" +
		"1167000001.M1P1.host,S=10:2,S 12 3:1167000000:0\n" +
		"1167000002.M1P1.host 12 4:0:1\n" +
		"1167000003.M'1 +P.host 12 0:0:0\n" +
		"broken\n x 1:2\nname 12 5\nname 12 five:6\n"
	want := "[{1167000001.M1P1.host,S=10 UID3-1167000000} {1167000002.M1P1.host UID4} {1167000003.M'1 +P.host 1167000003.M+271+20+2BP.host}]"
	if got, err := ReadCourier(strings.NewReader(text)); err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v; want %s", got, err, want)
	}
	got, err := ReadCourier(strings.NewReader("/2 105 1167000000\na:2,S 12 3:7\n"))
	if err != nil || fmt.Sprint(got) != "[{a UID3-7}]" {
		t.Errorf("version 2: %v, %v", got, err)
	}
	for _, bad := range []string{"", "a 12\n", "/1 2 3\n", "/4 1 1\n"} {
		if got, err := ReadCourier(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: %v, want an error", bad, got)
		}
	}
}

func TestPrint(t *testing.T) {
	same := []string{"A: b\r\n c\r\nSubject: x\r\n\r\n", "A: b\n c\nSubject: x\n", "Status: RO\nA: b\n c\nX-UIDL: q\n folded\nSubject: x\n\nbody"}
	for _, s := range same {
		if PrintOf([]byte(s)) != PrintOf([]byte(same[0])) {
			t.Errorf("%q has another print", s)
		}
	}
	for _, s := range []string{"A: b\n c\nSubject: y\n", "A: b\nSubject: x\n", "A: b\n c\nSubject: x\nStatus-Two: x\n"} {
		if PrintOf([]byte(s)) == PrintOf([]byte(same[0])) {
			t.Errorf("%q has the same print", s)
		}
	}
	size, header, err := Scan(strings.NewReader("A: b\nX-UIDL: q\r\n\nbody\n\r\n"))
	if err != nil || size != 27 || string(header) != "A: b\nX-UIDL: q\r\n\n" || FieldOf(header, "x-uidl") != "q" {
		t.Errorf("%d, %q, %v", size, header, err)
	}
}

func TestMatch(t *testing.T) {
	a, b := Print{1}, Print{2}
	old := []Message{{UIDL: "1", Size: 10, Print: a}, {UIDL: "2", Size: 10, Print: a}, {UIDL: "3", Size: 10, Print: b}, {UIDL: "4", Size: 20, Print: a}, {UIDL: "5", Size: 10, Print: a}}
	here := []Message{{Size: 21, Print: a}, {Size: 10, Print: a}, {UIDL: "1", Size: 10, Print: a}, {Size: 10, Print: Print{3}}}
	if got := Match(old, here); !reflect.DeepEqual(got, []int{2, 1, -1, 0, -1}) {
		t.Errorf("%v", got)
	}
}

func TestMatchByID(t *testing.T) {
	id := func(header string) Print { return IDOf([]byte(header)) }
	a := id("Message-ID: <a@x>\nDate: today\n")
	if b := id("X: y\r\nDate:\r\n today\r\nMESSAGE-ID:  <a@x>\r\nDate: tomorrow\r\n\r\nFrom: z\r\n"); a != b || a == (Print{}) {
		t.Errorf("%x, %x", a, b)
	}
	if id("Date: today\n") != (Print{}) || id("Message-ID: \n") != (Print{}) || id("Message-ID: <a@x>\nDate: then\n") == a {
		t.Error("prints of other messages")
	}
	b, c := Print{2}, Print{3}
	old := []Message{{Print: Print{10}, ID: a}, {Print: Print{11}, ID: b}, {Print: Print{12}, ID: c}, {Print: Print{13}}, {Print: Print{14}, ID: c}}
	here := []Message{{Print: Print{20}}, {Print: Print{21}, ID: b}, {Print: Print{22}, ID: a}, {Print: Print{23}, ID: c}, {Print: Print{24}, ID: b}}
	if got := Match(old, here); !reflect.DeepEqual(got, []int{2, -1, -1, -1, -1}) {
		t.Errorf("%v", got)
	}
}

// serve answers each command of one connection.
func serve(t *testing.T, answer func(command string) string) Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Write([]byte("+OK hello\r\n"))
		for r := bufio.NewReader(conn); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			conn.Write([]byte(strings.ReplaceAll(answer(strings.TrimRight(line, "\r\n")), "\n", "\r\n")))
		}
	}()
	return Server{Address: l.Addr().String(), User: "alice", Password: "secret", Timeout: 10 * time.Second}
}

func TestServer(t *testing.T) {
	const header = "Subject: x\n..dot\n"
	for name, odd := range map[string]map[string]string{
		"plain":      {},
		"pipelining": {"CAPA": "+OK\nPIPELINING\nUTF8\nUSER\n.\n"},
		"AUTH only":  {"CAPA": "+OK\nSASL LOGIN PLAIN\n.\n", "USER alice": "-ERR\n"},
		"no TOP":     {"TOP 2 0": "-ERR what?\n", "TOP 7 0": "-ERR what?\n", "RETR 2": "+OK\n" + header + "\nbody\n.\n", "RETR 7": "+OK\nB: c\n\n.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(command string) string {
				if a, ok := odd[command]; ok {
					return a
				}
				switch command {
				case "USER alice", "PASS secret", "QUIT", "UTF8", "AGFsaWNlAHNlY3JldA==":
					return "+OK\n"
				case "AUTH PLAIN":
					return "+ \n"
				case "UIDL":
					return "+OK\n2 aa\n7 b b\n.\n"
				case "LIST":
					return "+OK\n2 100\n7 200 extra\n9 1\n.\n"
				case "TOP 2 0":
					return "+OK\n" + header + "\n.\n"
				case "TOP 7 0":
					return "+OK\nB: c\n.\n"
				}
				return "-ERR\n"
			})
			got, err := s.Read(t.Context(), func(int, int) {})
			want := []Message{{Name: "2", UIDL: "aa", Size: 100, Print: PrintOf([]byte("Subject: x\n.dot\n"))}, {Name: "7", UIDL: "b b", Size: 200, Print: PrintOf([]byte("B: c\n"))}}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v, %v; want %v", got, err, want)
			}
		})
	}
}

func TestServerRefuses(t *testing.T) {
	for _, test := range []struct{ command, answer, want string }{
		{"PASS secret", "-ERR [AUTH] no\n", `log in: the server says "[AUTH] no"`},
		{"UIDL", "-ERR unknown\n", `UIDL: the server says "unknown"`},
		{"UIDL", "+OK\nx\n.\n", "UIDL: a line"},
		{"LIST", "* BYE\n", "not a POP3 server"},
		{"RETR 1", "-ERR gone\n", "message 1: the server says"},
	} {
		s := serve(t, func(command string) string {
			switch command {
			case test.command:
				return test.answer
			case "UIDL", "LIST":
				return "+OK\n1 1\n.\n"
			case "TOP 1 0", "CAPA":
				return "-ERR\n"
			}
			return "+OK\n"
		})
		if _, err := s.Read(t.Context(), func(int, int) {}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.command, err, test.want)
		}
	}
}

func FuzzLists(f *testing.F) {
	f.Add("3 V1 N5\n1 W2 Px :a:2,S\n", DefaultFormat)
	f.Add("1 7 9\n12 a\n", "%{uid | hex(8)}-%Mf")
	f.Add("/3 1 2\na 1 2:3:0\n", "%5RUf")
	f.Fuzz(func(t *testing.T, text, format string) {
		files, _ := ReadCourier(strings.NewReader(text))
		if parsed, err := ParseFormat(format); err == nil {
			more, _ := ReadDovecot(strings.NewReader(text), parsed)
			files = append(files, more...)
		}
		for _, file := range files {
			if file.Name == "" || strings.Contains(file.Name, "\n") {
				t.Fatalf("%q gave %+v", text, file)
			}
		}
	})
}

func FuzzServer(f *testing.F) {
	f.Add("+OK\r\n+OK\r\nUIDL\r\n.\r\n+OK\r\n+OK\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n1 5\r\n.\r\n+OK\r\nA: b\r\n\r\n.\r\n+OK\r\n")
	f.Add("+OK\r\n-ERR\r\n+ \r\n")
	f.Fuzz(func(t *testing.T, text string) {
		client, server := net.Pipe()
		go func() {
			go func() { // takes what comes
				buf := make([]byte, 4096)
				for {
					if _, err := server.Read(buf); err != nil {
						return
					}
				}
			}()
			server.Write([]byte(text))
			server.Close()
		}()
		c := newWire(client, time.Second)
		defer client.Close()
		list, err := c.read(Server{User: "u", Password: "p"}, func(int, int) {})
		if err == nil && len(list) > strings.Count(text, "\n") {
			t.Fatalf("%q gave %d messages", text, len(list))
		}
	})
}
