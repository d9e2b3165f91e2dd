-- What a use gave is kept with it: the invite may give something else by now. An empty role says that the use is from before
-- this was kept. A library is kept by its id alone, which it has no more when it is gone. A held invite lets nobody in for now.
-- Prior uses count though this database does not know them: it may have been put back to an earlier time.

-- +goose Up
ALTER TABLE invites ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE invites ADD COLUMN prior_uses BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invites ADD COLUMN last_used_by TEXT NOT NULL DEFAULT '';
UPDATE invites SET last_used_by = COALESCE(
    (SELECT account_id FROM invite_uses WHERE invite_id = invites.id ORDER BY seq DESC LIMIT 1), '');
ALTER TABLE invite_uses ADD COLUMN role TEXT NOT NULL DEFAULT '';
CREATE TABLE invite_use_libraries (
    use_seq    INTEGER NOT NULL REFERENCES invite_uses (seq) ON DELETE CASCADE,
    library_id TEXT    NOT NULL,
    position   INTEGER NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN ('viewer', 'admin')),
    PRIMARY KEY (use_seq, library_id)
);

-- +goose Down
DROP TABLE invite_use_libraries;
ALTER TABLE invite_uses DROP COLUMN role;
ALTER TABLE invites DROP COLUMN last_used_by;
ALTER TABLE invites DROP COLUMN prior_uses;
ALTER TABLE invites DROP COLUMN held;
