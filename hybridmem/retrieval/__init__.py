"""Search: candidates from dense, lexical and graph indexes, fused into one ranking that can say why."""
