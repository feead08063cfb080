"""Capture: where data comes in, the only folder that knows file formats.

It lives inside other people's services, so it is quick to import and imports nothing of ours but errors and
documents.
"""
