"""Adapters on disk: their cards, their versions, and the checks before one enters a model."""
