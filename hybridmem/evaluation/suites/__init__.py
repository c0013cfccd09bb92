"""The benchmarks, one file or folder each: what `hybridmem bench NAME` runs."""
