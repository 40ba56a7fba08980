-- What an account holds, kept with its mailboxes' counters, and what it may
-- hold: NULL is the server's default, 0 no limit.

-- +goose Up

ALTER TABLE account ADD COLUMN admin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;   -- of all its mailboxes
ALTER TABLE account ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN mailboxes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN max_messages INTEGER;
ALTER TABLE account ADD COLUMN max_bytes INTEGER;
ALTER TABLE account ADD COLUMN max_mailboxes INTEGER;

UPDATE account SET (messages, bytes, mailboxes) =
  (SELECT ifnull(sum(m.messages), 0), ifnull(sum(m.bytes), 0), count(*) FROM mailbox m WHERE m.account = account.id);
