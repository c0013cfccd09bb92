"""Published benchmarks of long conversations, read from the public files that the user has."""
