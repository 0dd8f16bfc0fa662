-- On Kubernetes: the last order that was given to this agent's controller, so that none is given twice.
--
-- Way back: DROP TABLE intent; DELETE FROM _sqlx_migrations WHERE version = 3; nothing else reads it.

CREATE TABLE intent (
    environment TEXT    PRIMARY KEY,
    id          TEXT    NOT NULL,           -- of the resource's spec.intent
    taken       INTEGER NOT NULL,           -- 0 where it was refused
    message     TEXT    NOT NULL            -- the release, or why it was refused
) STRICT;
