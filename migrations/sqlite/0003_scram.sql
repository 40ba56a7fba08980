-- Keys for SCRAM (RFC 5802, RFC 7677) beside the password hashes.

-- +goose Up

-- Salts of names that nobody has are made with this, so that they stay.
INSERT INTO store (key, value) VALUES ('scram_secret', randomblob(32));

-- One salt and count for all credentials of an account: a client is told them
-- before it has shown which password it has. NULL: no credential has keys.
ALTER TABLE account ADD COLUMN scram_salt BLOB;
ALTER TABLE account ADD COLUMN scram_iterations INTEGER;

-- StoredKey and ServerKey, one after the other, under the account's salt.
ALTER TABLE credential ADD COLUMN scram_sha256 BLOB;
ALTER TABLE credential ADD COLUMN scram_sha1 BLOB;
