-- When a fact was said to end, and whether it takes the place of the slot's other values: from these follows what holds
-- when, so that what took a fact's place can go again. An older ledger kept the end alone that came of it.
ALTER TABLE facts ADD COLUMN stated_to BIGINT;
ALTER TABLE facts ADD COLUMN replaces BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE facts SET stated_to = valid_to WHERE superseded_by IS NULL;
-- Values that stand side by side replaced nothing; nor does what waits in quarantine.
UPDATE facts SET replaces = FALSE WHERE quarantined OR (retired_at IS NULL AND EXISTS (
    SELECT 1 FROM facts AS other
    WHERE other.namespace = facts.namespace AND other.slot = facts.slot AND other.id <> facts.id
        AND other.retired_at IS NULL AND NOT other.quarantined
));
-- What ends on a day to come is believed until then.
UPDATE facts SET retired_at = NULL WHERE superseded_by IS NOT NULL AND valid_to > retired_at;
