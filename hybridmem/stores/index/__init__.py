"""Vector, full-text and graph indexes, all derived from the ledger, and what keeps them in step with it."""
