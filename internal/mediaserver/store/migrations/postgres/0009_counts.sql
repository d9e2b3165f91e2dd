-- How much a library holds is counted in an index alone.

-- +goose Up
CREATE INDEX items_counted ON items (library_id, trashed_at);

-- +goose Down
DROP INDEX items_counted;
