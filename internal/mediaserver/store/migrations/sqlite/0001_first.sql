-- Times are whole microseconds since 1970 (0 or NULL: never). Names are stored as typed, and folded beside that for
-- comparing. Every table that is listed in pages has a sequence number, so that pages neither repeat nor miss rows.

-- +goose Up
CREATE TABLE server (
    singleton    INTEGER PRIMARY KEY CHECK (singleton = 1),
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    registration TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL
);

CREATE TABLE accounts (
    seq                  INTEGER PRIMARY KEY AUTOINCREMENT,
    id                   TEXT    NOT NULL UNIQUE,
    username             TEXT    NOT NULL,
    username_folded      TEXT    NOT NULL UNIQUE,
    email                TEXT,
    email_folded         TEXT    UNIQUE,
    display_name         TEXT    NOT NULL,
    role                 TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'member', 'guest')),
    disabled             BOOLEAN NOT NULL,
    must_change_password BOOLEAN NOT NULL,
    password_hash        TEXT    NOT NULL,
    access_all           BOOLEAN NOT NULL,
    created_at           BIGINT  NOT NULL,
    last_sign_in_at      BIGINT  NOT NULL DEFAULT 0
);

-- The database itself refuses a second owner.
CREATE UNIQUE INDEX accounts_one_owner ON accounts (role) WHERE role = 'owner';

CREATE TABLE sessions (
    token_hash TEXT   PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_account ON sessions (account_id);

CREATE TABLE libraries (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT    NOT NULL UNIQUE,
    name             TEXT    NOT NULL,
    type             TEXT    NOT NULL,
    emoji            TEXT    NOT NULL DEFAULT '',
    sharing_enabled  BOOLEAN NOT NULL,
    created_by       TEXT    REFERENCES accounts (id) ON DELETE SET NULL,
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL,
    scan_state       TEXT    NOT NULL CHECK (scan_state IN ('idle', 'running', 'failed')),
    scan_started_at  BIGINT  NOT NULL DEFAULT 0,
    scan_finished_at BIGINT  NOT NULL DEFAULT 0,
    scan_found       INTEGER NOT NULL DEFAULT 0,
    scan_skipped     INTEGER NOT NULL DEFAULT 0,
    scan_message     TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE library_paths (
    library_id TEXT    NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    path       TEXT    NOT NULL,
    PRIMARY KEY (library_id, position)
);

CREATE TABLE permissions (
    account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    library_id TEXT   NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    role       TEXT   NOT NULL CHECK (role IN ('viewer', 'admin')),
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, library_id)
);
CREATE INDEX permissions_library ON permissions (library_id);

-- No ON DELETE CASCADE here: a library that holds an item cannot be deleted.
CREATE TABLE items (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    library_id   TEXT    NOT NULL REFERENCES libraries (id),
    root         TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    title_folded TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    mime_type    TEXT    NOT NULL,
    size         BIGINT  NOT NULL,
    modified_at  BIGINT  NOT NULL,
    UNIQUE (library_id, root, path)
);
CREATE INDEX items_order ON items (library_id, path, id);

-- +goose Down
DROP TABLE items;
DROP TABLE permissions;
DROP TABLE library_paths;
DROP TABLE libraries;
DROP TABLE sessions;
DROP TABLE accounts;
DROP TABLE server;
