-- Every durable write counts on: what was read at one revision holds until the next.
INSERT INTO counters (name, value) VALUES ('revision', 0);
