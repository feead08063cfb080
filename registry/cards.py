"""Cards: what is written about models, who approved it, and the chain that proves it.

The rooms behind this door: :mod:`~driftline.registry.card_store` (writing), :mod:`~driftline.registry.card_read` (reading),
:mod:`~driftline.registry.card_life` (which status may follow which), :mod:`~driftline.registry.card_chain` and
:mod:`~driftline.registry.card_check` (whether all is as it was written), :mod:`~driftline.registry.card_evidence`,
:mod:`~driftline.registry.card_exports`.
"""

from __future__ import annotations

from driftline.registry.card_chain import verify_document
from driftline.registry.card_check import verify
from driftline.registry.card_evidence import add_evidence, evidence, latest_evidence
from driftline.registry.card_exports import exports, fail_export, finish_export, get_export, start_export
from driftline.registry.card_given import DEFAULT_POLICY, metadata_of
from driftline.registry.card_life import Rules
from driftline.registry.card_read import (
    chain_document,
    cursor_of,
    deleted_cards,
    find,
    find_by_model,
    find_by_model_id,
    get,
    list_cards,
    records,
    rules,
    version,
    versions,
)
from driftline.registry.card_store import (
    create,
    delete,
    revise,
    set_model,
    set_policy,
    set_rules,
    set_status,
    set_tags,
)
from driftline.registry.card_types import (
    ARN_PREFIX,
    EVALUATIONS,
    RISK_RATINGS,
    STATUSES,
    Break,
    Card,
    CardVersion,
    Evidence,
    Export,
    Record,
)

__all__ = [
    "ARN_PREFIX",
    "DEFAULT_POLICY",
    "EVALUATIONS",
    "RISK_RATINGS",
    "STATUSES",
    "Break",
    "Card",
    "CardVersion",
    "Evidence",
    "Export",
    "Record",
    "Rules",
    "add_evidence",
    "chain_document",
    "create",
    "cursor_of",
    "delete",
    "deleted_cards",
    "evidence",
    "exports",
    "fail_export",
    "find",
    "find_by_model",
    "find_by_model_id",
    "finish_export",
    "get",
    "get_export",
    "latest_evidence",
    "list_cards",
    "metadata_of",
    "records",
    "revise",
    "rules",
    "set_model",
    "set_policy",
    "set_rules",
    "set_status",
    "set_tags",
    "start_export",
    "verify",
    "verify_document",
    "version",
    "versions",
]
