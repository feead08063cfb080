"""driftline watches machine-learning models in production and keeps their governance record.

The short public API. Everything is loaded on first use, so that importing :mod:`driftline` costs a few
milliseconds and neither NumPy nor pandas is touched before there is data to read.

Examples
--------
>>> import driftline as dl
>>> dl.__version__
'0.1.0'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from driftline import capture
    from driftline.api import baseline, check, diff, load_baseline, load_report, profile
    from driftline.baselines.baseline import Baseline
    from driftline.errors import DriftlineError
    from driftline.reports.report import Report
    from driftline.workspace import Workspace, apply

_HOMES = {
    "Baseline": "driftline.baselines.baseline",
    "DriftlineError": "driftline.errors",
    "Report": "driftline.reports.report",
    "Workspace": "driftline.workspace",
    "apply": "driftline.workspace",
    "baseline": "driftline.api",
    "capture": "driftline",
    "check": "driftline.api",
    "diff": "driftline.api",
    "load_baseline": "driftline.api",
    "load_report": "driftline.api",
    "profile": "driftline.api",
}

__all__ = [
    "Baseline",
    "DriftlineError",
    "Report",
    "Workspace",
    "__version__",
    "apply",
    "baseline",
    "capture",
    "check",
    "diff",
    "load_baseline",
    "load_report",
    "profile",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'driftline' has no attribute {name!r}")
    value = (
        importlib.import_module(f"{home}.{name}")
        if home == __name__
        else getattr(importlib.import_module(home), name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
