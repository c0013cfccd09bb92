"""The ledger: the truth, as a protocol, in SQL and in memory."""
