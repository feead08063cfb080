"""Benchmarks: whole processes in turn, kernels, and how exact the answers are. ``python -m benchmarks --help``."""
