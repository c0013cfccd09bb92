"""The dream: one consolidation run, from new episodes to a promoted adapter. `cycle.py` is the list of its steps."""
