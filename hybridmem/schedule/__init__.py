"""Dreams by the clock: which night is due, who dreams it, and what became of it."""
