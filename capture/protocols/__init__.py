"""Protocols: how others write down what a model saw and answered, one file for each."""
