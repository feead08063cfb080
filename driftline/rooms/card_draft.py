"""Draft: what a card will say before it is written - gathered from a model, a file and single fields."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from driftline.cards.convert.converted import ordered
from driftline.cards.extensions import stamped
from driftline.cards.limits import SECTIONS
from driftline.errors import DocumentError, UsageError
from driftline.rooms.card_paths import EXTENSIONS, put, removed, taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftline.cards.validation import Problem
    from driftline.registry.card_types import CardVersion
    from driftline.rooms.room import House

__all__ = [
    "Draft",
    "checked",
    "from_model",
    "laid_over",
    "of_version",
    "overlaid",
    "problems_of",
    "still",
    "with_fields",
]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a card will say.

    Attributes
    ----------
    content : mapping
        As SageMaker has it.
    extensions : mapping
        What SageMaker has no place for.
    provenance : mapping of str to mapping
        Where fields came from, by their dotted paths.
    tags, policy : mapping or None
        None where nothing is said about them.
    name : str or None
        Of the card, where a file says it.
    model : str or None
        The registry's model that it is about.
    base_version : int or None
    base_hash : str or None
        The version that a file goes out from.
    lost : tuple of str
        What a file said and a card has no place for.
    notes : tuple of str
        What of a model was cut or left out because a card has no room for it.
    """

    content: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    policy: Mapping[str, Any] | None = None
    name: str | None = None
    model: str | None = None
    base_version: int | None = None
    base_hash: str | None = None
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> dict[str, Any]:
        """Content and extensions as one document, which paths lead into."""
        return {**self.content, **({EXTENSIONS: dict(self.extensions)} if self.extensions else {})}

    @property
    def said(self) -> bool:
        """Whether any field holds something."""
        return _holds(self.content) or _holds(
            {key: value for key, value in self.extensions.items() if key != "schema_version"}
        )

    def says(self, whole: Mapping[str, Any]) -> Draft:
        """Return a draft that says something else, in the order of SageMaker's fields."""
        content = {key: value for key, value in whole.items() if key != EXTENSIONS}
        return replace(self, content=ordered(content), extensions=whole.get(EXTENSIONS) or {})

    def tagged(self, tags: Mapping[str, str]) -> Draft:
        """Return a draft with more tags."""
        return replace(self, tags={**(self.tags or {}), **tags}) if tags else self


def _holds(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds, value.values()))
    if isinstance(value, list):
        return any(map(_holds, value))
    return value is not None and value != ""


def of_version(version: CardVersion) -> Draft:
    """Return a draft that says what a version says."""
    return Draft(version.content, version.extensions, version.provenance)


def overlaid(below: Any, above: Any) -> Any:
    """Lay one document over another: objects member by member, all else as a whole; empty values hide nothing.

    Examples
    --------
    >>> overlaid({"a": {"x": 1, "y": 2}, "b": [1]}, {"a": {"x": 3}, "b": []})
    {'a': {'x': 3, 'y': 2}, 'b': [1]}
    """
    if isinstance(below, dict) and isinstance(above, dict):
        result = dict(below)
        for key, value in above.items():
            result[key] = overlaid(below[key], value) if key in below else value
        return result
    return below if above in (None, "", [], {}) else above


def laid_over(below: Draft, above: Draft) -> Draft:
    """Return a draft that says what `above` says, and what `below` says where that is silent."""
    whole = overlaid(below.whole, above.whole)
    return replace(
        above,
        provenance={**still(below.provenance, below.whole, whole), **above.provenance},
        model=above.model or below.model,
        tags=above.tags if below.tags is None else {**below.tags, **(above.tags or {})},
        lost=below.lost + above.lost,
        notes=below.notes + above.notes,
    ).says(whole)


def still(
    provenance: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    """Return where fields came from, of those that say what they said before."""
    return {
        path: origin
        for path, origin in provenance.items()
        if (value := _at(before, path)) is not None and value == _at(after, path)
    }


def _at(whole: Mapping[str, Any], path: str) -> Any:
    try:
        return taken(whole, path)
    except UsageError:
        return None


def problems_of(draft: Draft) -> list[Problem]:
    """Return all rules that a draft breaks, as Problems with dotted paths."""
    from driftline.cards import extensions, validation

    return [*validation.problems(draft.content), *extensions.problems(draft.extensions)]


def checked(draft: Draft, file: str | None = None) -> Draft:
    """Return a draft that breaks no rule.

    Raises
    ------
    CardError
        It names the first problem, how many more there are, and has all of them.
    """
    from driftline.cards.validation import refuse

    refuse(problems_of(draft), file)
    return draft


def with_fields(draft: Draft, given: Iterable[tuple[str, Any]], unset: Iterable[str] = ()) -> Draft:
    """Return a draft in which fields say something else.

    Parameters
    ----------
    draft : Draft
    given : iterable of (path, value)
        A text is meant as it stands, unless the field cannot be a text: then it is read as JSON.
    unset : iterable of path

    Raises
    ------
    UsageError
        ``E-CARD-PATH``.
    """
    whole = draft.whole
    for path in unset:
        whole = removed(whole, path)
    for path, value in given:
        meant = _meant(draft, whole, path, value) if isinstance(value, str) else value
        whole = put(whole, path, meant)
    return draft.says(whole)


def _meant(draft: Draft, whole: Mapping[str, Any], path: str, text: str) -> Any:
    """Return what a text means at a path: itself, or the JSON that it is where only that breaks no rule there."""
    from driftline.documents import decode

    if not _complaints(draft, put(whole, path, text), path):
        return text
    try:
        value = decode(text.encode("utf-8", "surrogatepass"), file=path)
    except DocumentError:
        return text
    return text if isinstance(value, str) or _complaints(draft, put(whole, path, value), path) else value


def _complaints(draft: Draft, whole: Mapping[str, Any], path: str) -> bool:
    return any(
        one.path == path or one.path.startswith(f"{path}.") or path.startswith(f"{one.path}.")
        for one in problems_of(draft.says(whole))
    )


def from_model(ws: House, model: str, *, has_card: bool = False) -> Draft:
    """Return what is known of a registered model: what it is, how it was trained, its risk rating.

    Parameters
    ----------
    ws : Workspace
    model : str
        Its name, for the newest version; ``name/version`` or ``name/alias``; or what it is called in SageMaker or MLflow.

    has_card : bool
        Whether it may have a card already.

    Raises
    ------
    UsageError
        ``E-NO-MODEL``, ``E-CARD-MODEL``.
    """
    from driftline.cards.population import collect

    with ws.registry.read() as tx:
        facts = collect(tx, model, has_card=has_card)
    whole: dict[str, Any] = {name: section for name in SECTIONS if (section := facts.section(name))}
    if extensions := facts.extension():
        whole[EXTENSIONS] = stamped(extensions)
    draft = Draft(model=facts.model, notes=tuple(facts.notes)).says(whole)
    return replace(draft, provenance=facts.provenance(whole))
