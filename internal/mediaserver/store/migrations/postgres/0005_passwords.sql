-- Whether an account's holder has chosen its password, or somebody else gave it.

-- +goose Up
ALTER TABLE accounts ADD COLUMN password_chosen BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE accounts DROP COLUMN password_chosen;
