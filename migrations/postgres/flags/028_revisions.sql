-- Which service this is and how often its flags changed; names that were deleted; how often each variant was served.
--
-- Way back: stop every agent; DROP TABLE teal.feature_flag_service; DROP TABLE teal.feature_flag_tombstones;
-- DROP TABLE teal.feature_flag_exposures; DELETE FROM teal.schema_migrations WHERE version = 28. The next start makes it another
-- instance, which SDKs notice.

CREATE TABLE teal.feature_flag_service (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    instance TEXT    NOT NULL,                       -- random; another one after a restore
    revision BIGINT  NOT NULL,                       -- counts the changes of the instance
    flags    BIGINT  NOT NULL                        -- how many there are: a table that was emptied by hand is noticed
);

CREATE TABLE teal.feature_flag_tombstones (
    name     TEXT   COLLATE "C" PRIMARY KEY,
    revision BIGINT NOT NULL                         -- at which it was deleted
);

CREATE TABLE teal.feature_flag_exposures (
    flag        TEXT   COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    variant     TEXT   COLLATE "C" NOT NULL,         -- '' where the caller's default was served
    environment TEXT   COLLATE "C" NOT NULL,         -- '' where the application names none
    minute      TEXT   COLLATE "C" NOT NULL,         -- RFC 3339, UTC
    served      BIGINT NOT NULL,
    PRIMARY KEY (flag, version, variant, environment, minute)
);

CREATE INDEX feature_flag_exposures_minute ON teal.feature_flag_exposures (minute);
