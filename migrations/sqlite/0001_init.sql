-- The first schema. Times are Unix seconds. Ids come from counters in rows and
-- are never used again. mailbox.id and message.id are account<<40 | n, so the
-- account leads every key that begins with one of them.

-- +goose Up

-- id            the store's random id, part of derived UIDLs
-- uidvalidity   the last UIDVALIDITY given out; begins at the time of birth
-- account, credential   the last ids given out
-- body          the next id for a body larger than one chunk
CREATE TABLE store (
  key   TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE,
  enabled      INTEGER NOT NULL,
  created      INTEGER NOT NULL,
  pop3_delete  TEXT NOT NULL,
  modseq       INTEGER NOT NULL,  -- the last drawn
  next_mailbox INTEGER NOT NULL,
  next_message INTEGER NOT NULL,
  next_journal INTEGER NOT NULL
) STRICT;

-- Accounts removed whose rows in the other tables are not all gone yet.
CREATE TABLE removed_account (
  id INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE credential (
  id          INTEGER PRIMARY KEY,
  account     INTEGER NOT NULL,
  label       TEXT NOT NULL,      -- '' for the account's own password
  hash        TEXT NOT NULL,
  keep_scheme INTEGER NOT NULL,
  scope       INTEGER NOT NULL,
  created     INTEGER NOT NULL,
  last_used   INTEGER,
  last_addr   TEXT,
  UNIQUE (account, label)
) STRICT;

-- Keywords are numbered from 0 by account; number n is bit 8+n of flags, from
-- 55 on bit n-55 of more_keywords.
CREATE TABLE keyword (
  account INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  name    TEXT NOT NULL COLLATE NOCASE,
  PRIMARY KEY (account, n),
  UNIQUE (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
  id            INTEGER PRIMARY KEY,
  account       INTEGER NOT NULL,
  name          TEXT NOT NULL,
  use           TEXT NOT NULL,    -- RFC 6154, with the backslash, or ''
  mailboxid     TEXT NOT NULL,    -- RFC 8474
  uidvalidity   INTEGER NOT NULL,
  messages      INTEGER NOT NULL,
  unseen        INTEGER NOT NULL,
  deleted       INTEGER NOT NULL,
  bytes         INTEGER NOT NULL,
  uidnext       INTEGER NOT NULL,
  highestmodseq INTEGER NOT NULL,
  pruned_modseq INTEGER NOT NULL, -- tombstones up to this may be gone
  recent_from   INTEGER NOT NULL,
  UNIQUE (account, name)
) STRICT;

CREATE TABLE subscription (
  account INTEGER NOT NULL,
  name    TEXT NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

-- Message bytes, less the prefix that each message has of its own. Immutable.
-- The header block is apart from the text. A body of one chunk at most has the
-- id of the first message made with it; larger ones lie below 1<<40.
CREATE TABLE body (
  id         INTEGER PRIMARY KEY,
  size       INTEGER NOT NULL,    -- header and text
  digest     BLOB NOT NULL,       -- SHA-256 of header and text
  header_crc INTEGER NOT NULL,    -- CRC-32C
  header     BLOB NOT NULL
) STRICT;

-- Chunk n of the text of body b is row b+n; all but the last have 256 KiB.
CREATE TABLE chunk (
  id    INTEGER PRIMARY KEY,
  codec INTEGER NOT NULL,         -- 0: raw
  crc   INTEGER NOT NULL,         -- CRC-32C of the text
  data  BLOB NOT NULL
) STRICT;

-- Bodies begun, of which there may be chunks but no body row yet.
CREATE TABLE staged (
  body INTEGER PRIMARY KEY
) STRICT;

-- What never changes of a message.
CREATE TABLE message (
  id            INTEGER PRIMARY KEY,
  body          INTEGER NOT NULL,
  size          INTEGER NOT NULL, -- with the prefix
  header_size   INTEGER NOT NULL, -- of the body's header
  internal      INTEGER NOT NULL,
  emailid       TEXT NOT NULL,    -- RFC 8474
  threadid      TEXT NOT NULL,
  structure_crc INTEGER NOT NULL,
  structure     BLOB NOT NULL,
  prefix_crc    INTEGER,
  prefix        BLOB
) STRICT;
CREATE INDEX message_body ON message (body);

-- UIDLs that imported messages brought along.
CREATE TABLE message_uidl (
  message INTEGER PRIMARY KEY,
  uidl    TEXT NOT NULL
) STRICT;
CREATE INDEX message_uidl_uidl ON message_uidl (uidl);

-- A message in a mailbox. No index on modseq: it would make a change of all
-- flags several times slower.
CREATE TABLE entry (
  mailbox       INTEGER NOT NULL,
  uid           INTEGER NOT NULL,
  message       INTEGER NOT NULL,
  modseq        INTEGER NOT NULL,
  flags         INTEGER NOT NULL,
  saved         INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  internal      INTEGER NOT NULL,
  more_keywords BLOB,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_message ON entry (message);

-- An entry as it was before modseq removed it.
CREATE TABLE tombstone (
  mailbox       INTEGER NOT NULL,
  uid           INTEGER NOT NULL,
  modseq        INTEGER NOT NULL, -- of the removal
  message       INTEGER NOT NULL,
  entry_modseq  INTEGER NOT NULL, -- of the entry's last change before
  flags         INTEGER NOT NULL,
  saved         INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  internal      INTEGER NOT NULL,
  removed_at    INTEGER NOT NULL,
  more_keywords BLOB,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstone_modseq ON tombstone (mailbox, modseq);
CREATE INDEX tombstone_message ON tombstone (message);

-- Entries whose UIDL is not their message's.
CREATE TABLE uidl_override (
  mailbox INTEGER NOT NULL,
  uid     INTEGER NOT NULL,
  uidl    TEXT NOT NULL,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;

-- What a POP3 device deleted and the mailbox keeps.
CREATE TABLE pop3_hidden (
  message    INTEGER NOT NULL,
  credential INTEGER NOT NULL,
  PRIMARY KEY (message, credential)
) STRICT, WITHOUT ROWID;

-- Which thread a message-id belongs to; ref is a 64-bit hash of it.
CREATE TABLE thread_ref (
  account INTEGER NOT NULL,
  ref     INTEGER NOT NULL,
  thread  TEXT NOT NULL,
  PRIMARY KEY (account, ref)
) STRICT, WITHOUT ROWID;

-- One row for each verb. uids is an IMAP set of UIDs in mailbox; for a copy or
-- move other_uids are what they became in other_mailbox, one for one.
CREATE TABLE journal (
  account       INTEGER NOT NULL,
  n             INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  verb          TEXT NOT NULL,
  credential    INTEGER NOT NULL,
  session       TEXT NOT NULL,
  protocol      TEXT NOT NULL,
  remote        TEXT NOT NULL,
  mailbox       INTEGER,
  other_mailbox INTEGER,
  modseq        INTEGER,
  uids          TEXT,
  other_uids    TEXT,
  detail        TEXT,
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE import_ledger (
  account INTEGER NOT NULL,
  key     TEXT NOT NULL,
  PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
