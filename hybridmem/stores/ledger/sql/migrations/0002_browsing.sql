-- The timeline reads episodes by the time at which they were said, latest first, and counts them by day.
CREATE INDEX episodes_by_time ON episodes (namespace, at, position);
