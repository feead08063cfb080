"""Baselines: what the training data looked like, and what live data is held to.

Values and the functions that build or render them. Nothing here reads a file, a clock or the network; only
:mod:`driftline.baselines.profile` reaches the kernels.
"""
