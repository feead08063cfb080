"""Performance metrics as Model Card Toolkit and CycloneDX have them: type, value, slice, confidence interval; no groups."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.convert.source import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftline.cards.convert.draft import Draft
    from driftline.cards.convert.source import Source

__all__ = [
    "JOB",
    "Names",
    "metric_of",
    "read_performance",
    "simple_metrics",
    "text_of",
    "written_performance",
]

JOB: Final = "Performance metrics"
"""Name of the evaluation that such metrics make."""

WHOLE: Final = "all data"
"""Name of the group of metrics that are of no slice."""

MOST_NAME: Final = 63


@dataclass(frozen=True, slots=True)
class Names:
    """How a format spells the parts of a confidence interval."""

    interval: str
    lower: str
    upper: str


def metric_of(name: str, value: Any) -> dict[str, Any] | None:
    """Return a metric of a card: a number also where the value is text that says one; None where no metric holds it."""
    if isinstance(value, bool):
        return {"name": name, "type": "boolean", "value": value}
    number = number_of(value)
    if number is not None:
        return {"name": name, "type": "number", "value": number}
    if isinstance(value, str) and len(value) <= MOST_NAME:
        return {"name": name, "type": "string", "value": value}
    return None


def text_of(value: Any) -> str:
    """Return a simple metric's value as text."""
    return value if isinstance(value, str) else json.dumps(value)


def simple_metrics(content: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the metrics that are one value: name of the evaluation, of the group, and the metric."""
    for job in content.get("evaluation_details") or ():
        for group in job.get("metric_groups") or ():
            for metric in group.get("metric_data") or ():
                if metric["type"] in ("number", "string", "boolean"):
                    yield job["name"], group["name"], metric


def read_performance(draft: Draft, metrics: Sequence[Source], names: Names) -> None:
    """Make one evaluation of performance metrics, a group for each slice, and note the slices and the intervals."""
    groups: dict[str, list[dict[str, Any]]] = {}
    known: dict[str | None, str] = {}
    for one in metrics:
        kind = one.text("type")
        value = one.raw("value")
        made = metric_of(kind or "value", value)
        if made is None:
            one.leave("value", "a metric is a number, true or false, or text of at most 63 characters")
            continue
        part = one.text("slice")
        if part not in known:
            fits = part is None or len(part) <= MOST_NAME
            known[part] = (part or WHOLE) if fits else f"slice {len(known) + 1}"
        group = known[part]
        groups.setdefault(group, []).append(made)
        beyond: dict[str, Any] = {} if part is None else {"slice": part}
        interval = one.inside(names.interval)
        low, high = interval.number(names.lower), interval.number(names.upper)
        if low is not None and high is not None:
            beyond["confidence_interval"] = {"low": low, "high": high}
        elif low is not None or high is not None:
            interval.leave(names.lower, "an interval has two ends")
            interval.leave(names.upper, "an interval has two ends")
        if beyond:
            entry = {"evaluation": JOB, "group": group, "metric": made["name"], **beyond}
            draft.add("extensions.evaluation", entry, one.path)
    if groups:
        made_groups = [{"name": name, "metric_data": found} for name, found in groups.items()]
        draft.add("evaluation_details", {"name": JOB, "metric_groups": made_groups}, metrics[0].path)


def written_performance(
    content: Mapping[str, Any], extensions: Mapping[str, Any], names: Names
) -> list[dict[str, Any]]:
    """Return a card's simple metrics as performance metrics."""
    beyond = {
        (one["evaluation"], one.get("group"), one.get("metric")): one
        for one in reversed(extensions.get("evaluation") or ())
    }
    found = []
    for job, group, metric in simple_metrics(content):
        made: dict[str, Any] = {"type": metric["name"], "value": text_of(metric["value"])}
        more = beyond.get((job, group, metric["name"]), {})
        if more.get("slice"):
            made["slice"] = more["slice"]
        interval = more.get("confidence_interval")
        if interval:
            ends = {names.lower: text_of(interval["low"]), names.upper: text_of(interval["high"])}
            made[names.interval] = ends
        found.append(made)
    return found
