-- Tokens, who made and revoked them, and how often that was.
--
-- Way back: stop the agent; DROP TABLE feature_flag_tokens; DROP TABLE feature_flag_token_audit_log;
-- ALTER TABLE feature_flag_service DROP COLUMN tokens;
-- DELETE FROM _sqlx_migrations WHERE version = 29. An older agent lets in whoever is on its machine.

CREATE TABLE feature_flag_tokens (
    id              TEXT    PRIMARY KEY,             -- the public part of the token
    digest          TEXT    NOT NULL,                -- SHA-256 of its secret, hexadecimal
    name            TEXT    NOT NULL,                -- unique among those that are not revoked
    roles           TEXT    NOT NULL,                -- as in 'sdk, viewer'
    environments    TEXT    NOT NULL,                -- JSON list; '[]' for all
    may_name_people INTEGER NOT NULL,                -- 0 or 1
    created_at      TEXT    NOT NULL,                -- RFC 3339, UTC, here and below
    expires_at      TEXT,                            -- NULL: until it is revoked
    revoked_at      TEXT,
    last_used_at    TEXT                             -- to the minute
) STRICT;

CREATE TABLE feature_flag_token_audit_log (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id   TEXT    NOT NULL,
    token_name TEXT    NOT NULL,
    action     TEXT    NOT NULL CHECK (action IN ('create', 'revoke')),
    at         TEXT    NOT NULL,
    who        TEXT    NOT NULL,
    ip         TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    roles      TEXT    NOT NULL,                     -- what the token may do
    environments TEXT  NOT NULL
) STRICT;

ALTER TABLE feature_flag_service ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;      -- counts the changes of tokens
