"""The JSON Schema of a card's content, made from :data:`driftline.cards.limits.RULES`.

``schema/model-card.json`` is this schema as a file, for programs that are not written in Python. What a schema cannot
say is judged by :func:`driftline.cards.validation.problems` alone: the size of the whole, rows of one length and labels
that fit in a matrix, NUL and lone surrogates.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from driftline.cards.limits import (
    METRIC,
    PARSED_NAME,
    RULES,
    Boolean,
    ByType,
    Choice,
    Items,
    Map,
    Number,
    Object,
    Text,
    keys,
)

if TYPE_CHECKING:
    from driftline.cards.limits import Rule

__all__ = ["schema", "schema_text"]


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a card's content.

    Examples
    --------
    >>> schema()["properties"]["model_overview"]["properties"]["model_version"]
    {'type': 'number', 'minimum': 1}
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Content of a model card",
        "description": (
            "The sections of SageMaker's model cards. As JSON text, content has at most 100,000 characters; "
            "the rows of a matrix have one length, and its axes one label for each row and each column."
        ),
        **_of(RULES[""], ""),
    }


def schema_text() -> str:
    """Return the schema as the text of ``schema/model-card.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _of(rule: Rule, pattern: str) -> dict[str, Any]:
    match rule:
        case Text():
            return _of_text(rule)
        case Number(minimum):
            return {"type": "number"} | ({} if minimum is None else {"minimum": minimum})
        case Boolean():
            return {"type": "boolean"}
        case Choice(texts):
            return {"type": "string", "enum": list(texts)}
        case Items(high, low, _, of):
            below = f"{pattern}.*"
            bounds = ({"minItems": low} if low else {}) | ({} if high is None else {"maxItems": high})
            return {"type": "array", **bounds, "items": _of(RULES[below] if of is None else of, below)}
        case Map():
            below = f"{pattern}.*"
            return {
                "type": "object",
                "propertyNames": {"pattern": _NOT_BLANK},
                "additionalProperties": _of(RULES[below], below),
            }
        case Object():
            return _of_metric() if pattern == METRIC else _of_object(pattern)
        case ByType():
            raise AssertionError(pattern)


_NOT_BLANK = r"\S"


def _of_text(rule: Text) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string"}
    if rule.high is not None:
        made["maxLength"] = rule.high
    if rule.low:
        made |= {"minLength": rule.low, "pattern": _NOT_BLANK}
    if rule.parsed is not None:
        own = {"maxLength": made.pop("maxLength")}
        made |= {"if": {"pattern": f"^(?:{PARSED_NAME})"}, "then": {"maxLength": rule.parsed}, "else": own}
    return made


def _of_object(pattern: str, only: str | None = None) -> dict[str, Any]:
    """Describe an object; of one that has a ``type``, the shape with that type only."""
    members = {}
    for key in keys(pattern):
        below = f"{pattern}.{key}" if pattern else key
        rule = RULES[below]
        if only is not None and isinstance(rule, ByType):
            members[key] = _of(rule.rules[only], below)
        elif only is not None and isinstance(rule, Choice) and key == "type":
            members[key] = {"const": only}
        else:
            members[key] = _of(rule, below)
    required = [key for key in keys(pattern) if RULES[f"{pattern}.{key}".lstrip(".")].required]
    return {
        "type": "object",
        "properties": members,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _of_metric() -> dict[str, Any]:
    kinds = RULES[f"{METRIC}.type"]
    assert isinstance(kinds, Choice)
    return {"oneOf": [_of_object(METRIC, kind) for kind in kinds.texts]}
