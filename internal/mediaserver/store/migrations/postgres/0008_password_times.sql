-- When an account's password was last set; 0 for one that was set before this was kept.

-- +goose Up
ALTER TABLE accounts ADD COLUMN password_set_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE accounts DROP COLUMN password_set_at;
