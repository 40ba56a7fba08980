-- Messages that came as internationalized ones (SMTPUTF8) also have a form for
-- clients that know nothing of such (RFC 6858): the stored bytes with edits.

-- +goose Up

-- size          octets of that form
-- edits         what is put in place of which bytes (message.AppendEdits)
-- crc           CRC-32C of edits
CREATE TABLE message_utf8 (
  message INTEGER PRIMARY KEY,
  size    INTEGER NOT NULL,
  edits   BLOB NOT NULL,
  crc     INTEGER NOT NULL
) STRICT;
