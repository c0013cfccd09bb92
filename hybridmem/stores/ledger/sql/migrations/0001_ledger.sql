-- The ledger as it first was. SQLite and PostgreSQL read the same text: times are microseconds since 1970 in UTC,
-- JSON is text, and `slot` is a digest, so that a long subject fits every index.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('position', 0), ('scrub', 0);

CREATE TABLE episodes (
    id TEXT NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    position BIGINT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    role TEXT NOT NULL,
    speaker TEXT,
    session TEXT,
    at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    source TEXT NOT NULL,
    trust TEXT NOT NULL,
    quarantined BOOLEAN NOT NULL,
    superseded_by TEXT,
    metadata TEXT NOT NULL,
    extracted BOOLEAN NOT NULL
);
CREATE INDEX episodes_by_position ON episodes (namespace, position);
CREATE INDEX episodes_by_session ON episodes (namespace, session, position) WHERE session IS NOT NULL;
CREATE INDEX episodes_by_extraction ON episodes (namespace, extracted, position);

CREATE TABLE facts (
    id TEXT NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    position BIGINT NOT NULL UNIQUE,
    slot TEXT NOT NULL,
    subject TEXT NOT NULL,
    relation TEXT NOT NULL,
    object TEXT NOT NULL,
    text TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    recorded_at BIGINT NOT NULL,
    retired_at BIGINT,
    superseded_by TEXT,
    evidence BIGINT NOT NULL,
    trust TEXT NOT NULL,
    quarantined BOOLEAN NOT NULL
);
CREATE INDEX facts_by_position ON facts (namespace, position);
CREATE INDEX facts_by_slot ON facts (namespace, slot);

CREATE TABLE fact_sources (
    fact TEXT NOT NULL REFERENCES facts (id) ON DELETE CASCADE,
    episode TEXT NOT NULL REFERENCES episodes (id),
    number BIGINT NOT NULL,
    PRIMARY KEY (fact, episode)
);
CREATE INDEX fact_sources_by_episode ON fact_sources (episode);

-- An erased memory keeps its events, without their texts: there is no foreign key.
CREATE TABLE events (
    memory TEXT NOT NULL,
    number BIGINT NOT NULL,
    namespace TEXT NOT NULL,
    event TEXT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT,
    cause TEXT,
    PRIMARY KEY (memory, number)
);

-- One row a memory, moved to the end when it changes: the outbox never needs pruning.
CREATE TABLE outbox (
    memory TEXT NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    position BIGINT NOT NULL,
    operation TEXT NOT NULL
);
CREATE INDEX outbox_by_position ON outbox (position);

CREATE TABLE consumers (
    name TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

CREATE TABLE uses (
    memory TEXT NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    times BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

CREATE TABLE training_items (
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    position BIGINT NOT NULL,
    fact TEXT NOT NULL REFERENCES facts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    context TEXT NOT NULL,
    split TEXT NOT NULL,
    PRIMARY KEY (namespace, id)
);
CREATE INDEX training_items_by_fact ON training_items (fact);

CREATE TABLE adapters (
    namespace TEXT NOT NULL,
    version TEXT NOT NULL,
    position BIGINT NOT NULL,
    base TEXT NOT NULL,
    base_sha256 TEXT NOT NULL,
    parent TEXT,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    dream TEXT NOT NULL,
    scores TEXT NOT NULL,
    files TEXT NOT NULL,
    PRIMARY KEY (namespace, version)
);

CREATE TABLE adapter_facts (
    namespace TEXT NOT NULL,
    version TEXT NOT NULL,
    fact TEXT NOT NULL,
    number BIGINT NOT NULL,
    tainted BOOLEAN NOT NULL,
    PRIMARY KEY (namespace, version, fact),
    FOREIGN KEY (namespace, version) REFERENCES adapters (namespace, version) ON DELETE CASCADE
);
CREATE INDEX adapter_facts_by_fact ON adapter_facts (fact);

CREATE TABLE activations (
    namespace TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    version TEXT,
    PRIMARY KEY (namespace, number)
);

CREATE TABLE audits (
    namespace TEXT NOT NULL,
    adapter TEXT NOT NULL,
    fact TEXT NOT NULL,
    split TEXT NOT NULL,
    questions BIGINT NOT NULL,
    correct BIGINT NOT NULL,
    PRIMARY KEY (namespace, adapter, fact, split)
);
CREATE INDEX audits_by_fact ON audits (fact);

CREATE TABLE dreams (
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    position BIGINT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (namespace, id)
);

CREATE TABLE small_state (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
);
