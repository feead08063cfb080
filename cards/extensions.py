"""Extensions: what a card says beyond SageMaker's content, checked as a whole.

They are a plain object beside the content, hashed together with it. A card without any has ``{}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.extension_kinds import Group, ListOf
from driftline.cards.extension_table import MOST_CHARACTERS, SCHEMA_VERSION, TABLE
from driftline.cards.validation import MAX_PROBLEMS, Problem, refuse
from driftline.documents import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftline.cards.extension_kinds import Field

__all__ = [
    "MOST_CHARACTERS",
    "SCHEMA_VERSION",
    "Row",
    "check",
    "loose_ends",
    "problems",
    "rows",
    "schema",
    "schema_text",
    "stamped",
]

ROOT: Final = "extensions"
_VERSION: Final = re.compile(r"([0-9]{1,4})\.[0-9]{1,4}")


def problems(extensions: object) -> list[Problem]:
    """Return all that is wrong with extensions.

    Parameters
    ----------
    extensions : object
        As JSON has them; ``{}`` is right.

    Returns
    -------
    list of Problem
        In the order of the table, at most :data:`~driftline.cards.validation.MAX_PROBLEMS`; empty where nothing is
        wrong. Paths begin with ``extensions``.

    Examples
    --------
    >>> for one in problems({"scope": {"primary_user": []}}):
    ...     print(one.path, one.what, one.fix, sep="; ")
    extensions.scope.primary_user; unknown field; did you mean 'primary_users'?
    """
    found: list[Problem] = []
    TABLE.look(extensions, ROOT, found)
    if found or not isinstance(extensions, dict):
        return found[:MAX_PROBLEMS]
    wrong = _version_problem(extensions.get("schema_version"))
    if wrong is not None:
        return [wrong]
    sizes = {name: len(encode(value)) for name, value in extensions.items()}
    total = len(encode(extensions))
    if total > MOST_CHARACTERS:
        largest = max(sizes, key=lambda name: sizes[name])
        what = f"has {total:,} characters as JSON, at most {MOST_CHARACTERS:,} are allowed"
        fix = f"shorten {largest}, the largest part: it has {sizes[largest]:,}"
        return [Problem(ROOT, what, fix)]
    return found


def check(extensions: object, file: object = None) -> None:
    """Refuse extensions that a card may not have.

    Raises
    ------
    CardError
        ``E-CARD``, with all problems in ``problems``.
    """
    refuse(problems(extensions), file)


def _version_problem(version: str | None) -> Problem | None:
    path = f"{ROOT}.schema_version"
    if version is None:
        return None
    said = _VERSION.fullmatch(version)
    if said is None:
        return Problem(path, "expected a version such as 1.0", f"write {SCHEMA_VERSION}")
    if int(said[1]) != int(SCHEMA_VERSION.partition(".")[0]):
        what = f"version {version} is not one that this driftline reads; it reads {SCHEMA_VERSION}"
        return Problem(path, what, "read the card with the driftline that wrote it")
    return None


def stamped(extensions: Mapping[str, Any]) -> dict[str, Any]:
    """Return extensions with the version of their table; where there are none, there is no version either.

    Examples
    --------
    >>> stamped({"metric_rationale": "x"}), stamped({})
    ({'schema_version': '1.0', 'metric_rationale': 'x'}, {})
    """
    if not any(key != "schema_version" for key in extensions):
        return {}
    return {"schema_version": SCHEMA_VERSION, **extensions}


def loose_ends(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> list[Problem]:
    """Return what in the extensions speaks of an evaluation, group or metric that the content does not have.

    A card with loose ends is valid: evaluations come and go. They are for whoever checks a card.

    Parameters
    ----------
    content, extensions : mapping
        What is not valid in them is for :func:`problems` to say, and is passed over here.
    """
    there: dict[str, dict[str, set[str]]] = {}
    for job in _objects(content.get("evaluation_details")):
        groups = there.setdefault(str(job.get("name")), {})
        for group in _objects(job.get("metric_groups")):
            metrics = {str(metric.get("name")) for metric in _objects(group.get("metric_data"))}
            groups.setdefault(str(group.get("name")), set()).update(metrics)
    found = []
    for place, extra in enumerate(_objects(extensions.get("evaluation"))):
        path = f"{ROOT}.evaluation.{place}"
        evaluation, group_name, metric_name = (
            None if extra.get(key) is None else str(extra[key]) for key in ("evaluation", "group", "metric")
        )
        if metric_name is not None and group_name is None:
            found.append(Problem(f"{path}.group", "a metric is named without its group", "name the group"))
        elif evaluation is None or evaluation not in there:
            found.append(_loose(path, "evaluation"))
        elif group_name is not None and group_name not in there[evaluation]:
            found.append(_loose(path, "group"))
        elif group_name and metric_name is not None and metric_name not in there[evaluation][group_name]:
            found.append(_loose(path, "metric"))
    return found


def _loose(path: str, key: str) -> Problem:
    return Problem(
        f"{path}.{key}", f"the content has no {key} of this name", "correct the name, or remove the entry"
    )


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the extensions, for the documentation.

    Attributes
    ----------
    path : str
        Such as ``risks[].owner``.
    limit : str
        Its rule.
    meaning : str
    required : bool
        Whether it must be there where its object is.
    """

    path: str
    limit: str
    meaning: str
    required: bool


def rows() -> list[Row]:
    """Return all fields in the order of the table."""
    return list(_rows(TABLE, "", required=False))[1:]


def _rows(field: Field, path: str, *, required: bool) -> Iterator[Row]:
    yield Row(path, field.limit, field.meaning, required)
    inside = field
    while isinstance(inside, ListOf):
        path += "[]"
        inside = inside.item
    if isinstance(inside, Group):
        for name, inner in inside.fields.items():
            yield from _rows(inner, f"{path}.{name}" if path else name, required=name in inside.needs)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of extensions; it stands in ``schema/extensions.json``.

    It says all but that no two items of a list may be the same, that days must exist, and how long and deep things of
    any form, and all together, may be.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Extensions of a driftline model card, version {SCHEMA_VERSION}",
        **TABLE.schema(),
    }


def schema_text() -> str:
    """Return the schema as the text of ``schema/extensions.json``."""
    return encode(schema(), indent=2) + "\n"
