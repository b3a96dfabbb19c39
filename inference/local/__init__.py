"""The laptop stack: Redis, Triton and the routing transformer as local processes."""
