"""Slow, obvious twins of the kernels: what the numbers mean, written so that nobody has to believe it."""
