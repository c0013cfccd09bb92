"""Where an answer comes from: the weights, retrieval, both, or nowhere."""
