"""Where memories lie: the ledger is the truth; the vector, full-text and graph indexes are rebuilt from it."""
