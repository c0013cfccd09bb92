"""How an adapter is trained: examples, batches, schedule, trainer."""
