-- Blocks are always in an agent's context: texts under a label, with a history of their own that outlives them without
-- its words. `characters` is the limit of the value.
CREATE TABLE blocks (
    namespace TEXT NOT NULL,
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    description TEXT NOT NULL,
    characters BIGINT NOT NULL,
    read_only BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, label)
);
CREATE TABLE block_events (
    namespace TEXT NOT NULL,
    label TEXT NOT NULL,
    number BIGINT NOT NULL,
    event TEXT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT,
    cause TEXT,
    changes TEXT,
    PRIMARY KEY (namespace, label, number)
);
-- A standing question with its answer; `statements` and `shown` (the ids it was read from) are JSON.
CREATE TABLE standing_questions (
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    question TEXT NOT NULL,
    statements TEXT NOT NULL,
    shown TEXT NOT NULL,
    read_by TEXT NOT NULL,
    answered_at BIGINT,
    position BIGINT NOT NULL,
    PRIMARY KEY (namespace, id)
);
-- A profile follows the changes of its own namespace alone.
CREATE INDEX outbox_by_namespace ON outbox (namespace, position);
