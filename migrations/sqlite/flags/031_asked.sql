-- Which variants were served where, and when first and last: what the report of stale flags is made of. Which reports were counted.
--
-- Way back: stop the agent; DROP TABLE feature_flag_asked; DROP TABLE feature_flag_reporters;
-- DELETE FROM _sqlx_migrations WHERE version = 31. A report that comes again is counted again then.

CREATE TABLE feature_flag_asked (
    flag        TEXT NOT NULL,
    variant     TEXT NOT NULL,                       -- '' where the caller's default was served, '(other)' for one it never had
    environment TEXT NOT NULL,                       -- '' where the application names none, '(other)' for one too many
    first_asked TEXT NOT NULL,                       -- a minute, RFC 3339, UTC
    last_asked  TEXT NOT NULL,
    PRIMARY KEY (flag, variant, environment)
) STRICT;

CREATE INDEX feature_flag_asked_environment ON feature_flag_asked (environment);

INSERT INTO feature_flag_asked (flag, variant, environment, first_asked, last_asked)
SELECT flag, variant, environment, MIN(minute), MAX(minute) FROM feature_flag_exposures GROUP BY flag, variant, environment;

CREATE TABLE feature_flag_reporters (
    reporter TEXT    PRIMARY KEY,                    -- random, of one process of an application: its reports' ids without their number
    number   INTEGER NOT NULL,                       -- of its last report that was counted
    at       TEXT    NOT NULL                        -- when it was, RFC 3339, UTC
) STRICT;

CREATE INDEX feature_flag_reporters_at ON feature_flag_reporters (at);
