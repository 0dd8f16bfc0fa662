-- Which variants were served where, and when first and last: what the report of stale flags is made of. Which reports were counted.
--
-- Way back: stop every agent; DROP TABLE teal.feature_flag_asked; DROP TABLE teal.feature_flag_reporters;
-- DELETE FROM teal.schema_migrations WHERE version = 31. A report that comes again is counted again then.

CREATE TABLE teal.feature_flag_asked (
    flag        TEXT COLLATE "C" NOT NULL,
    variant     TEXT COLLATE "C" NOT NULL,           -- '' where the caller's default was served, '(other)' for one it never had
    environment TEXT COLLATE "C" NOT NULL,           -- '' where the application names none, '(other)' for one too many
    first_asked TEXT COLLATE "C" NOT NULL,           -- a minute, RFC 3339, UTC
    last_asked  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (flag, variant, environment)
);

CREATE INDEX feature_flag_asked_environment ON teal.feature_flag_asked (environment);

INSERT INTO teal.feature_flag_asked (flag, variant, environment, first_asked, last_asked)
SELECT flag, variant, environment, MIN(minute), MAX(minute)
FROM teal.feature_flag_exposures GROUP BY flag, variant, environment;

CREATE TABLE teal.feature_flag_reporters (
    reporter TEXT   COLLATE "C" PRIMARY KEY,         -- random, of one process of an application: its reports' ids without their number
    number   BIGINT NOT NULL,                        -- of its last report that was counted
    at       TEXT   COLLATE "C" NOT NULL             -- when it was, RFC 3339, UTC
);

CREATE INDEX feature_flag_reporters_at ON teal.feature_flag_reporters (at);
