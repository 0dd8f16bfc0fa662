-- The evidence of a release over time, for `teal explain`. Only the newest releases have one.
--
-- Way back: DROP TABLE timeline; DELETE FROM _sqlx_migrations WHERE version = 2; nothing else reads it.

CREATE TABLE timeline (
    environment TEXT    NOT NULL,
    release     INTEGER NOT NULL,
    timeline    TEXT    NOT NULL,           -- JSON: points of counts and log M, a few hundred a component; probes
    PRIMARY KEY (environment, release)
) STRICT;
