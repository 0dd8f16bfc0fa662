-- Feature flags, and who changed them. `STATE/flags.db`, a database of its own: it is restored without touching releases.
--
-- Way back: stop the agent and delete flags.db; SDKs keep the flags that they know, and say that the service is another one.

CREATE TABLE feature_flags (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,      -- never given twice
    name     TEXT    NOT NULL UNIQUE,
    version  INTEGER NOT NULL,                       -- counts this flag's changes, from 1
    revision INTEGER NOT NULL,                       -- of the service, at the last change
    flag     TEXT    NOT NULL                        -- JSON, teal_flags::model::Flag: docs/flags.md
) STRICT;

CREATE TABLE feature_flag_audit_log (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    flag_id   INTEGER NOT NULL,
    flag_name TEXT    NOT NULL,
    action    TEXT    NOT NULL CHECK (action IN ('create', 'update', 'delete')),
    revision  INTEGER NOT NULL,
    at        TEXT    NOT NULL,                      -- RFC 3339, UTC
    who       TEXT    NOT NULL,                      -- as the client says; '' where it does not
    ip        TEXT    NOT NULL,
    reason    TEXT    NOT NULL,                      -- '' where none is given
    before    TEXT,                                  -- JSON; NULL for a new flag
    after     TEXT                                   -- JSON; NULL for a deleted one
) STRICT;

CREATE INDEX feature_flag_audit_log_flag ON feature_flag_audit_log (flag_id, id);
CREATE INDEX feature_flag_audit_log_name ON feature_flag_audit_log (flag_name, id);

-- PhysioFlow's flags, under the ids that it knows.
WITH defaults (id, name, enabled, environments, description) AS (VALUES
    (1, 'bhyt_insurance_validation', json('true'), NULL, 'Check BHYT insurance cards'),
    (2, 'outcome_measures_tracking', json('true'), NULL, 'Track outcome measures'),
    (3, 'billing_integration', json('true'), NULL, 'Billing'),
    (4, 'clinical_protocols', json('true'), NULL, 'Clinical protocols'),
    (5, 'discharge_planning', json('true'), NULL, 'Discharge planning'),
    (6, 'vietnamese_medical_terms', json('true'), NULL, 'Vietnamese medical terms'),
    (7, 'advanced_reporting', json('false'), NULL, 'Advanced reporting'),
    (8, 'telehealth', json('false'), NULL, 'Telehealth'),
    (9, 'mobile_app_sync', json('false'), '["dev"]', 'Synchronisation of the mobile application'),
    (10, 'ai_treatment_suggestions', json('false'), '["dev"]', 'Suggestions for treatment'))
INSERT INTO feature_flags (id, name, version, revision, flag)
SELECT id, name, 1, 1, json_patch(
    json_object(
        'id', id, 'name', name, 'description', description, 'enabled', json(enabled), 'rollout_percentage', 100, 'version', 1,
        'created_at', strftime('%Y-%m-%dT%H:%M:%fZ'), 'updated_at', strftime('%Y-%m-%dT%H:%M:%fZ')),
    json_object('environments', json(environments)))
FROM defaults ORDER BY id;

INSERT INTO feature_flag_audit_log (flag_id, flag_name, action, revision, at, who, ip, reason, before, after)
SELECT id, name, 'create', 1, strftime('%Y-%m-%dT%H:%M:%fZ'), 'teal', '', 'one of the default flags', NULL, flag FROM feature_flags ORDER BY id;
