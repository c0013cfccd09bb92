"""``hybridmem demo``: the whole story on a small log, and a number for every claim."""
