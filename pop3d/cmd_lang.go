package pop3d

import "strings"

// cmdLang: RFC 6856 section 3. Without an argument it lists the languages, with
// "*" it goes back to ours.
func cmdLang(s *session, a arguments) {
	if !a.given {
		s.ok("languages follow")
		for _, l := range languages() {
			s.out.WriteString(l.tag + " " + l.name + "\r\n")
		}
		s.out.WriteString(".\r\n")
		return
	}
	if strings.Contains(a.text, " ") {
		s.badArguments("LANG: " + s.say("too many arguments"))
		return
	}
	l, ok := findLanguage(a.text)
	if !ok {
		s.refuse("", "no such language; LANG lists those there are")
		return
	}
	s.texts = l.texts
	s.ok(l.tag + " " + s.say("speaking this language from here on"))
}

// language is one in which replies are worded.
type language struct {
	tag, name string
	texts     map[string]string // by the English ones; nil: those as they are
}

// languages gives those there are. Everybody has to have i-default (RFC 2277
// section 4.5).
func languages() []language {
	return []language{{"en", "English", nil}, {"de", "Deutsch", german}, {"i-default", "English", nil}}
}

// findLanguage looks a tag up as RFC 4647 section 3.4 has it: de-AT is served
// with de.
func findLanguage(tag string) (language, bool) {
	if tag == "*" {
		tag = "en"
	}
	for tag != "" {
		for _, l := range languages() {
			if strings.EqualFold(l.tag, tag) {
				return l, true
			}
		}
		tag = tag[:max(0, strings.LastIndexByte(tag, '-'))]
	}
	return language{}, false
}

// say words a text in the session's language. What has no translation stays.
func (s *session) say(text string) string {
	if s.texts == nil {
		return text
	}
	if t, ok := s.texts[text]; ok {
		text = t
	}
	if !s.utf8 { // RFC 6856 section 2.1: only then may replies be in UTF-8
		text = withoutUmlauts.Replace(text)
	}
	return text
}

var withoutUmlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss")

// german is replies in German. It is never changed.
var german = map[string]string{
	"speaking this language from here on":          "ab hier auf Deutsch",
	"languages follow":                             "Sprachen:",
	"no such language; LANG lists those there are": "diese Sprache gibt es nicht; LANG zählt auf, welche es gibt",
	"UTF-8 it is":                                  "UTF-8 gilt",
	"now the password":                             "nun das Passwort",
	"begin TLS":                                    "TLS beginnt",
	"octets":                                       "Oktette",
	"messages":                                     "Nachrichten",
	"maildrop has %d messages (%d octets)":         "%d Nachrichten (%d Oktette) im Postfach",
	"marked as deleted":                            "zum Löschen vorgemerkt",
	"no message is marked":                         "keine Nachricht ist vorgemerkt",
	"goodbye":                                      "auf Wiedersehen",
	"capabilities follow":                          "Fähigkeiten:",
	"top of message follows":                       "Anfang der Nachricht:",

	"unknown command":                                 "unbekannter Befehl",
	"log in first":                                    "erst anmelden",
	"logged in already":                               "schon angemeldet",
	"command line too long":                           "Befehlszeile zu lang",
	"USER first":                                      "erst USER",
	"argument missing":                                "Argument fehlt",
	"too many arguments":                              "zu viele Argumente",
	"too many bad commands, goodbye":                  "zu viele falsche Befehle, auf Wiedersehen",
	"command has control characters":                  "Befehl enthält Steuerzeichen",
	"command has octets beyond ASCII; say UTF8 first": "Befehl enthält Oktette jenseits von ASCII; erst UTF8 senden",
	"command is not in UTF-8":                         "Befehl ist nicht in UTF-8",
	"message number must be a number from 1 on":       "die Nummer einer Nachricht ist eine Zahl ab 1",
	"number of lines must be a number from 0 on":      "die Zahl der Zeilen ist eine Zahl ab 0",
	"no such message":                                 "keine solche Nachricht",
	"message is marked as deleted":                    "Nachricht ist zum Löschen vorgemerkt",

	"authentication cancelled":                                      "Anmeldung abgebrochen",
	"wrong name or password":                                        "Name oder Passwort falsch",
	"not authorized to act as that user":                            "nicht berechtigt, für diesen Benutzer zu handeln",
	"passwords are not taken without TLS; use STLS or the TLS port": "ohne TLS keine Passwörter; STLS oder den TLS-Port nehmen",
	"no such authentication mechanism":                              "kein solches Anmeldeverfahren",
	"malformed authentication response":                             "Antwort der Anmeldung nicht lesbar",
	"cannot check passwords now, try again later":                   "Passwörter sind jetzt nicht prüfbar, bitte später versuchen",
	"too many connections":                                          "zu viele Verbindungen",
	"TLS is active already":                                         "TLS besteht schon",
	"TLS is not set up here":                                        "TLS ist hier nicht eingerichtet",
	"STLS must come before UTF8":                                    "STLS muss vor UTF8 kommen",
	"nothing may follow STLS before the handshake":                  "auf STLS darf vor der Aushandlung nichts folgen",
	"the password was revoked":                                      "das Passwort wurde widerrufen",
	"shutting down, try again later":                                "wird gerade beendet, bitte später versuchen",
	"you took too long to log in":                                   "die Anmeldung hat zu lange gedauert",

	"internal error":                        "interner Fehler",
	"no such mailbox":                       "kein solches Postfach",
	"already there":                         "gibt es schon",
	"not valid":                             "nicht gültig",
	"not allowed":                           "nicht erlaubt",
	"a limit was reached":                   "eine Grenze ist erreicht",
	"over quota":                            "Kontingent überschritten",
	"message too big":                       "Nachricht zu groß",
	"not enough space, try again later":     "nicht genug Platz, bitte später versuchen",
	"the store takes no changes now":        "jetzt sind keine Änderungen möglich",
	"busy, try again later":                 "überlastet, bitte später versuchen",
	"the stored message is damaged":         "die gespeicherte Nachricht ist beschädigt",
	"message is gone":                       "Nachricht ist weg",
	"maildrop is in use by another session": "das Postfach ist von einer anderen Sitzung belegt",
	"store is of a newer version":           "Ablage ist von einer neueren Version",
	"try again later":                       "bitte später versuchen",
}
