"""What can be read off a text without a model: tokens, names, the first person."""
