"""Recipes: which States to fold, which Checks to run, which Constraints to propose."""
