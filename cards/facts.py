"""Facts: what the registry knows of a card's model, which no text can claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.post_market import plan_differs, plan_of
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from driftline.registry.card_types import CardVersion, Evidence
    from driftline.registry.store import Tx

__all__ = ["Facts", "change_log_of", "claims", "facts_of", "is_measured"]

_MEASURED: Final = ("executions/", "baselines/")
_MOST_CLAIMS: Final = 1000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so, whatever the card says.

    Attributes
    ----------
    model : str or None
        Name in the registry.
    monitors : mapping of str to tuple of str
        Names of the monitors that are active, by kind.
    evidence : mapping of str to tuple of str
        What monitors measured, one sentence each, by kind.
    earlier_versions : tuple of str
        Of the card, before the newest.
    records : int
        Links of the card's chain.
    targets : tuple of str
        Who is told of alarms.
    plan_agrees : bool or None
        Whether the card's post-market plan says what the monitors do; None where it has none.
    plan_differences : tuple of str
        Where it does not.
    sources : frozenset of str
        Executions and baselines that the card names as the origin of numbers, and that there are.
    """

    model: str | None = None
    monitors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    earlier_versions: tuple[str, ...] = ()
    records: int = 0
    targets: tuple[str, ...] = ()
    plan_agrees: bool | None = None
    plan_differences: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()

    def document(self) -> dict[str, Any]:
        """Return them as JSON has them; what is not so is not there."""
        found = {
            "model": self.model,
            "monitors": {kind: list(names) for kind, names in self.monitors.items() if names},
            "evidence": {kind: list(said) for kind, said in self.evidence.items() if said},
            "earlier_versions": list(self.earlier_versions),
            "records": self.records,
            "targets": list(self.targets),
            "plan_agrees": self.plan_agrees,
            "plan_differences": list(self.plan_differences),
        }
        return {key: value for key, value in found.items() if value}


def is_measured(source: object) -> bool:
    """Tell whether a source is a run of a monitor, or a baseline, as driftline names them."""
    return isinstance(source, str) and source.startswith(_MEASURED)


def claims(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> list[str]:
    """Return the executions and baselines that a card names as the origin of its numbers, in their order."""
    said: list[Any] = []
    for job in _objects(content.get("evaluation_details")):
        metadata = job.get("metadata")
        said.append(metadata.get("source") if isinstance(metadata, Mapping) else None)
    said += [extra.get("measured_by") for extra in _objects(extensions.get("evaluation"))]
    return list(dict.fromkeys(one for one in said if is_measured(one)))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _exists(tx: Tx, source: str, model: str | None) -> bool:
    """Tell whether there is a run or a baseline of this name, and, where that is known, of this model."""
    from driftline.registry import baselines, executions
    from driftline.registry.database import RegistryError

    kind, _, name = source.partition("/")
    if kind == "executions":
        run = executions.find(tx, name[:64])
        return run is not None and (model is None or run.model in (None, model))
    name, _, version = name.partition("/")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        return False
    try:
        made = baselines.get(tx, name, int(version))
    except (RegistryError, UsageError):
        return False
    return model is None or made.model in (None, model)


def facts_of(
    tx: Tx,
    model: str | None,
    *,
    content: Mapping[str, Any] | None = None,
    extensions: Mapping[str, Any] | None = None,
    versions: Iterable[CardVersion] = (),
    records: int = 0,
    evidence: Iterable[Evidence] = (),
    read: Callable[[str], Any] | None = None,
) -> Facts:
    """Return what the registry knows.

    Parameters
    ----------
    tx : Tx
    model : str or None
        The registry's model that the card is about; None: nothing of it is known.
    content, extensions : mapping, optional
        Of the card, both valid: its plan is held against the monitors, and the runs it names are looked up.
    versions : iterable of CardVersion
        All of the card.
    records : int
        Links of its chain.
    evidence : iterable of Evidence
        The newest of each schedule; baselines are no measurement of the model in use.
    read : callable, optional
        See :func:`~driftline.cards.post_market.plan_of`.

    Raises
    ------
    RegistryError
        ``E-NO-MODEL``.
    """
    measured: dict[str, tuple[str, ...]] = {}
    for one in evidence:
        if one.status != "baseline":
            measured[one.kind] = (*measured.get(one.kind, ()), one.summary)
    numbers = sorted(one.version for one in versions)
    earlier = tuple(f"version {number}" for number in numbers[:-1])
    named = claims(content or {}, extensions or {})[:_MOST_CLAIMS]
    sources = frozenset(source for source in named if _exists(tx, source, model))
    if model is None:
        return Facts(evidence=measured, earlier_versions=earlier, records=records, sources=sources)
    live = plan_of(tx, model, read=read)
    monitors: dict[str, tuple[str, ...]] = {}
    for one in live["schedules"]:
        if one["state"] == "active":
            monitors[one["kind"]] = (*monitors.get(one["kind"], ()), one["name"])
    stored = (extensions or {}).get("post_market_plan")
    agrees: bool | None = None
    differences: tuple[str, ...] = ()
    if isinstance(stored, Mapping) and stored.get("schedules"):
        differences = tuple(plan_differs(stored, live))
        agrees = not differences
    return Facts(
        model,
        monitors,
        measured,
        earlier,
        records,
        tuple(one["name"] for one in live["targets"]),
        agrees,
        differences,
        sources,
    )


def change_log_of(versions: Iterable[CardVersion]) -> list[dict[str, Any]]:
    """Return the versions of a card as ``change_log`` of the extensions, the oldest first.

    What changed is the reason that was given; the digest is that of the version's content.
    """
    from driftline.registry.moments import shown

    return [
        {
            "date": shown(one.created),
            "version": str(one.version),
            "description": one.reason[:4096] or f"version {one.version} of the card",
            "author": one.author[:255],
            "digest": one.content_hash,
        }
        for one in sorted(versions, key=lambda one: one.version)
    ]
