-- What it takes to bring mail back that was deleted.

-- +goose Up

-- What became of the entry that a tombstone stands for: 0 it was expunged and can
-- be brought back; 1 it was moved on, and its message lives where it went; 2 it
-- was brought back.
ALTER TABLE tombstone ADD COLUMN fate INTEGER NOT NULL DEFAULT 0;

-- Its UID in the mailbox Recently Deleted, NULL when it is not shown there. The
-- ids of these mailboxes have the bit 1<<39.
ALTER TABLE tombstone ADD COLUMN shown INTEGER;

-- What mailboxes were that are gone, as long as they have tombstones.
CREATE TABLE deleted_mailbox (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  use  TEXT NOT NULL
) STRICT;

-- Which QUIT a session ended with; the other rows are in no index.
CREATE INDEX journal_quit ON journal (session) WHERE verb = 'quit';
