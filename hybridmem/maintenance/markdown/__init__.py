"""A memory as a folder of Markdown that a person reads and edits, and the person's edits back into the memory."""
