// Package migrations holds the schema as numbered SQL files, one folder for
// each kind of database.
//
// START HERE. A file is applied once, in its own transaction, and never
// changed after a release; a change of the schema is a new file with the next
// number. The engines apply them (store/sqlite: migrate.go); only these files
// say what tables there are.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql
var files embed.FS

// SQLite gives the files for store/sqlite, named 0001_init.sql and so on.
func SQLite() fs.FS {
	sub, err := fs.Sub(files, "sqlite")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
