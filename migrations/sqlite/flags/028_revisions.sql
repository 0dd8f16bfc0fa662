-- Which service this is and how often its flags changed; names that were deleted; how often each variant was served.
--
-- Way back: stop the agent; DROP TABLE feature_flag_service; DROP TABLE feature_flag_tombstones; DROP TABLE feature_flag_exposures;
-- DELETE FROM _sqlx_migrations WHERE version = 28. The next start makes it another instance, which SDKs notice.

CREATE TABLE feature_flag_service (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    instance TEXT    NOT NULL,                       -- random; another one after a restore
    revision INTEGER NOT NULL,                       -- counts the changes of the instance
    flags    INTEGER NOT NULL                        -- how many there are: a table that was emptied by hand is noticed
) STRICT;

CREATE TABLE feature_flag_tombstones (
    name     TEXT    PRIMARY KEY,
    revision INTEGER NOT NULL                        -- at which it was deleted
) STRICT;

CREATE TABLE feature_flag_exposures (
    flag        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    variant     TEXT    NOT NULL,                    -- '' where the caller's default was served
    environment TEXT    NOT NULL,                    -- '' where the application names none
    minute      TEXT    NOT NULL,                    -- RFC 3339, UTC
    served      INTEGER NOT NULL,
    PRIMARY KEY (flag, version, variant, environment, minute)
) STRICT;

CREATE INDEX feature_flag_exposures_minute ON feature_flag_exposures (minute);
