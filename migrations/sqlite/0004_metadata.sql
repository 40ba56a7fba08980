-- +goose Up

-- Annotations of mailboxes and, with mailbox 0, of an account or the server
-- (RFC 5464). account is the owner, 0 for the server's shared entries; reader
-- is the one account that sees a private entry, 0 for shared ones. Names are in
-- small letters and begin with /private/ or /shared/.
CREATE TABLE metadata (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  reader  INTEGER NOT NULL,
  name    TEXT NOT NULL,
  value   BLOB NOT NULL,
  PRIMARY KEY (account, mailbox, reader, name)
) STRICT, WITHOUT ROWID;
