-- Who answers for an invite: who made it, or changed it last. Of one from before this was kept, the audit log knows; else it is
-- the server's owner. An id that an account has had is given to no other. A mail address that its holder wrote proves nothing about who they are.

-- +goose Up
ALTER TABLE invites ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
UPDATE invites SET created_by = COALESCE(
    (SELECT actor_id FROM audit_log WHERE action = 'invite.create' AND target_id = invites.id ORDER BY seq LIMIT 1),
    (SELECT id FROM accounts WHERE role = 'owner'), '');
CREATE TABLE former_accounts (
    id TEXT PRIMARY KEY
);
INSERT INTO former_accounts (id) SELECT DISTINCT target_id FROM audit_log
    WHERE action = 'user.delete' AND target_id NOT IN (SELECT id FROM accounts);
ALTER TABLE accounts ADD COLUMN email_chosen BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE accounts SET email_chosen = TRUE WHERE id IN (SELECT target_id FROM audit_log
    WHERE action = 'user.register' OR (action = 'user.update' AND actor_id = target_id));

-- +goose Down
ALTER TABLE accounts DROP COLUMN email_chosen;
DROP TABLE former_accounts;
ALTER TABLE invites DROP COLUMN created_by;
