package auth

import (
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"tandem/store"
)

// external is EXTERNAL (RFC 4422 appendix A): the client has shown a certificate
// in the TLS handshake, which has checked it against the authority that the
// operator trusts to name accounts.
func external() mechanism {
	return mechanism{
		name: "EXTERNAL",
		offered: func(a *Authenticator, at Attempt) bool {
			return a.clientCerts && at.Scope != store.ScopeSMTP && len(certNames(at)) > 0
		},
		start: func(x *Exchange) sasl.Server { return sasl.NewExternalServer(x.external) },
	}
}

// external ends an exchange whose client has shown a certificate. login is whom
// it wants to act as, "" for whom the certificate names.
func (x *Exchange) external(login string) error {
	x.auth.named(x.ctx, &x.at, login)
	login = x.at.Login
	names := certNames(x.at)
	if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, login) }); i > 0 {
		names = names[i:] // several addresses, and the client says which
	}
	for _, name := range names {
		_, _, err := x.auth.accounts.FindLogin(x.ctx, name)
		if err == nil || store.KindOf(err) != store.NotFound {
			return x.asserted(name)
		}
	}
	return x.undone("certificate names no account", nil)
}

// certNames gives whom a certificate that was checked names: its addresses or,
// if it has none, its common name.
func certNames(at Attempt) []string {
	if at.Conn == nil || len(at.Conn.VerifiedChains) == 0 {
		return nil
	}
	leaf := at.Conn.VerifiedChains[0][0]
	switch {
	case len(leaf.EmailAddresses) > 0:
		return leaf.EmailAddresses[:min(len(leaf.EmailAddresses), maxCertNames)]
	case leaf.Subject.CommonName != "":
		return []string{leaf.Subject.CommonName}
	}
	return nil
}

// maxCertNames bounds the accounts that a certificate is tried for.
const maxCertNames = 8
