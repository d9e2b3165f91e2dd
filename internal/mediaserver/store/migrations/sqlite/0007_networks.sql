-- The networks that somebody has signed in from: tries at the account from elsewhere do not count there.

-- +goose Up
CREATE TABLE known_networks (
    account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    network    TEXT   NOT NULL,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, network)
);

-- +goose Down
DROP TABLE known_networks;
