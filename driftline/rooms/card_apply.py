"""Cards kept as files in git: what must be done so that the stored cards say what the files say."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from driftline.errors import UsageError, printable
from driftline.registry import cards
from driftline.registry.database import RegistryError
from driftline.rooms.card_draft import Draft, checked, from_model, laid_over, of_version, still
from driftline.rooms.card_files import MOST_BYTES, from_file, name_from
from driftline.rooms.card_paths import put, taken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from driftline.cards.diff import Change
    from driftline.registry.card_types import Card, CardVersion
    from driftline.registry.store import Tx
    from driftline.rooms.room import House

__all__ = ["BY_FILE", "CardPlan", "CardStep", "plan_cards", "plan_files"]

BY_FILE: Final = "*"
"""Where the provenance of a version says that all of it came from a file, and which text that file goes out from."""

_SIGNS: Final = {"create": "+", "change": "~", "none": " "}
_MOST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class CardStep:
    """One file, and what must be done about its card.

    Attributes
    ----------
    action : {"create", "change", "none"}
    name, file : str
    version : int
        That the card has now; 0 where there is none.
    draft : Draft
    changes : tuple of Change
        Of the text.
    beside : tuple of str
        What else changes: ``tags``, ``policy``.
    """

    action: str
    name: str
    file: str
    version: int
    draft: Draft = field(repr=False)
    changes: tuple[Change, ...] = ()
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        from driftline.cards.diff import worded

        head = f"{_SIGNS[self.action]} card {printable(self.name, 80)}"
        if self.action == "create":
            return head
        told = f", version {self.version} → {self.version + 1}" if self.changes else ""
        lines = worded(self.changes[:_MOST_SHOWN])
        if len(self.changes) > _MOST_SHOWN:
            lines.append(f"and {len(self.changes) - _MOST_SHOWN:,} more changes")
        return "\n    ".join([head + told, *lines, *(f"changed {one}" for one in self.beside)])

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        from driftline.cards.diff import diff_document

        return {
            "action": self.action,
            "card": self.name,
            "file": self.file,
            "version": self.version,
            "beside": list(self.beside),
            "changes": diff_document(self.changes)["changes"],
        }


@dataclass(frozen=True)
class CardPlan:
    """What must be done so that cards say what files say.

    Attributes
    ----------
    steps : tuple of CardStep
        One a file, in the order given.
    """

    steps: tuple[CardStep, ...]
    _workspace: House = field(repr=False, compare=False)

    @property
    def changes(self) -> tuple[CardStep, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.action != "none")

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def counts(self) -> dict[str, int]:
        """How many cards are created, changed and left as they are."""
        names = {"create": "create", "change": "change", "none": "unchanged"}
        return {word: sum(step.action == action for step in self.steps) for action, word in names.items()}

    @property
    def summary(self) -> str:
        """One line that counts."""
        return ", ".join(
            f"{n} {word}" if word == "unchanged" else f"{n} to {word}" for word, n in self.counts.items()
        )

    def __str__(self) -> str:
        lines = [str(step) for step in self.changes]
        return "\n".join([*lines, "", self.summary] if lines else [self.summary])

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"steps": [step.document() for step in self.steps], "summary": self.counts}

    def apply(self, reason: str = "", who: str | None = None) -> tuple[Card, ...]:
        """Do all of it, or, where anything is refused, nothing.

        Returns
        -------
        tuple of Card
            Those that were changed.

        Raises
        ------
        RegistryError
            ``E-CARD-CONFLICT``: somebody wrote a newer version since the plan was made.
        """

        def act(tx: Tx) -> tuple[Card, ...]:
            return tuple(_done(tx, step) for step in self.changes)

        return self._workspace.registry.act(act, who=who, reason=reason) if self else ()


def plan_files(ws: House, files: Iterable[str | os.PathLike[str]]) -> CardPlan:
    """Find out what must be done so that cards say what files say; see :func:`plan_cards`."""
    from driftline.files import read_regular

    named = [os.fspath(file) for file in files]
    return plan_cards(
        ws, [(file, from_file(read_regular(file, max_bytes=MOST_BYTES), file)) for file in named]
    )


def plan_cards(ws: House, drafts: Iterable[tuple[str, Draft]]) -> CardPlan:
    """Find out what must be done so that cards say what files say; nothing is changed.

    A file that names the version it goes out from is the whole card. One that does not is what people wrote: what was found
    out about the model, and what its monitors wrote, is kept, and is filled in where the card is new.

    Parameters
    ----------
    ws : Workspace
    drafts : iterable of (file, Draft)
        See :func:`driftline.rooms.card_files.from_file`. A file that does not name its card is about the one with its name.

    Raises
    ------
    CardError
        If a text breaks a rule.
    RegistryError
        ``E-CARD-CONFLICT``: the stored card has moved on since the text that the file goes out from. ``E-CARD-ARCHIVED``.
    UsageError
        ``E-CARD-FILE``: nothing names the card, two files are about the same, or a file says nothing where the card does.
    """
    steps: list[CardStep] = []
    for file, draft in drafts:
        name = draft.name or name_from(file)
        if name is None:
            raise UsageError(
                "does not say which card it is about",
                code="E-CARD-FILE",
                file=file,
                fix='write name = "…" under [card]',
            )
        if any(step.name == name for step in steps):
            raise UsageError(
                f"is the second file about the card {printable(name, 80)!r}",
                code="E-CARD-FILE",
                file=file,
                fix="leave one of them out",
            )
        steps.append(_step(ws, file, name, draft))
    return CardPlan(tuple(steps), ws)


def _step(ws: House, file: str, name: str, draft: Draft) -> CardStep:
    from driftline.cards.diff import differences

    with ws.registry.read() as tx:
        card = cards.find(tx, name)
        latest = None if card is None else cards.version(tx, name)
        model = _model_of(tx, draft)
    if card is None or latest is None:
        if draft.base_hash is None and model is not None:
            draft = laid_over(from_model(ws, model), draft)
        return CardStep("create", name, file, 0, checked(draft, file))
    if not draft.said and of_version(latest).said:
        raise UsageError(
            f"says nothing, and would empty the card {printable(name, 80)!r}",
            code="E-CARD-FILE",
            file=file,
            fix=f"export it again: driftline card export {printable(name, 80)} -o FILE",
        )
    if draft.base_hash is None:
        draft = _completed(draft, latest)
    checked(draft, file)
    changes = tuple(differences(latest, {"content": draft.content, "extensions": draft.extensions}))
    beside = []
    if draft.tags is not None and dict(draft.tags) != dict(card.tags):
        beside.append("tags")
    if draft.policy is not None and {**card.policy, **draft.policy} != dict(card.policy):
        beside.append("policy")
    if draft.model is not None and draft.model != card.model:
        beside.append("model")
    if changes:
        _refuse_archived(card)
        _refuse_stale(file, draft, latest)
    action = "change" if changes or beside else "none"
    return CardStep(action, name, file, card.version, draft, changes, tuple(beside))


def _model_of(tx: Tx, draft: Draft) -> str | None:
    """Return the registered model that a file is about."""
    from driftline.cards.sources.registered import find_model

    overview = draft.content.get("model_overview") or {}
    for name in (draft.model, overview.get("model_id"), overview.get("model_name")):
        if isinstance(name, str) and (found := find_model(tx, name)) is not None:
            return name if found[1] is not None or "/" not in name else found[0].name
    return None


def _completed(draft: Draft, latest: CardVersion) -> Draft:
    """Return what people wrote, with what the stored text was given by machines."""
    from driftline.cards.evidence import is_monitor_made

    stored = of_version(latest)
    found: dict[str, Any] = {}
    for path in stored.provenance:
        if path != BY_FILE:
            with suppress(UsageError):
                found = put(found, path, taken(stored.whole, path))
    written = {job.get("name") for job in draft.content.get("evaluation_details") or ()}
    made = [
        job
        for job in stored.content.get("evaluation_details") or ()
        if is_monitor_made(job) and job.get("name") not in written
    ]
    below = replace(stored, tags=None, policy=None).says(found)
    completed = laid_over(below, draft)
    jobs = [*(draft.content.get("evaluation_details") or ()), *made]
    return completed.says({**completed.whole, "evaluation_details": jobs}) if jobs else completed


def _refuse_archived(card: Card) -> None:
    from driftline.registry.card_life import archived

    if card.status == "Archived":
        raise archived(card.name)


def _refuse_stale(file: str, draft: Draft, latest: CardVersion) -> None:
    """Refuse a file that goes out from another text than the stored one, unless that one came from the same file."""
    base = draft.base_hash
    if base is None or base == latest.content_hash:
        return
    if (latest.provenance.get(BY_FILE) or {}).get("base") == base:
        return
    from driftline.registry.moments import shown

    version = f"version {draft.base_version}" if draft.base_version else "another text"
    raise RegistryError(
        f"goes out from {version}, but {printable(latest.author, 80)} wrote version {latest.version} at "
        f"{shown(latest.created)}",
        code="E-CARD-CONFLICT",
        file=file,
        fix="export the card again, and bring your changes into that",
    )


def _done(tx: Tx, step: CardStep) -> Card:
    draft = step.draft
    mark = {"source": f"file {step.file}", "base": draft.base_hash}
    if step.action == "create":
        return cards.create(
            tx,
            step.name,
            dict(draft.content),
            extensions=dict(draft.extensions),
            tags=draft.tags,
            policy=draft.policy,
            provenance={**draft.provenance, BY_FILE: mark},
            model=draft.model,
        )
    card = cards.get(tx, step.name)
    if step.changes:
        before = of_version(cards.version(tx, step.name))
        kept = still(before.provenance, before.whole, draft.whole)
        card, _ = cards.revise(
            tx,
            step.name,
            content=dict(draft.content),
            extensions=dict(draft.extensions),
            provenance={**kept, **draft.provenance, BY_FILE: mark},
            expected=step.version,
        )
    if "tags" in step.beside:
        card = cards.set_tags(tx, step.name, dict(draft.tags or {}))
    if "policy" in step.beside:
        card = cards.set_policy(tx, step.name, {**card.policy, **(draft.policy or {})})
    if "model" in step.beside:
        card = cards.set_model(tx, step.name, draft.model)
    return card
