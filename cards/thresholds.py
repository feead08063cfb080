"""Thresholds: which bounds a monitor holds a model to, and who says so. They are rows of the post-market plan.

Three say: the configuration of the schedule, the constraints of the baseline, and what is built in where neither speaks.
The last word is the configuration's, so its rows come first.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from driftline.baselines.constraint import MonitoringConfig, Settings
from driftline.baselines.metrics import checks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from driftline.baselines.constraint import Constraints

__all__ = ["MOST", "built_in", "from_baseline", "from_configuration", "in_force"]

MOST: Final = 200
"""So many rows of one monitor are listed; the others are counted."""

_SAID: Final = ("enabled", "bound", "low", "high", "tolerance", "min_rows", "severity")
_MANY: Final = 5


def in_force(
    kind: str, overrides: Mapping[str, Any], mode: str, document: bytes | None
) -> tuple[list[dict[str, Any]], int]:
    """Return the bounds of a monitor, and how many more there are.

    Parameters
    ----------
    kind : str
        ``data-quality``, ``model-quality``, ``bias`` or ``attribution``.
    overrides : mapping
        ``checks`` and ``columns`` of the schedule's configuration.
    mode : {"default", "sagemaker"}
    document : bytes or None
        Of the baseline: ``constraints.json``, of bias ``analysis.json``. None: what it says is not listed.

    Raises
    ------
    DocumentError
        If the document is damaged.
    """
    rows = list(from_configuration(overrides))
    decided = {row["check"]: row for row in rows if "column" not in row}
    for row in () if document is None else from_baseline(kind, document):
        own = decided.get(row["check"], {})
        if "bound" in own or "tolerance" in own:
            row = {key: value for key, value in row.items() if key not in ("bound", "tolerance")}
        rows.append(row)
    if mode == "default":
        bounded = {row["check"] for row in rows if "bound" in row and not {"column", "columns"} & row.keys()}
        off = {check for check, row in decided.items() if row.get("enabled") is False}
        rows += [row for row in built_in(kind) if row["check"] not in bounded | off]
    return rows[:MOST], max(0, len(rows) - MOST)


def from_configuration(overrides: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a schedule's configuration decides, by check; then by column."""
    for check, given in sorted((overrides.get("checks") or {}).items()):
        yield _row(check, None, given, "configuration")
    for column, decided in sorted((overrides.get("columns") or {}).items()):
        if decided.get("ignore"):
            yield {"check": "all", "column": column[:1024], "enabled": False, "source": "configuration"}
        for check, given in sorted((decided.get("checks") or {}).items()):
            yield _row(check, column, given, "configuration")


def _row(check: str, column: str | None, given: Mapping[str, Any], source: str) -> dict[str, Any]:
    row: dict[str, Any] = {"check": check}
    if column is not None:
        row["column"] = column[:1024]
    for key in _SAID:
        value = given.get(key)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        row[key] = str(value) if key == "severity" else value
    return {**row, "source": source}


def built_in(kind: str) -> Iterator[dict[str, Any]]:
    """Yield the bounds of the checks that run where nobody says anything."""
    for check, info in checks_of(kind).items():
        if info.enabled and info.default_bound is not None:
            yield {"check": check, "bound": info.default_bound, "source": "built in"}


def from_baseline(kind: str, document: bytes) -> Iterator[dict[str, Any]]:
    """Yield what the baseline's document holds a model to.

    Of data quality, columns that are held to the same are counted in one row; of model quality there is a row for each
    metric, of bias one for each metric of each facet.

    Raises
    ------
    DocumentError
        If the document is damaged.
    """
    if kind == "model-quality":
        yield from _of_quality(document)
    elif kind == "bias":
        yield from _of_bias(document)
    elif kind == "data-quality":
        from driftline.baselines.sagemaker_constraints import read_constraints

        yield from _of_data(read_constraints(document))


def _of_quality(document: bytes) -> Iterator[dict[str, Any]]:
    from driftline.baselines.quality_documents import read_quality_constraints

    for name, one in read_quality_constraints(document).all.items():
        row = _row(name, None, _given(one.settings), "baseline")
        if one.threshold is not None and math.isfinite(one.threshold):
            row["baseline"] = one.threshold
            row["bound"] = one.threshold + one.sign * (one.tolerance or 0.0)
        if one.tolerance is not None:
            row["tolerance"] = one.tolerance
        yield row


def _of_bias(document: bytes) -> Iterator[dict[str, Any]]:
    from driftline.baselines.analysis import read_analysis

    analysis = read_analysis(document)
    for stage in (analysis.pre_training, analysis.post_training):
        if stage is None:
            continue
        for facet, results in stage.facets.items():
            for result in results:
                column = f"{facet}={result.value_or_threshold}"[:1024]
                for metric in result.metrics:
                    if metric.value is not None and math.isfinite(metric.value):
                        check = f"bias_{metric.name.lower()}"[:255]
                        yield {
                            "check": check,
                            "column": column,
                            "baseline": metric.value,
                            "source": "baseline",
                        }


def _of_data(constraints: Constraints) -> Iterator[dict[str, Any]]:
    for check, settings in constraints.settings.items():
        yield _row(check, None, _given(settings), "baseline")
    monitoring, usual = constraints.monitoring, MonitoringConfig()
    for check, name in (
        ("data_type", "datatype_check_threshold"),
        ("categorical_values", "domain_content_threshold"),
        ("ks", "comparison_threshold"),
        ("l_infinity", "categorical_comparison_threshold"),
    ):
        bound = getattr(monitoring, name)
        if bound != getattr(usual, name) and check not in constraints.settings:
            yield {"check": check, "bound": bound, "source": "baseline"}
    said: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for feature in constraints.features:
        held: dict[str, Settings] = {}
        if feature.completeness is not None:
            held["completeness"] = Settings(bound=feature.completeness)
        if feature.domains is not None:
            held["categorical_values"] = Settings()
        if feature.is_non_negative:
            held["non_negative"] = Settings(bound=1.0)
        for check, settings in feature.settings.items():
            held[check] = held.get(check, Settings()).under(settings)
        for check, settings in held.items():
            row = _row(check, feature.name, _given(settings), "baseline")
            said.setdefault(check, []).append((feature.name, row))
    for check in sorted(said):
        yield from _together(said[check])


def _together(rows: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Yield one row for the columns that are held to the same, the most common first, where they are many."""
    kept = [row for _, row in rows]
    common = Counter(_bounds(row) for row in kept)
    many = {bounds for bounds, n in common.most_common() if n >= _MANY}
    told = set()
    for row in kept:
        bounds = _bounds(row)
        if bounds not in many:
            yield row
        elif bounds not in told:
            told.add(bounds)
            merged = {key: value for key, value in row.items() if key not in ("column", "source")}
            yield {**merged, "columns": common[bounds], "source": "baseline"}


def _bounds(row: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((key, value) for key, value in row.items() if key != "column")


def _given(settings: Settings) -> dict[str, Any]:
    return {one.name: getattr(settings, one.name) for one in fields(settings)}
