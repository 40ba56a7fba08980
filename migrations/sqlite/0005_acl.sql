-- Who has rights on the mailboxes of others (RFC 4314). grantee is an account,
-- 0 for anyone. rights are bits, a bit for each letter of lrswipkxtea; denied
-- are those taken away again. Owners have all rights and no row.

-- +goose Up

CREATE TABLE acl (
  mailbox INTEGER NOT NULL,
  grantee INTEGER NOT NULL,
  rights  INTEGER NOT NULL,
  denied  INTEGER NOT NULL,
  PRIMARY KEY (mailbox, grantee)
) STRICT, WITHOUT ROWID;
CREATE INDEX acl_grantee ON acl (grantee, mailbox);
