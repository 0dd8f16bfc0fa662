-- Segments: groups of users that several flags share, with their own tombstones, in the same audit log.
--
-- Way back: stop the agent; DROP TABLE feature_flag_segments; DROP TABLE feature_flag_segment_tombstones;
-- ALTER TABLE feature_flag_service DROP COLUMN segments; DELETE FROM feature_flag_audit_log WHERE segment IS NOT NULL;
-- DROP INDEX feature_flag_audit_log_segment; ALTER TABLE feature_flag_audit_log DROP COLUMN segment;
-- DELETE FROM _sqlx_migrations WHERE version = 30. Flags with rules on segments have to be changed before.

CREATE TABLE feature_flag_segments (
    name     TEXT    PRIMARY KEY,
    version  INTEGER NOT NULL,                       -- counts this segment's changes, from 1
    revision INTEGER NOT NULL,                       -- of the service, at the last change
    segment  TEXT    NOT NULL                        -- JSON, teal_flags::model::Segment: docs/flags.md
) STRICT;

CREATE TABLE feature_flag_segment_tombstones (
    name     TEXT    PRIMARY KEY,
    revision INTEGER NOT NULL                        -- at which it was deleted
) STRICT;

-- How many there are: a table that was emptied by hand is noticed.
ALTER TABLE feature_flag_service ADD COLUMN segments INTEGER NOT NULL DEFAULT 0;

-- The segment that was changed, with a flag_id of 0 and no flag_name; NULL where it was a flag.
ALTER TABLE feature_flag_audit_log ADD COLUMN segment TEXT;

CREATE INDEX feature_flag_audit_log_segment ON feature_flag_audit_log (segment, id);
