"""The ledger in dictionaries: the plainest twin, which the SQL ledger must agree with."""
