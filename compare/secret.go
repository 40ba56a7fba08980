package compare

import (
	"encoding/base64"
	"strings"
)

// minSecret is the length below which a password is not looked for all over the
// transcript: it would black out every "a". Commands that carry one are hidden
// whatever its length.
const minSecret = 6

// secretsOf gives the forms in which a login's password may appear.
func secretsOf(l Login) []string {
	if len(l.Password) < minSecret {
		return nil
	}
	list := []string{l.Password}
	if q := strings.Trim(quote(l.Password), `"`); q != l.Password {
		list = append(list, q)
	}
	for _, plain := range []string{"\x00" + l.User + "\x00" + l.Password, l.User + "\x00" + l.User + "\x00" + l.Password, l.Password} {
		list = append(list, base64.StdEncoding.EncodeToString([]byte(plain)))
	}
	return list
}
