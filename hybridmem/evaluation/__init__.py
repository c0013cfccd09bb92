"""Benchmarks: what was learned, what was forgotten, and the reports that show it. Nothing below imports from here."""
