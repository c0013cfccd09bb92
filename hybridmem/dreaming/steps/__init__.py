"""The steps of a dream, one file each."""
