-- What an agent remembers of its environments' releases.
--
-- Way back: stop the agent and delete the file; the agent then starts from what the edges show (map file and
-- running map) and knows no history and no baseline.

CREATE TABLE environment (
    name       TEXT    PRIMARY KEY,
    revision   INTEGER NOT NULL,            -- written with compare-and-swap
    document   TEXT    NOT NULL,            -- JSON, teal_rollout::document::Document
    updated_at TEXT    NOT NULL
) STRICT;

CREATE TABLE checkpoint (
    environment TEXT PRIMARY KEY,
    checkpoint  TEXT NOT NULL               -- JSON, teal_rollout::document::Checkpoint
) STRICT;

CREATE TABLE baseline (
    environment TEXT NOT NULL,
    component   TEXT NOT NULL,
    baseline    TEXT NOT NULL,              -- JSON, teal_rollout::statistics::Baseline: counts by minute, no request
    PRIMARY KEY (environment, component)
) STRICT;

CREATE TABLE journal (
    environment TEXT    NOT NULL,
    seq         INTEGER NOT NULL,           -- rises by one for each entry of the environment
    release     INTEGER NOT NULL,
    at          TEXT    NOT NULL,           -- RFC 3339, UTC
    kind        TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    data        TEXT    NOT NULL,           -- JSON object
    PRIMARY KEY (environment, seq)
) STRICT;

CREATE INDEX journal_release ON journal (environment, release, seq);

CREATE TABLE release (
    environment TEXT    NOT NULL,
    id          INTEGER NOT NULL,
    record      TEXT    NOT NULL,           -- JSON: who, from, to, started, ended, outcome, cause, judgements
    PRIMARY KEY (environment, id)
) STRICT;
