"""The evaluation card of a language model, and what it is made of."""
