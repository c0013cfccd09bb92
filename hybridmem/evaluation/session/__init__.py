"""What a model answers about a session that it has read, by every way of keeping one."""
