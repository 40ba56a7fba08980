package clienttest

import (
	"fmt"
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
