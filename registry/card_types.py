"""What the registry keeps of a model card, as values: the card, its versions, its chain, evidence and exports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ARN_PREFIX",
    "EVALUATIONS",
    "RISK_RATINGS",
    "STATUSES",
    "Break",
    "Card",
    "CardVersion",
    "Evidence",
    "Export",
    "Record",
]

STATUSES: Final = ("Draft", "PendingReview", "Approved", "Archived")
"""Statuses of a version, in SageMaker's words."""

RISK_RATINGS: Final = ("High", "Medium", "Low", "Unknown")
"""Risk ratings of a card, in SageMaker's words."""

EVALUATIONS: Final = ("evidence", "draft", "off")
"""What may become of the monitors' reports: noted beside the text, also written into a new draft, or nothing."""

ARN_PREFIX: Final = "arn:driftline:sagemaker:workspace:000000000000:model-card/"
"""What an ARN begins with; the form is SageMaker's, so that programs which take it apart go on working."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model card, whatever its versions.

    Attributes
    ----------
    id, name, arn : str
    status : str
        Of the newest version, one of :data:`STATUSES`.
    version : int
        The newest, from 1.
    approved_version : int or None
        The newest whose approval stands: archiving leaves it, another review takes it back.
    content_hash : str
        ``sha256:<hex>``, of the newest version.
    model_id : str or None
        ``model_overview.model_id``; no two cards share one.
    model : str or None
        The registry's model that the card is about.
    risk_rating : str or None
        One of :data:`RISK_RATINGS`.
    owner, package_group : str or None
    tags : mapping of str to str
    policy : mapping
        ``evaluations``: one of :data:`EVALUATIONS`; ``every``: the least time between two drafts, in ISO 8601.
    cloned_from : mapping or None
        ``name``, ``version`` and ``content_hash``.
    records : int
        How many the chain has.
    head : str
        Hash of the newest record.
    created, modified : int
        Microseconds since 1970-01-01 UTC.
    created_by, modified_by : str
    deleted : int or None
        When it was deleted; then only the chain is left.
    """

    id: str
    name: str
    arn: str
    status: str
    version: int
    approved_version: int | None
    content_hash: str
    model_id: str | None
    model: str | None
    risk_rating: str | None
    owner: str | None
    package_group: str | None
    tags: Mapping[str, str]
    policy: Mapping[str, Any]
    cloned_from: Mapping[str, Any] | None
    records: int
    head: str
    created: int
    created_by: str
    modified: int
    modified_by: str
    deleted: int | None = None


@dataclass(frozen=True, slots=True)
class CardVersion:
    """One version of a card: what it says never changes.

    Attributes
    ----------
    name : str
        Of the card.
    version : int
    content : mapping
        As SageMaker has it.
    extensions : mapping
        What SageMaker has no place for.
    provenance : mapping of str to mapping
        Where a field came from, by its dotted path: ``source`` and ``moment`` (RFC 3339).
    content_hash : str
        ``sha256:<hex>`` of the canonical JSON (RFC 8785) of ``{"content": …, "extensions": …}``.
    status : str
        The one it has, or had when the next version came.
    author, reason : str
        Who wrote it and why.
    created : int
    status_moment : int
    status_by : str
    approved : int or None
    approved_by : str or None
    """

    name: str
    version: int
    content: Mapping[str, Any]
    extensions: Mapping[str, Any]
    provenance: Mapping[str, Any]
    content_hash: str
    status: str
    author: str
    reason: str
    created: int
    status_moment: int
    status_by: str
    approved: int | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One link of a card's chain.

    Attributes
    ----------
    seq : int
        From 1, without a gap.
    kind : str
        ``created``, ``revised``, ``status``, ``tagged``, ``policy``, ``model``, ``evidence``, ``exported`` or ``deleted``.
    version : int
    content_hash : str
    status : str
    previous_status : str or None
        Where the status changed.
    who, reason : str
    moment : int
    detail : mapping
    previous, hash : str
        ``hash`` is SHA-256, in hex, of the canonical JSON (RFC 8785) of all others and the card's name and id, see
        :mod:`driftline.registry.card_chain`.
    """

    seq: int
    kind: str
    version: int
    content_hash: str
    status: str
    previous_status: str | None
    who: str
    moment: int
    reason: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A monitor's report, or a baseline, beside the text of a card.

    Attributes
    ----------
    source : str
        ``executions/ID`` or ``baselines/NAME/VERSION``.
    schedule : str or None
    kind : str
        ``data-quality``, ``model-quality``, ``bias`` or ``attribution``.
    status : str
        ``passed``, ``violated``, ``undetermined`` or ``baseline``.
    window : tuple of int, or None
        From and to.
    path : str
        Folder of the report or the baseline, below the workspace's root.
    digest : str
    summary : str
        One sentence.
    moment : int
    """

    source: str
    schedule: str | None
    kind: str
    status: str
    window: tuple[int, int] | None
    path: str
    digest: str
    summary: str
    moment: int


@dataclass(frozen=True, slots=True)
class Export:
    """An export job.

    Attributes
    ----------
    name, arn : str
    card : str
        Name of the card.
    version : int
    format : str
        ``pdf``, ``html``, ``md`` or ``json``.
    output : str
        Folder or URL that was asked for.
    status : str
        ``InProgress``, ``Completed`` or ``Failed``.
    artifact, digest : str or None
        The file, and ``sha256:<hex>`` of it.
    failure_reason : str or None
    who : str
    created, modified : int
    """

    name: str
    arn: str
    card: str
    version: int
    format: str
    output: str
    status: str
    artifact: str | None
    digest: str | None
    failure_reason: str | None
    who: str
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the store does not agree with the chain.

    Attributes
    ----------
    card : str
        Name of the card.
    version : int or None
    record : int or None
    what : str
        One sentence.
    """

    card: str
    version: int | None
    record: int | None
    what: str = field(default="")
