"""Answers over many memories, with citations that were checked against what was shown."""
