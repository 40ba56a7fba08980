package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// setting is one key of a config, as a place to read and write its value.
type setting struct {
	Key   string // "limits.strangers"
	Env   string // "TANDEM_LIMITS_STRANGERS"
	Doc   string
	value reflect.Value
}

// section splits the key into the name of its table in the file, "" at the top,
// and its name there.
func (s setting) section() (table, name string) {
	if i := strings.LastIndexByte(s.Key, '.'); i >= 0 {
		return s.Key[:i], s.Key[i+1:]
	}
	return "", s.Key
}

// loaded is a config with the origin of each value: "default", "file", "env" or
// "flag", followed by where.
type loaded struct {
	config
	Origin map[string]string
	File   string // "" when there is none
}

// settings lists all keys of c in their order in the struct.
func settings(c *config) []setting {
	var list []setting
	var walk func(v reflect.Value, prefix string)
	walk = func(v reflect.Value, prefix string) {
		for i := range v.NumField() {
			field := v.Type().Field(i)
			key := prefix + field.Tag.Get("toml")
			if doc, ok := field.Tag.Lookup("doc"); ok {
				env := "TANDEM_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
				list = append(list, setting{key, env, doc, v.Field(i)})
				continue
			}
			walk(v.Field(i), key+".")
		}
	}
	walk(reflect.ValueOf(c).Elem(), "")
	return list
}

// loadConfig reads the settings: flag over environment over file over default.
// file and data are the flags --config and --data, "" when absent.
func loadConfig(file, data string, getenv func(string) string) (*loaded, error) {
	l := &loaded{config: defaults(), Origin: map[string]string{}, File: file}
	if l.File == "" {
		l.File = getenv("TANDEM_CONFIG")
	}
	list := settings(&l.config)
	for _, s := range list {
		l.Origin[s.Key] = "default"
	}
	if l.File != "" {
		if err := l.readFile(); err != nil {
			return nil, usageError{err}
		}
	}
	for _, s := range list {
		if err := l.readEnv(s, getenv); err != nil {
			return nil, usageError{err}
		}
	}
	if data != "" {
		l.Data, l.Origin["data"] = data, "flag --data"
	}
	var err error
	if l.Data, err = filepath.Abs(l.Data); err != nil {
		return nil, usageError{fmt.Errorf("find the data directory: %w", err)}
	}
	if err := l.validate(); err != nil {
		return nil, usageError{err}
	}
	return l, nil
}

// readFile reads l.File over the defaults. A listener exists only if the file
// names it; a relative path in the file is relative to the file.
func (l *loaded) readFile() error {
	text, err := os.ReadFile(l.File)
	if err != nil {
		return fmt.Errorf("read the configuration: %w (name an existing file with --config or TANDEM_CONFIG)", err)
	}
	l.IMAP.Listen, l.IMAP.ListenTLS, l.POP3.Listen, l.POP3.ListenTLS = nil, nil, nil, nil
	l.LMTP.Listen, l.Web.Listen = nil, nil
	for key := range l.listeners() {
		l.Origin[key] = "file " + l.File
	}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&l.config); err != nil {
		return l.explain(err)
	}
	var given map[string]any
	if err := toml.Unmarshal(text, &given); err != nil {
		return l.explain(err)
	}
	for _, key := range flatten(given, "") {
		l.Origin[key] = "file " + l.File
	}
	dir := filepath.Dir(l.File)
	for _, path := range []*string{&l.TLS.Cert, &l.TLS.Key, &l.TLS.ClientCA, &l.Auth.OAuth.ClientSecretFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	if l.Origin["data"] != "default" && !filepath.IsAbs(l.Data) {
		l.Data = filepath.Join(dir, l.Data)
	}
	for _, list := range l.listeners() {
		for i, addr := range list {
			if path, ok := strings.CutPrefix(addr, "unix:"); ok && path != "" && !filepath.IsAbs(path) {
				list[i] = "unix:" + filepath.Join(dir, path)
			}
		}
	}
	return nil
}

// listeners are the lists of addresses by their keys.
func (c *config) listeners() map[string][]string {
	return map[string][]string{
		"imap.listen": c.IMAP.Listen, "imap.listen_tls": c.IMAP.ListenTLS,
		"pop3.listen": c.POP3.Listen, "pop3.listen_tls": c.POP3.ListenTLS,
		"lmtp.listen": c.LMTP.Listen, "auth.listen": c.Auth.Listen,
		"web.listen": c.Web.Listen, "web.listen_tls": c.Web.ListenTLS,
	}
}

// explain words what is wrong with the file, with lines.
func (l *loaded) explain(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var lines []string
		for _, e := range strict.Errors {
			row, _ := e.Position()
			lines = append(lines, fmt.Sprintf("%s:%d: unknown key %q", l.File, row, strings.Join(e.Key(), ".")))
		}
		return fmt.Errorf("read the configuration: %s (tandem config init prints every key)", strings.Join(lines, "; "))
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		row, column := wrong.Position()
		return fmt.Errorf("read the configuration: %s:%d:%d: %s (tandem config init prints every key)", l.File, row, column, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	return fmt.Errorf("read the configuration: %s: %w", l.File, err)
}

func flatten(m map[string]any, prefix string) []string {
	var keys []string
	for key, v := range m {
		if sub, ok := v.(map[string]any); ok {
			keys = append(keys, flatten(sub, prefix+key+".")...)
			continue
		}
		keys = append(keys, prefix+key)
	}
	return keys
}

// readEnv takes a setting from TANDEM_SECTION_KEY, or from the file that
// TANDEM_SECTION_KEY_FILE names.
func (l *loaded) readEnv(s setting, getenv func(string) string) error {
	name, text := s.Env, getenv(s.Env)
	if path := getenv(s.Env + "_FILE"); path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read %s_FILE: %w", s.Env, err)
		}
		name, text = s.Env+"_FILE", strings.TrimRight(string(b), "\r\n")
	}
	if text == "" {
		return nil
	}
	if err := s.set(text); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	l.Origin[s.Key] = "env " + name
	return nil
}

// set reads text as the setting's type; lists have commas between their items.
func (s setting) set(text string) error {
	if u, ok := s.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch s.value.Kind() {
	case reflect.String:
		s.value.SetString(text)
	case reflect.Bool:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		s.value.SetBool(on)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		s.value.SetInt(n)
	case reflect.Slice:
		items := []string{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		s.value.Set(reflect.ValueOf(items))
	}
	return nil
}

// text gives the value as TOML has it.
func (s setting) text() string {
	if list, ok := s.value.Interface().([]string); ok {
		quoted := make([]string, len(list))
		for i, item := range list {
			quoted[i] = strconv.Quote(item)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	switch v := s.value.Interface().(type) {
	case string:
		return strconv.Quote(v)
	case fmt.Stringer:
		return strconv.Quote(v.String())
	default:
		return fmt.Sprint(v)
	}
}

// validate checks what types alone do not.
func (l *loaded) validate() error {
	oneOf := func(key, value string, allowed ...string) error {
		if slices.Contains(allowed, value) {
			return nil
		}
		return fmt.Errorf("%s: %q is none of %q", key, value, allowed)
	}
	errs := []error{
		oneOf("auth.plaintext", l.Auth.Plaintext, "loopback", "never", "always"),
		oneOf("auth.scram", l.Auth.SCRAM, "auto", "on", "off"),
		oneOf("lmtp.subaddress", l.LMTP.Subaddress, "mailbox", "inbox"),
		oneOf("quota.lmtp_reply", strconv.Itoa(l.Quota.LMTPReply), "452", "552"),
		oneOf("log.level", l.Log.Level, "debug", "info", "warn", "error"),
	}
	if l.Hostname == "" || strings.ContainsAny(l.Hostname, " \t\r\n") {
		errs = append(errs, fmt.Errorf("hostname: %q is no host name", l.Hostname))
	}
	if (l.TLS.Cert == "") != (l.TLS.Key == "") {
		errs = append(errs, errors.New("tls.cert and tls.key: give both or neither"))
	}
	if h := l.LMTP.JunkHeader; h != "" && !strings.Contains(strings.TrimLeft(h, ": "), ":") {
		errs = append(errs, fmt.Errorf("lmtp.junk_header: %q is no header line (write \"X-Spam: yes\")", h))
	}
	errs = append(errs, l.Auth.OAuth.check()...)
	errs = append(errs, l.IMAP.checkLimits()...)
	if u, err := url.Parse(l.IMAP.AdminContact); l.IMAP.AdminContact != "" && (err != nil || u.Scheme == "") {
		errs = append(errs, fmt.Errorf("imap.admin_contact: %q is no URI (write mailto:...)", l.IMAP.AdminContact))
	}
	for key, list := range l.listeners() {
		for _, addr := range list {
			if err := checkAddr(addr, key == "auth.listen"); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", key, err))
			}
		}
	}
	for _, net := range l.Auth.Trusted {
		if _, err := parseNet(net); err != nil {
			errs = append(errs, fmt.Errorf("auth.trusted: %q is no address or network", net))
		}
	}
	for _, s := range settings(&l.config) {
		if k := s.value.Kind(); (k == reflect.Int || k == reflect.Int64) && s.value.Int() < 0 {
			errs = append(errs, fmt.Errorf("%s: %s is below 0 (0 means no limit)", s.Key, s.text()))
		}
	}
	if err := errors.Join(errs...); err != nil {
		lines := strings.Split(err.Error(), "\n")
		slices.Sort(lines)
		return fmt.Errorf("check the configuration: %s", strings.Join(lines, "; "))
	}
	return nil
}

// checkLimits says what RFC 9738 section 3 has against the limits: a server
// tells one of the two, and SHOULD allow 1,000 messages at least.
func (c imapConfig) checkLimits() (errs []error) {
	if c.MessageLimit != 0 && c.SaveLimit != 0 {
		errs = append(errs, errors.New("imap.message_limit and imap.save_limit: give one (message_limit holds for APPEND and COPY too)"))
	}
	for key, n := range map[string]int{"message_limit": c.MessageLimit, "save_limit": c.SaveLimit} {
		if n > 0 && n < leastMessageLimit {
			errs = append(errs, fmt.Errorf("imap.%s: %d is below %d", key, n, leastMessageLimit))
		}
	}
	return errs
}

const leastMessageLimit = 1000

// check says what is wrong with how tokens are to be checked.
func (o oauthConfig) check() (errs []error) {
	for key, text := range map[string]string{"introspection_url": o.IntrospectionURL, "jwks_url": o.JWKSURL} {
		u, err := url.Parse(text)
		switch {
		case text == "":
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			errs = append(errs, fmt.Errorf("auth.oauth.%s: %q is no URL", key, text))
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			errs = append(errs, fmt.Errorf("auth.oauth.%s: not without TLS (write https://)", key))
		}
	}
	if o.IntrospectionURL != "" && o.JWKSURL != "" {
		errs = append(errs, errors.New("auth.oauth: give introspection_url or jwks_url, not both"))
	}
	if o.JWKSURL != "" && (o.Issuer == "" || len(o.Audience) == 0) {
		errs = append(errs, errors.New("auth.oauth: jwks_url needs issuer and audience (or every token of the provider would do, whatever it was made for)"))
	}
	return errs
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func checkAddr(addr string, unixOnly bool) error {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		if path == "" {
			return fmt.Errorf("%q names no path", addr)
		}
		return nil
	}
	if unixOnly {
		return fmt.Errorf("%q is no unix:/path", addr)
	}
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		return fmt.Errorf("%q is neither host:port nor unix:/path", addr)
	}
	return nil
}
