"""Importing: what is known of models elsewhere, and what was filled in by itself."""
