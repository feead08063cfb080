"""A card's content as a document: sections put together, written and read.

Content is a dict of plain JSON values with the keys of SageMaker's model cards. :func:`parse` and :func:`serialise`
go between it and text, :func:`sections_of` and :func:`content_of` between it and the classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.errors import CardError, CardTypeError
from driftline.cards.fields import Listed, Part, plain
from driftline.cards.limits import RULES, SECTIONS, Map, Object
from driftline.cards.training import as_text
from driftline.documents import decode, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_BYTES", "SECTIONS", "content_of", "parse", "sections_of", "serialise"]

MAX_BYTES: Final = 16 * 1024 * 1024
"""Longest text that :func:`parse` reads: far above the limit of a card, so that what is too long can be named."""


def content_of(sections: Mapping[str, object]) -> dict[str, Any]:
    """Put sections together.

    Parameters
    ----------
    sections : mapping of str to object
        By name of the section: an object of its class, a plain value, or None; for ``evaluation_details`` a list.

    Returns
    -------
    dict
        In the order of :data:`SECTIONS`, without the sections that are None or an empty list.

    Raises
    ------
    CardTypeError
        For a section that cards do not have.

    Examples
    --------
    >>> content_of({"intended_uses": None, "model_overview": {"model_name": "churn"}, "evaluation_details": []})
    {'model_overview': {'model_name': 'churn'}}
    """
    for name in sections:
        if name not in SECTIONS:
            close = nearest(name, SECTIONS)
            raise CardTypeError(
                f"a card has no section {name!r}", fix=f"did you mean {close!r}?" if close else None
            )
    given = ((name, plain(sections.get(name))) for name in SECTIONS)
    return {name: value for name, value in given if value is not None and value != []}


def sections_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Make the sections' objects from content; each writes itself as it was read.

    Parameters
    ----------
    content : mapping
        As :func:`parse` gives it.

    Returns
    -------
    dict
        By name of the section: an object of its class; for ``evaluation_details`` a list of them. Sections that are
        not there are left out.

    Raises
    ------
    CardTypeError, CardValueError
        For what the classes do not take.
    """
    from driftline.cards.evaluation import EvaluationJob
    from driftline.cards.overview import ModelOverview
    from driftline.cards.package import ModelPackage
    from driftline.cards.sections import AdditionalInformation, BusinessDetails, IntendedUses
    from driftline.cards.training import TrainingDetails

    classes: dict[str, type[Part]] = {
        "model_overview": ModelOverview,
        "intended_uses": IntendedUses,
        "business_details": BusinessDetails,
        "training_details": TrainingDetails,
        "additional_information": AdditionalInformation,
        "model_package_details": ModelPackage,
    }
    sections: dict[str, Any] = {}
    for name, value in content.items():
        if name == "evaluation_details":
            sections[name] = [EvaluationJob.from_content(job) for job in _jobs(value)]
        elif name not in classes:
            close = nearest(str(name), SECTIONS)
            raise CardTypeError(
                f"a card has no section {name!r}", fix=f"did you mean {close!r}?" if close else None
            )
        elif value is not None:
            sections[name] = classes[name].from_content(value)
    return sections


def _jobs(value: Any) -> Iterator[Any]:
    if value is not None and not isinstance(value, (list, tuple, Listed)):
        raise CardTypeError("evaluation_details is a list of evaluation jobs", field="evaluation_details")
    yield from value or ()


def serialise(content: Mapping[str, Any]) -> str:
    """Write content as JSON text: the text whose characters are counted, in the form of the SDK for SageMaker.

    One line, with a space behind every comma and colon, keys in the order they have. Text beyond ASCII stands as
    itself: escaped, as the SDK has it, Chinese would have room for a sixth of what it may say.

    Raises
    ------
    CardError
        If the content holds something that JSON has no form for, such as NaN or an object of a program.

    Examples
    --------
    >>> serialise({"model_overview": {"model_name": "churn", "model_artifact": []}})
    '{"model_overview": {"model_name": "churn", "model_artifact": []}}'
    """
    try:
        return json.dumps(plain(content), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        from driftline.cards.validation import check

        check(content)  # names the place
        raise CardError(f"the content cannot be written as JSON: {error}") from None


def parse(source: str | bytes | Mapping[str, Any], file: object = None) -> dict[str, Any]:
    """Read content.

    Null members are left out, and numbers as values of hyper-parameters become text. Whether it keeps the limits is
    not looked at: :func:`driftline.cards.validation.check` does that.

    Parameters
    ----------
    source : str, bytes or mapping
        JSON text, or content as a mapping, of which a copy is made.
    file : object, optional
        Name used in errors.

    Returns
    -------
    dict
        Plain JSON values, in the order of the source.

    Raises
    ------
    DocumentError
        If it is no strict JSON: syntax, keys that occur twice, NaN, infinity, deep nesting.
    CardError
        If it is no object.

    Examples
    --------
    >>> parse('{"model_overview": {"model_name": null, "model_version": 2}}')
    {'model_overview': {'model_version': 2}}
    """
    value = decode(source, file=file, max_bytes=MAX_BYTES) if isinstance(source, (str, bytes)) else source
    if not isinstance(value, Mapping):
        raise CardError(f"expected an object with sections, found {type(value).__name__}", file=file)
    try:
        copy: dict[str, Any] = plain(value)
    except RecursionError:
        raise CardError("the content nests too deep", file=file) from None
    tidied: dict[str, Any] = _tidied(copy, "")
    return tidied


def _tidied(value: Any, pattern: str) -> Any:
    rule = RULES.get(pattern)
    if isinstance(rule, Object) and isinstance(value, dict):
        return {
            key: _tidied(item, f"{pattern}.{key}" if pattern else str(key))
            for key, item in value.items()
            if item is not None or f"{pattern}.{key}".lstrip(".") not in RULES
        }
    if isinstance(value, list) and not isinstance(rule, Map):
        return [_tidied(item, f"{pattern}.*") for item in value] if f"{pattern}.*" in RULES else value
    return as_text(value) if pattern.endswith("hyper_parameters.*.value") else value
