-- An invite's code is a secret: only its SHA-256 is stored. NULL in expires_at means never, and any number a time, 1970
-- included. The uses stay counted when the account is deleted: its id, name and address are kept as they were.

-- +goose Up
CREATE TABLE invites (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    code_sha256  TEXT    NOT NULL UNIQUE,
    role         TEXT    NOT NULL CHECK (role IN ('editor', 'member', 'guest')),
    max_uses     BIGINT  CHECK (max_uses >= 1),
    use_count    BIGINT  NOT NULL DEFAULT 0 CHECK (use_count >= 0),
    expires_at   BIGINT,
    revoked      BOOLEAN NOT NULL,
    email        TEXT,
    inviter_name TEXT    NOT NULL,
    welcome      TEXT    NOT NULL DEFAULT '',
    reference    TEXT    NOT NULL DEFAULT '',
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL
);

CREATE TABLE invite_libraries (
    invite_id  TEXT    NOT NULL REFERENCES invites (id) ON DELETE CASCADE,
    library_id TEXT    NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN ('viewer', 'admin')),
    PRIMARY KEY (invite_id, library_id)
);
CREATE INDEX invite_libraries_library ON invite_libraries (library_id);

CREATE TABLE invite_uses (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    invite_id    TEXT    NOT NULL REFERENCES invites (id) ON DELETE CASCADE,
    account_id   TEXT    NOT NULL,
    username     TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    email        TEXT,
    registered   BOOLEAN NOT NULL,
    used_at      BIGINT  NOT NULL,
    UNIQUE (invite_id, account_id)
);

-- +goose Down
DROP TABLE invite_uses;
DROP TABLE invite_libraries;
DROP TABLE invites;
