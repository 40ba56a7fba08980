package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"tandem/auth"
	"tandem/store"
)

// maxAccounts bounds one file of accounts.
const maxAccounts = 1 << 20

func accountImportCommand(a *app) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add accounts from a file of names and password hashes",
		Long: "Add accounts from lines name:{SCHEME}hash, as Dovecot's passwd-file has them (PLAIN,\n" +
			"CRYPT, SHA512-CRYPT, BLF-CRYPT, ARGON2ID, PBKDF2); further fields are passed over. An\n" +
			"account that exists gets the new hash. All or nothing. A hash is replaced by one of\n" +
			"ours, at once for PLAIN and else at the next login, unless --keep-schemes is given.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.config()
			if err != nil {
				return err
			}
			list, err := a.readPasswdFile(args[0])
			if err == nil {
				err = hashAll(list, keep, l.Auth)
			}
			if err != nil {
				return fmt.Errorf("import accounts: %w", err)
			}
			return a.with(cmd.Context(), makeOne, func(b *backend) error {
				req := createRequest{Replace: true}
				for _, line := range list {
					req.Accounts = append(req.Accounts, line.account)
				}
				if _, err := call(cmd.Context(), b, accountCreate, req); err != nil {
					return fmt.Errorf("import accounts: %w", err)
				}
				if a.json {
					return a.printJSON(map[string]int{"imported": len(list)})
				}
				_, err := fmt.Fprintf(a.out, "%d accounts imported\n", len(list))
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&keep, "keep-schemes", false, "keep the hashes as they are, also after a login")
	return cmd
}

// passwdLine is an account and where it stands, for errors.
type passwdLine struct {
	where   string
	account store.NewAccount
}

// readPasswdFile reads lines name:{SCHEME}hash[:...]; empty ones and comments
// are passed over. A name that comes twice is an error: one of the two is wrong.
func (a *app) readPasswdFile(path string) ([]passwdLine, error) {
	in := a.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return parsePasswd(in, path)
}

func parsePasswd(in io.Reader, path string) ([]passwdLine, error) {
	var list []passwdLine
	first := map[string]string{}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimRight(lines.Text(), "\r")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		where := fmt.Sprintf("%s:%d", path, n)
		name, rest, _ := strings.Cut(text, ":")
		hash, _, _ := strings.Cut(rest, ":")
		name, err := store.CanonicalAccountName(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		if first[name] != "" {
			return nil, fmt.Errorf("%s: %s is in %s already", where, name, first[name])
		}
		first[name] = where
		if hash == "" {
			return nil, fmt.Errorf("%s: no password (write name:{SCHEME}hash)", where)
		}
		if len(list) == maxAccounts {
			return nil, fmt.Errorf("%s: more than %d accounts (split the file)", where, maxAccounts)
		}
		list = append(list, passwdLine{where, store.NewAccount{Name: name, Hash: hash}})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return list, nil
}

// hashAll makes of each hash what is stored, on all processors: a plain password
// takes one of them tens of milliseconds.
func hashAll(list []passwdLine, keep bool, c authConfig) error {
	errs := make([]error, len(list))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				account := &list[i].account
				account.KeepScheme = keep
				if !keep && c.SCRAM != string(auth.SCRAMOff) {
					account.Keys = auth.ImportScramKeys(account.Hash, c.SCRAMSHA1)
				}
				account.Hash, errs[i] = auth.ImportHash(account.Hash, keep)
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	workers.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %s: %w", list[i].where, list[i].account.Name, err)
		}
	}
	return nil
}
