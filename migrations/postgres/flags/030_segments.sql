-- Segments: groups of users that several flags share, with their own tombstones, in the same audit log.
--
-- Way back: stop every agent; DROP TABLE teal.feature_flag_segments; DROP TABLE teal.feature_flag_segment_tombstones;
-- ALTER TABLE teal.feature_flag_service DROP COLUMN segments; DELETE FROM teal.feature_flag_audit_log WHERE segment IS NOT NULL;
-- ALTER TABLE teal.feature_flag_audit_log DROP COLUMN segment; DELETE FROM teal.schema_migrations WHERE version = 30. Flags with
-- rules on segments have to be changed before.

CREATE TABLE teal.feature_flag_segments (
    name     TEXT   COLLATE "C" PRIMARY KEY,
    version  BIGINT NOT NULL,                        -- counts this segment's changes, from 1
    revision BIGINT NOT NULL,                        -- of the service, at the last change
    segment  TEXT   NOT NULL                         -- JSON, teal_flags::model::Segment: docs/flags.md
);

CREATE TABLE teal.feature_flag_segment_tombstones (
    name     TEXT   COLLATE "C" PRIMARY KEY,
    revision BIGINT NOT NULL                         -- at which it was deleted
);

-- How many there are: a table that was emptied by hand is noticed.
ALTER TABLE teal.feature_flag_service ADD COLUMN segments BIGINT NOT NULL DEFAULT 0;

-- The segment that was changed, with a flag_id of 0 and no flag_name; NULL where it was a flag.
ALTER TABLE teal.feature_flag_audit_log ADD COLUMN segment TEXT COLLATE "C";

CREATE INDEX feature_flag_audit_log_segment ON teal.feature_flag_audit_log (segment, id);
