"""Card given: what callers hand to the room of model cards, looked at before anything is written.

Whether a card's text follows SageMaker's schema is decided above; what is refused here could not be stored, hashed or
found again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.documents import nearest
from driftline.errors import UsageError, printable
from driftline.registry.card_types import ARN_PREFIX, EVALUATIONS, RISK_RATINGS, STATUSES
from driftline.registry.given import check_moment, check_value, check_words

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DEFAULT_POLICY",
    "MOST_CONTENT",
    "Derived",
    "check_card_name",
    "check_cloned_from",
    "check_content",
    "check_extensions",
    "check_page_of_100",
    "check_policy",
    "check_provenance",
    "check_status",
    "content_text",
    "derived",
    "metadata_of",
    "name_of",
]

MOST_CONTENT: Final = 100_000
"""So many characters a card's content has at most, as JSON."""

MOST_EXTENSIONS: Final = 1_000_000

DEFAULT_POLICY: Final = {"evaluations": "evidence", "every": "P1D"}

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_DURATION = re.compile(
    r"P(?=[1-9T])([1-9][0-9]{0,3}W|([1-9][0-9]{0,3}D)?(T(?=[1-9])([1-9][0-9]{0,4}H)?([1-9][0-9]{0,6}M)?)?)"
)
_SEARCHED = 256  # characters of a field that lists can be filtered by


def check_card_name(name: object, what: str = "a model card") -> str:
    """Return the name of a card, or of an export job, as SageMaker allows it.

    Raises
    ------
    UsageError
        ``E-NAME``: not 1 to 63 letters, digits and hyphens, the first and the last no hyphen.
    """
    if isinstance(name, str) and 1 <= len(name) <= 63 and _NAME.fullmatch(name):
        return name
    raise UsageError(
        f"{printable(repr(name), 80)} cannot name {what}",
        code="E-NAME",
        fix="use 1 to 63 letters, digits and hyphens; the first and the last are no hyphens",
    )


def name_of(name_or_arn: object) -> str:
    """Return the name of a card from its name or its ARN.

    Raises
    ------
    UsageError
        ``E-NAME``.
    """
    text = name_or_arn if isinstance(name_or_arn, str) else ""
    return check_card_name(text[len(ARN_PREFIX) :] if text.startswith(ARN_PREFIX) else name_or_arn)


def check_status(status: object) -> str:
    """Return one of :data:`~driftline.registry.card_types.STATUSES`.

    Raises
    ------
    UsageError
        ``E-CARD-STATUS``.
    """
    if isinstance(status, str) and status in STATUSES:
        return str(status)
    close = nearest(status, STATUSES) if isinstance(status, str) and len(status) < 100 else None
    raise UsageError(
        f"{printable(repr(status), 60)} is no status of a model card",
        code="E-CARD-STATUS",
        field="status",
        fix=f"did you mean {close!r}?" if close else "use " + ", ".join(STATUSES),
    )


def check_content(content: object) -> tuple[dict[str, Any], str]:
    """Return a card's content, copied, and as the text that is stored.

    Raises
    ------
    UsageError
        ``E-CARD-CONTENT``: no object, or more than 100,000 characters; ``E-TEXT``, ``E-VALUE``: it holds what JSON or a
        database cannot.
    """
    if not isinstance(content, dict):
        raise _no_object("content", content)
    copied = check_value("content", content)
    text = content_text(copied)
    if len(text) > MOST_CONTENT:
        raise UsageError(
            f"has {len(text):,} characters as JSON, a model card has at most {MOST_CONTENT:,}",
            code="E-CARD-CONTENT",
            field="content",
            fix="shorten it, or move what is long into extensions or files",
        )
    return copied, text


def content_text(content: Mapping[str, Any]) -> str:
    """Return a card's content as JSON in the order that its members have, without white space."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def check_extensions(extensions: object) -> dict[str, Any]:
    """Return extensions, copied.

    Raises
    ------
    UsageError
        ``E-CARD-CONTENT``, ``E-TEXT``, ``E-VALUE``.
    """
    return _small("extensions", extensions)


def check_provenance(provenance: object) -> dict[str, Any]:
    """Return where fields came from, copied.

    Raises
    ------
    UsageError
        ``E-CARD-CONTENT``, ``E-TEXT``, ``E-VALUE``.
    """
    return _small("provenance", provenance)


def _small(what: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _no_object(what, value)
    copied: dict[str, Any] = check_value(what, value)
    size = len(content_text(copied))
    if size > MOST_EXTENSIONS:
        raise UsageError(
            f"has {size:,} characters as JSON, at most {MOST_EXTENSIONS:,} are kept",
            code="E-CARD-CONTENT",
            field=what,
            fix="keep such documents in files, and refer to them",
        )
    return copied


def check_policy(policy: object) -> dict[str, str]:
    """Return what becomes of the monitors' reports, complete.

    Raises
    ------
    UsageError
        ``E-CARD-POLICY``.
    """
    if not isinstance(policy, dict):
        raise _no_object("policy", policy, "E-CARD-POLICY")
    for key in policy:
        if key not in DEFAULT_POLICY:
            close = nearest(key, DEFAULT_POLICY) if isinstance(key, str) and len(key) < 100 else None
            raise UsageError(
                f"there is no such setting: {printable(repr(key), 60)}",
                code="E-CARD-POLICY",
                field="policy",
                fix=f"did you mean {close!r}?" if close else "use " + ", ".join(DEFAULT_POLICY),
            )
    made: dict[str, Any] = {**DEFAULT_POLICY, **policy}
    if made["evaluations"] not in EVALUATIONS:
        raise UsageError(
            f"{printable(repr(made['evaluations']), 60)} is nothing that can become of reports",
            code="E-CARD-POLICY",
            field="policy.evaluations",
            fix="use " + ", ".join(EVALUATIONS),
        )
    every = made["every"]
    if not isinstance(every, str) or not _DURATION.fullmatch(every):
        raise UsageError(
            f"{printable(repr(every), 60)} is no duration",
            code="E-CARD-POLICY",
            field="policy.every",
            fix="write it in ISO 8601, in weeks, days, hours and minutes: P1D, PT6H",
        )
    return made


def check_cloned_from(value: object) -> dict[str, Any] | None:
    """Return which version a card was cloned from: ``name``, ``version`` and ``content_hash``.

    Raises
    ------
    UsageError
        ``E-CARD-CONTENT``, ``E-NAME``, ``E-DIGEST``.
    """
    from driftline.registry.given import check_digest

    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"name", "version", "content_hash"}:
        raise UsageError(
            "expected name, version and content_hash of a card",
            code="E-CARD-CONTENT",
            field="cloned_from",
            fix="take them from the version that is cloned",
        )
    return {
        "name": check_card_name(value["name"]),
        "version": check_version(value["version"]),
        "content_hash": check_digest("cloned_from.content_hash", value["content_hash"]),
    }


def check_version(value: object) -> int:
    """Return the number of a version, from 1.

    Raises
    ------
    UsageError
        ``E-CARD-VERSION``.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 1 << 31:
        return int(value)
    raise UsageError(
        f"{printable(repr(value), 60)} is no version of a card",
        code="E-CARD-VERSION",
        field="version",
        fix="give a number from 1, latest or approved",
    )


def check_page_of_100(limit: object) -> int:
    """Return how many rows a page has.

    Raises
    ------
    UsageError
        ``E-LIMIT``: not between 1 and 100.
    """
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= 100:
        return int(limit)
    raise UsageError(
        f"{printable(repr(limit), 60)} rows are no page",
        code="E-LIMIT",
        field="limit",
        fix="ask for 1 to 100",
    )


def check_optional_moment(what: str, value: object) -> int | None:
    """Return an instant, or None where none is given."""
    return None if value is None else check_moment(what, value)


@dataclass(frozen=True, slots=True)
class Derived:
    """What of a card's content the card itself is found by.

    Attributes
    ----------
    model_id, model_name, risk_rating, owner, package_group : str or None
        None where the content does not say, or not in a text. Of `owner` and `package_group` the first 256 characters.
    """

    model_id: str | None
    model_name: str | None
    risk_rating: str | None
    owner: str | None
    package_group: str | None


def derived(content: Mapping[str, Any]) -> Derived:
    """Read from a card's content what the card is found by; whatever its shape."""
    rating = _said(content, "intended_uses", "risk_rating")
    owner = _said(content, "model_overview", "model_owner")
    group = _said(content, "model_package_details", "model_package_group_name")
    return Derived(
        _said(content, "model_overview", "model_id"),
        _said(content, "model_overview", "model_name"),
        rating if rating in RISK_RATINGS else None,
        owner and owner[:_SEARCHED],
        group and group[:_SEARCHED],
    )


_SHOWN: Final = (
    ("model_overview", "model_id"),
    ("model_overview", "model_name"),
    ("intended_uses", "risk_rating"),
    ("model_package_details", "model_package_group_name"),
    ("model_package_details", "model_package_arn"),
)


def metadata_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the five fields of a card's content that those may see who may not read it: ``MetadataOnly``."""
    made: dict[str, Any] = {}
    for section, name in _SHOWN:
        inside = content.get(section)
        if isinstance(inside, dict) and name in inside:
            made.setdefault(section, {})[name] = inside[name]
    return made


def _said(content: Mapping[str, Any], section: str, name: str) -> str | None:
    inside = content.get(section)
    value = inside.get(name) if isinstance(inside, dict) else None
    return value if isinstance(value, str) and value else None


def searched(what: str, value: object) -> str:
    """Return a text to compare a searched field with, cut as those are."""
    return check_words(what, value)[:_SEARCHED]


def _no_object(what: str, value: object, code: str = "E-CARD-CONTENT") -> UsageError:
    return UsageError(
        f"expected an object, found {printable(type(value).__name__, 60)}",
        code=code,
        field=what,
        fix="give a mapping, as JSON writes one in braces",
    )
