"""Dreams by the clock: which night is due, which scheduler runs it, and how it ended."""
