-- A fact that came of a proposition has the question that its object answers; its slot is that question.
ALTER TABLE facts ADD COLUMN question TEXT NOT NULL DEFAULT '';
