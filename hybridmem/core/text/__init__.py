"""What can be read off a text without a model: tokens, names, subjects, questions, the first person."""
