"""One file a strategy; each sets `STRATEGY`."""
