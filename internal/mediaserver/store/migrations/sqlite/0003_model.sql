-- The whole access model, and what the media half needs. A time of 0 means never, as everywhere.

-- +goose Up
ALTER TABLE libraries ADD COLUMN personal BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE libraries ADD COLUMN face_recognition BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE libraries ADD COLUMN object_detection BOOLEAN NOT NULL DEFAULT FALSE;
-- Which server scans the library, and until when that is to be believed; whether a scan was asked for meanwhile; and
-- how many files the scan that runs has seen so far.
ALTER TABLE libraries ADD COLUMN scan_holder TEXT NOT NULL DEFAULT '';
ALTER TABLE libraries ADD COLUMN scan_lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE libraries ADD COLUMN scan_wanted BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE libraries ADD COLUMN scan_seen BIGINT NOT NULL DEFAULT 0;
-- Each account has one personal library at most; that it has one is for the program to see to.
CREATE UNIQUE INDEX libraries_one_personal ON libraries (created_by) WHERE personal;
-- A library has exactly one owner: where who made it is gone, that is the server's owner.
UPDATE libraries SET created_by = (SELECT id FROM accounts WHERE role = 'owner') WHERE created_by IS NULL;

ALTER TABLE sessions ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
-- A session from before has no id to revoke it by: it ends, and its holder signs in again.
DELETE FROM sessions;
CREATE UNIQUE INDEX sessions_id ON sessions (id);

-- Roles of the server's own, as sets of pairs. Who has one is stored as a guest besides: whatever overlooks this table
-- gives too little, not too much.
CREATE TABLE roles (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    name_folded TEXT    NOT NULL UNIQUE,
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL
);
CREATE TABLE role_permissions (
    role_id   TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    resource  TEXT NOT NULL CHECK (resource IN ('libraries', 'books', 'series', 'people', 'users', 'jobs', 'config')),
    operation TEXT NOT NULL CHECK (operation IN ('read', 'write')),
    PRIMARY KEY (role_id, resource, operation)
);
-- No ON DELETE CASCADE from roles: a role that somebody has cannot be deleted.
CREATE TABLE account_roles (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    role_id    TEXT NOT NULL REFERENCES roles (id)
);
CREATE INDEX account_roles_role ON account_roles (role_id);

-- Invites that a library issued, which its admins see.
CREATE TABLE library_invites (
    invite_id  TEXT PRIMARY KEY REFERENCES invites (id) ON DELETE CASCADE,
    library_id TEXT NOT NULL REFERENCES libraries (id) ON DELETE CASCADE
);
CREATE INDEX library_invites_library ON library_invites (library_id);

-- Who did what. It outlives accounts and libraries, so it points at nothing. details is a JSON object without secrets.
CREATE TABLE audit_log (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    at          BIGINT  NOT NULL,
    action      TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    actor_name  TEXT    NOT NULL,
    target_type TEXT    NOT NULL,
    target_id   TEXT    NOT NULL,
    target_name TEXT    NOT NULL,
    client      TEXT    NOT NULL,
    details     TEXT    NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at);

-- Tries at signing in and the like, by the hash of who tries: when the bucket is full again, in microseconds.
CREATE TABLE rate_limits (
    key_hash TEXT   PRIMARY KEY,
    full_at  BIGINT NOT NULL
);
CREATE INDEX rate_limits_full ON rate_limits (full_at);

-- What scans read from the files. Empty and 0 mean unknown. An item in the trash is in no list; it still fills its
-- library, and stays in the trash while its file stays.
ALTER TABLE items ADD COLUMN added_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN trashed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN edited BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE items ADD COLUMN metadata_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN metadata_problem TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN creator_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN series TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN series_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN series_position TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN album TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN disc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN track INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN year INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN publisher TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN identifier TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN duration_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN artwork_id TEXT NOT NULL DEFAULT '';
CREATE INDEX items_added ON items (added_at, id);

-- Pictures, by the hash of their bytes, so that a hundred tracks of an album share one.
CREATE TABLE artwork (
    id        TEXT   PRIMARY KEY,
    mime_type TEXT   NOT NULL,
    data      BLOB   NOT NULL
);

CREATE TABLE watch_progress (
    account_id  TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    item_id     TEXT    NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    position_ms BIGINT  NOT NULL,
    duration_ms BIGINT  NOT NULL,
    finished    BOOLEAN NOT NULL,
    updated_at  BIGINT  NOT NULL,
    PRIMARY KEY (account_id, item_id)
);
CREATE INDEX watch_progress_recent ON watch_progress (account_id, updated_at);

-- Public links to one item each. Of the token in the link only the hash is stored.
CREATE TABLE share_links (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    token_sha256 TEXT    NOT NULL UNIQUE,
    item_id      TEXT    NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    created_by   TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    expires_at   BIGINT
);
CREATE INDEX share_links_item ON share_links (item_id);

-- +goose Down
DROP TABLE share_links;
DROP TABLE watch_progress;
DROP TABLE artwork;
DROP INDEX items_added;
ALTER TABLE items DROP COLUMN artwork_id;
ALTER TABLE items DROP COLUMN duration_ms;
ALTER TABLE items DROP COLUMN identifier;
ALTER TABLE items DROP COLUMN description;
ALTER TABLE items DROP COLUMN publisher;
ALTER TABLE items DROP COLUMN language;
ALTER TABLE items DROP COLUMN year;
ALTER TABLE items DROP COLUMN track;
ALTER TABLE items DROP COLUMN disc;
ALTER TABLE items DROP COLUMN album;
ALTER TABLE items DROP COLUMN series_position;
ALTER TABLE items DROP COLUMN series_folded;
ALTER TABLE items DROP COLUMN series;
ALTER TABLE items DROP COLUMN creator_folded;
ALTER TABLE items DROP COLUMN creator;
ALTER TABLE items DROP COLUMN metadata_problem;
ALTER TABLE items DROP COLUMN metadata_version;
ALTER TABLE items DROP COLUMN edited;
ALTER TABLE items DROP COLUMN trashed_at;
ALTER TABLE items DROP COLUMN added_at;
DROP TABLE rate_limits;
DROP TABLE audit_log;
DROP TABLE library_invites;
DROP TABLE account_roles;
DROP TABLE role_permissions;
DROP TABLE roles;
DROP INDEX sessions_id;
ALTER TABLE sessions DROP COLUMN user_agent;
ALTER TABLE sessions DROP COLUMN client;
ALTER TABLE sessions DROP COLUMN id;
DROP INDEX libraries_one_personal;
-- Personal libraries mean nothing to the program from before, and must not become libraries that admins see.
DELETE FROM items WHERE library_id IN (SELECT id FROM libraries WHERE personal);
DELETE FROM libraries WHERE personal;
ALTER TABLE libraries DROP COLUMN scan_seen;
ALTER TABLE libraries DROP COLUMN scan_wanted;
ALTER TABLE libraries DROP COLUMN scan_lease_until;
ALTER TABLE libraries DROP COLUMN scan_holder;
ALTER TABLE libraries DROP COLUMN object_detection;
ALTER TABLE libraries DROP COLUMN face_recognition;
ALTER TABLE libraries DROP COLUMN personal;
