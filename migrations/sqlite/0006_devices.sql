-- App passwords: credentials with policies, an end, and a name that is free
-- again once they are revoked; and what POP3 devices have seen and deleted.

-- +goose Up

-- What holds for credentials that say nothing of their own. pop3_see is all,
-- since-now (from the message pop3_from on), days=N or newest=N.
ALTER TABLE account ADD COLUMN pop3_see TEXT NOT NULL DEFAULT 'all';
ALTER TABLE account ADD COLUMN pop3_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN pop3_mark_seen INTEGER NOT NULL DEFAULT 0;

-- A revoked credential stays: the journal names it.
CREATE TABLE new_credential (
  id             INTEGER PRIMARY KEY,
  account        INTEGER NOT NULL,
  label          TEXT NOT NULL,     -- '' for the account's own password
  hash           TEXT NOT NULL,
  keep_scheme    INTEGER NOT NULL,
  scope          INTEGER NOT NULL,
  created        INTEGER NOT NULL,
  last_used      INTEGER,
  last_addr      TEXT,
  last_client    TEXT,              -- what it called itself
  scram_sha256   BLOB,
  scram_sha1     BLOB,
  expires        INTEGER,
  revoked        INTEGER,
  pop3_delete    TEXT NOT NULL DEFAULT '',          -- '': the account's
  pop3_see       TEXT NOT NULL DEFAULT '',          -- '': the account's
  pop3_mark_seen INTEGER,                           -- NULL: the account's
  pop3_from      INTEGER NOT NULL DEFAULT 0,        -- the next message when since-now was set
  born           INTEGER NOT NULL DEFAULT 0,        -- the next message when the credential was made
  pop3_deleted   INTEGER NOT NULL DEFAULT 0,        -- whether it ever deleted anything
  pop3_shared    INTEGER NOT NULL DEFAULT 0         -- whether it ever did so under shared
) STRICT;
INSERT INTO new_credential (id, account, label, hash, keep_scheme, scope, created, last_used, last_addr, scram_sha256, scram_sha1)
  SELECT id, account, label, hash, keep_scheme, scope, created, last_used, last_addr, scram_sha256, scram_sha1 FROM credential;
DROP TABLE credential;
ALTER TABLE new_credential RENAME TO credential;
CREATE UNIQUE INDEX credential_label ON credential (account, label) WHERE revoked IS NULL;
CREATE INDEX credential_account ON credential (account);

-- What a POP3 device deleted in a maildrop and the mailbox keeps, for the device
-- alone. Under shared, uid is where it lay: only while that entry is there does
-- it wait for the other devices. It is 0 under keep.
CREATE TABLE new_pop3_hidden (
  credential INTEGER NOT NULL,
  mailbox    INTEGER NOT NULL,
  message    INTEGER NOT NULL,
  uid        INTEGER NOT NULL,
  PRIMARY KEY (credential, mailbox, message)
) STRICT, WITHOUT ROWID;
INSERT INTO new_pop3_hidden (credential, mailbox, message, uid)
  SELECT h.credential, m.id, h.message, 0 FROM pop3_hidden h JOIN mailbox m ON m.account = h.message >> 40 AND m.name = 'INBOX'
  ORDER BY 1, 2, 3;
DROP TABLE pop3_hidden;
ALTER TABLE new_pop3_hidden RENAME TO pop3_hidden;
CREATE INDEX pop3_hidden_message ON pop3_hidden (message);

-- Which maildrops a device has opened: UIDs below next were listed, as far as
-- its rule lets it see them.
CREATE TABLE pop3_listed (
  mailbox    INTEGER NOT NULL,
  credential INTEGER NOT NULL,
  next       INTEGER NOT NULL,
  time       INTEGER NOT NULL,  -- of the last session
  PRIMARY KEY (mailbox, credential)
) STRICT, WITHOUT ROWID;
