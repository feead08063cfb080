"""Capture: where data comes in, the only folder that knows file formats.

It lives inside other people's services, so it is quick to import and imports nothing of ours but errors and
documents.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftline.capture.captures import Captures, Limits
    from driftline.capture.middleware import Middleware
    from driftline.capture.recorder import Recorder, log

_HOMES = {
    "Captures": "driftline.capture.captures",
    "Limits": "driftline.capture.captures",
    "Middleware": "driftline.capture.middleware",
    "Recorder": "driftline.capture.recorder",
    "log": "driftline.capture.recorder",
}

__all__ = ["Captures", "Limits", "Middleware", "Recorder", "log"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'driftline.capture' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
