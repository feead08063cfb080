"""Where in a TOML text its keys stand: see :func:`driftline.toml.lines_of`."""

from driftline.toml import lines_of

__all__ = ["lines_of"]
