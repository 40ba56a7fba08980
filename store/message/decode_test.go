package message

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// decodeInPieces decodes with writes of n bytes.
func decodeInPieces(t testing.TB, in []byte, encoding Encoding, n int) string {
	t.Helper()
	var out bytes.Buffer
	d := NewDecoder(&out, encoding)
	for len(in) > 0 {
		k := min(n, len(in))
		if _, err := d.Write(in[:k]); err != nil {
			t.Fatal(err)
		}
		in = in[k:]
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestDecoder(t *testing.T) {
	tests := []struct {
		encoding Encoding
		in, want string
	}{
		{Encoding7Bit, "a=41\r\n", "a=41\r\n"},
		{EncodingBinary, "\x00\n", "\x00\n"},
		{EncodingBase64, "AAEC\r\nAwQ=\r\n", "\x00\x01\x02\x03\x04"},
		{EncodingBase64, "AA==AA==", "\x00\x00"},
		{EncodingBase64, "A*A E C", "\x00\x01\x02"},
		{EncodingBase64, "", ""},
		{EncodingQuotedPrintable, "a=3D=\r\nb  \t=  \r\nc=zz=", "a=b  \tc=zz"},
		{EncodingQuotedPrintable, "=00=0", "\x00=0"},
	}
	for _, test := range tests {
		for n := 1; n <= len(test.in)+1; n++ {
			if got := decodeInPieces(t, []byte(test.in), test.encoding, n); got != test.want {
				t.Errorf("%q in pieces of %d: %q, want %q", test.in, n, got, test.want)
			}
		}
	}
}

// FuzzDecoder: the pieces that come do not change what goes, and base64 made
// by others comes back.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("=3D= \r\n\x00=4"), uint8(3), uint8(EncodingQuotedPrintable))
	f.Add([]byte("QUJD\r\nRA=="), uint8(1), uint8(EncodingBase64))
	f.Add([]byte("x\n"), uint8(1), uint8(EncodingOther))
	f.Fuzz(func(t *testing.T, in []byte, n, encoding uint8) {
		e := Encoding(encoding % uint8(EncodingOther+1))
		whole := decodeInPieces(t, in, e, len(in)+1)
		if got := decodeInPieces(t, in, e, int(n)+1); got != whole {
			t.Fatalf("%q in pieces of %d: %q, whole %q", in, n, got, whole)
		}
		if len(whole) > len(in) {
			t.Fatalf("%d bytes decode to %d", len(in), len(whole))
		}
		back := decodeInPieces(t, []byte(base64.StdEncoding.EncodeToString(in)), EncodingBase64, int(n)+1)
		if back != string(in) {
			t.Fatalf("%q comes back from base64 as %q", in, back)
		}
	})
}
