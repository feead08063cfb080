"""Bias: recipe and job."""
