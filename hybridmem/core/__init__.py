"""Values that every part passes around: errors, records, namespaces, the clock, text."""
