"""A training step without its GPU: memory, work, exchanges and waits of any config, on any machine."""
