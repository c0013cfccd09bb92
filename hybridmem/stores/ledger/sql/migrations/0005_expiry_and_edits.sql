-- A memory may expire, a fact has metadata of its own, and a history tells what an edit changed, as JSON.
ALTER TABLE episodes ADD COLUMN expires_at BIGINT;
ALTER TABLE facts ADD COLUMN expires_at BIGINT;
ALTER TABLE facts ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE events ADD COLUMN changes TEXT;
-- Few memories expire: each search asks first whether one is due.
CREATE INDEX episodes_by_expiry ON episodes (namespace, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX facts_by_expiry ON facts (namespace, expires_at) WHERE expires_at IS NOT NULL;
