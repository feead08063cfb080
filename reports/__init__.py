"""Reports: what was judged, how, and why, as values and as documents people and programs read.

Renderers return text; they save nothing.
"""
