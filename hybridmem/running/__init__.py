"""Memory in the running state: what changes while a model reads, and is gone when the session ends."""
