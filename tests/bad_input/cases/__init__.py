"""The manifest: every case by its class and name."""

from __future__ import annotations

import importlib

__all__ = ["ALL", "CLASSES"]

CLASSES = (
    "parquet",
    "text",
    "jsonl",
    "gzip",
    "columns",
    "values",
    "captures",
    "paths",
    "baselines",
    "configs",
    "documents",
    "options",
    "preprocessors",
    "outputs",
)
ALL = {
    f"{kind}/{case.name}": case
    for kind in CLASSES
    for case in importlib.import_module(f"bad_input.cases.{kind}").CASES
}
