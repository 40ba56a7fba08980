package clienttest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// tags is the one set of build tags of the project; see the Makefile.
const tags = "sqlite_fts5 sqlite_omit_load_extension netgo osusergo"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the binary, unless TANDEM_BIN names one, and runs the tests.
func run(m *testing.M) int {
	if os.Getenv("TANDEM_BIN") == "" {
		dir, err := os.MkdirTemp("", "tandem-clienttest-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		bin := filepath.Join(dir, "tandem")
		if out, err := exec.Command("go", "build", "-tags", tags, "-o", bin, "tandem/cmd/tandem").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building tandem: %v\n%s", err, out)
			return 1
		}
		os.Setenv("TANDEM_BIN", bin)
	}
	return m.Run()
}

// dependOnSources reads the directories that the binary is built from and looks
// at the binary: Go keeps a test's result for as long as the files it has asked
// for are the same, and no import tells it of these.
func dependOnSources(t testing.TB) {
	t.Helper()
	_, err := os.Stat(os.Getenv("TANDEM_BIN"))
	walkErr := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		return err
	})
	if err := errors.Join(err, walkErr); err != nil {
		t.Fatal(err)
	}
}
