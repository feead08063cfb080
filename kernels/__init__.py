"""Kernels: arrays in, numbers out. Nothing here knows a column name, a file or a clock."""
