"""Post-market plan: what Article 72 of Regulation (EU) 2024/1689 asks for, taken from the monitors that really run.

The plan is what stands in ``post_market_plan`` of a card's extensions. It holds names, never addresses or secrets, and no
time: the same configuration gives the same plan, so a card says something else only where the monitors do something else.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from driftline.cards import thresholds
from driftline.cards.diff import compare, worded
from driftline.cards.extension_parts import SHORT
from driftline.cards.extension_plan import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from driftline.registry.baselines import Baseline
    from driftline.registry.rules import Rule
    from driftline.registry.schedules import Schedule
    from driftline.registry.store import Tx

__all__ = ["BY_PEOPLE", "RETENTION", "plan_differs", "plan_of"]

BY_PEOPLE: Final = ("statement", "review", "generated")
"""What people, or whoever stores the plan, write into it; it is no part of what is compared with the monitors."""

RETENTION: Final = (
    "Reports, executions, alerts, the audit log and all versions of this card stay until somebody removes them. Captured "
    "traffic stays until it is expired, by hand or where a limit of the capture's disk says so."
)
"""What driftline does where nobody says otherwise."""

MOST: Final = 200
_STATES: Final = {"Pending": "active", "Scheduled": "active", "Stopped": "stopped", "Failed": "failed"}
_DOCUMENTS: Final = {
    "data-quality": "constraints.json",
    "model-quality": "constraints.json",
    "bias": "analysis.json",
}
_PAGE: Final = 500


def plan_of(
    tx: Tx,
    model: str,
    *,
    read: Callable[[str], Any] | None = None,
    retention: str | None = None,
) -> dict[str, Any]:
    """Return the plan by which a model is watched, from its live configuration.

    Parameters
    ----------
    tx : Tx
    model : str
    read : callable, optional
        Returns the bytes of a file by its path below the workspace. With it the bounds of the baselines stand in the plan;
        without, only those of the configuration and those built in, and the digest says which baseline it is.
    retention : str, optional
        How long things are kept; :data:`RETENTION` where not given.

    Returns
    -------
    dict
        As ``post_market_plan`` of the extensions. Monitors are those of the endpoints that serve the model now, and those
        whose baseline is the model's. ``uncovered`` are the kinds of which none is active.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``.
    DocumentError
        If the document of a baseline is damaged.
    """
    from driftline.registry import models, schedules

    found = models.get(tx, model)
    serving = _serving(tx, model)
    mine = [one for one in schedules.list_schedules(tx) if _is_of(tx, one, model, serving)]
    monitors = [_schedule(tx, one, read) for one in mine[:MOST]]
    active = {one.kind for one in mine if one.is_active}
    owners = [{"name": found.owner[:SHORT], "role": "model"}] if found.owner else []
    owners += [
        {"name": endpoint["owner"][:SHORT], "role": f"endpoint {name}"}
        for name, endpoint in serving.items()
        if endpoint["owner"]
    ]
    plan: dict[str, Any] = {
        "model": model,
        "owners": owners[:50],
        "endpoints": [
            {
                "name": name,
                "kind": endpoint["kind"],
                "versions": sorted(set(endpoint["variants"].values()))[:50],
            }
            for name, endpoint in list(serving.items())[:MOST]
        ],
        "schedules": monitors,
    }
    if len(mine) > MOST:
        plan["schedules_left_out"] = len(mine) - MOST
    plan["uncovered"] = [kind for kind in KINDS if kind not in active]
    plan["targets"] = _targets(tx, model, [*serving])
    plan["retention"] = RETENTION if retention is None else retention
    return plan


def _serving(tx: Tx, model: str) -> dict[str, dict[str, Any]]:
    """Return the endpoints that serve a model now, by name: their kind, owner, and the model's version by variant."""
    from driftline.registry import endpoints

    found: dict[str, dict[str, Any]] = {}
    after = None
    while page := endpoints.list_endpoints(tx, model=model, after=after, limit=_PAGE):
        after = page[-1].name
        for one in page:
            variants = {
                served.variant: served.version
                for served in endpoints.serving(tx, one.name)
                if served.model == model
            }
            if variants:
                owner = one.tags.get("owner")
                found[one.name] = {"kind": one.kind, "owner": owner, "variants": variants}
    return found


def _is_of(tx: Tx, schedule: Schedule, model: str, serving: Mapping[str, Mapping[str, Any]]) -> bool:
    endpoint = serving.get(schedule.endpoint)
    if endpoint is not None:
        variant = schedule.config.get("variant")
        return variant is None or variant in endpoint["variants"]
    baseline = _baseline(tx, schedule)
    return baseline is not None and baseline.model == model


def _baseline(tx: Tx, schedule: Schedule) -> Baseline | None:
    from driftline.registry import baselines

    return None if schedule.baseline is None else baselines.find_current(tx, schedule.baseline)


def _schedule(tx: Tx, schedule: Schedule, read: Callable[[str], Any] | None) -> dict[str, Any]:
    from driftline.registry import rules

    config = schedule.config
    baseline = _baseline(tx, schedule)
    mode = "sagemaker" if config.get("compat") else "default"
    overrides = config.get("overrides") or {}
    document = None
    name = _DOCUMENTS.get(schedule.kind)
    if read is not None and baseline is not None and name is not None:
        document = bytes(read(f"{baseline.path}/{name}"))
    bounds, left_out = thresholds.in_force(schedule.kind, overrides, mode, document)
    window = {
        key: config[key] for key in ("start_offset", "end_offset", "delay") if config.get(key) is not None
    }
    made: dict[str, Any] = {
        "name": schedule.name,
        "kind": schedule.kind,
        "endpoint": schedule.endpoint,
        "variant": config.get("variant"),
        "state": _STATES[schedule.status],
        "cron": config.get("schedule"),
        "timezone": config.get("timezone"),
        "window": window or None,
        "inputs": config.get("inputs"),
        "mode": mode,
        "baseline": _told(schedule, baseline),
        "alpha": overrides.get("alpha"),
        "thresholds": bounds,
        "thresholds_left_out": left_out or None,
        "alerts": [_rule(one) for one in rules.rules(tx, schedule.name)][:50],
        "alert_after_failures": config.get("alert_after_failures"),
        "alert_on_no_data": config.get("alert_on_no_data"),
        "owner": str((config.get("tags") or {}).get("owner") or "")[:SHORT] or None,
        "description": (config.get("description") or "")[:4096] or None,
    }
    return {key: value for key, value in made.items() if value is not None}


def _told(schedule: Schedule, baseline: Baseline | None) -> dict[str, Any] | None:
    if schedule.baseline is None:
        return None
    if baseline is None:
        return {"name": schedule.baseline}
    told = {"name": baseline.name, "version": baseline.version, "digest": baseline.digest}
    return {**told, "accepted_by": baseline.decided_by[:SHORT]} if baseline.decided_by else told


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "datapoints_to_alert": rule.datapoints_to_alert,
        "evaluation_period": rule.evaluation_period,
        "count_failed_runs": rule.count_failed_runs,
        "min_severity": rule.min_severity,
        "keep_firing": rule.keep_firing,
    }


def _targets(tx: Tx, model: str, endpoints: list[str]) -> list[dict[str, Any]]:
    """Return the targets that are told of a model's alerts; names and kinds only, an address may be a secret."""
    from driftline.registry import outbox, targets

    found: list[dict[str, Any]] = []
    after = None
    while page := targets.list_targets(tx, after=after, limit=_PAGE):
        after = page[-1].name
        for one in page:
            of = one.config.get("models")
            at = one.config.get("endpoints")
            if of and not any(fnmatchcase(model, pattern) for pattern in of):
                continue
            if at and not any(fnmatchcase(name, pattern) for name in endpoints for pattern in at):
                continue
            if one.enabled:
                wanted = one.config.get("events") or outbox.DEFAULT_EVENTS
                events = [pattern[:SHORT] for pattern in wanted[:50]]
                severity = str(one.config.get("severity") or "warning")
                found.append({"name": one.name, "kind": one.kind, "events": events, "severity": severity})
    return found[:100]


def plan_differs(stored: Mapping[str, Any], live: Mapping[str, Any]) -> list[str]:
    """Return in which points a card's plan no longer is what the monitors do.

    Parameters
    ----------
    stored : mapping
        ``post_market_plan`` of the card.
    live : mapping
        Of :func:`plan_of`. Bounds that only one of the two has of a baseline, because the other was made without looking
        at its files, are no difference: the digest tells whether it is another baseline.

    Returns
    -------
    list of str
        One line each, printable; empty where both say the same.
    """
    before, after = _comparable(stored, live), _comparable(live, stored)
    # In which order things were listed says nothing of what is done.
    return worded([one for one in compare(before, after) if one.kind != "reordered"])


def _comparable(plan: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    theirs = {one.get("name"): one for one in other.get("schedules") or ()}
    schedules = []
    for one in plan.get("schedules") or ():
        match = theirs.get(one.get("name"), {})
        if _has_baseline_rows(one) == _has_baseline_rows(match):
            schedules.append(one)
            continue
        kept = {key: value for key, value in one.items() if key != "thresholds_left_out"}
        kept["thresholds"] = [
            row for row in one.get("thresholds") or () if row.get("source") == "configuration"
        ]
        schedules.append(kept)
    rest = {key: value for key, value in plan.items() if key not in BY_PEOPLE}
    return {**rest, "schedules": schedules} if "schedules" in plan else rest


def _has_baseline_rows(schedule: Mapping[str, Any]) -> bool:
    return any(row.get("source") == "baseline" for row in schedule.get("thresholds") or ())
