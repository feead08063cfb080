"""What tests of model cards share: small texts, and the way of a card to its approval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import DriftlineError
from driftline.registry import cards

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.registry.card_types import Card
    from driftline.registry.store import Registry, Tx

SEED = Path(__file__).parent / "data" / "cards" / "content" / "seed_sample_card.content.json"


def text(n: int = 1, **overview: Any) -> dict[str, Any]:
    return {
        "model_overview": {"model_name": "churn", "model_owner": "growth", **overview},
        "intended_uses": {"risk_rating": "High", "purpose_of_model": f"text {n}"},
    }


def seed() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(SEED.read_text("utf-8"))
    return made


def act(registry: Registry, who: str, action: Callable[[Tx], Any], reason: str = "because") -> Any:
    with registry.write(who, reason) as tx:
        return action(tx)


def make(registry: Registry, name: str = "churn", who: str = "ann", n: int = 1, **given: Any) -> Card:
    made: Card = act(registry, who, lambda tx: cards.create(tx, name, text(n), **given), "new")
    return made


def revise(registry: Registry, n: int, name: str = "churn", who: str = "ann", **given: Any) -> Card:
    made: Card = act(
        registry, who, lambda tx: cards.revise(tx, name, content=text(n), **given)[0], f"text {n}"
    )
    return made


def approve(registry: Registry, name: str = "churn", who: str = "bob") -> Card:
    def do(tx: Tx) -> Card:
        card = cards.get(tx, name)
        if card.status == "Draft":
            cards.set_status(tx, name, "PendingReview")
        return cards.set_status(tx, name, "Approved", content_hash=card.content_hash)

    made: Card = act(registry, who, do, "looks right")
    return made


def refused(registry: Registry, who: str, action: Callable[[Tx], Any], reason: str = "because") -> Any:
    """Return the error that an action ends in; nothing is left of it."""
    before = state(registry)
    with pytest.raises(DriftlineError) as caught:
        act(registry, who, action, reason)
    assert state(registry) == before
    assert caught.value.fix
    return caught.value


def state(registry: Registry) -> list[Any]:
    with registry.read() as tx:
        return [*cards.list_cards(tx, limit=100), *cards.deleted_cards(tx, limit=100)]


def breaks(registry: Registry, name: str | None = None) -> list[tuple[str, int | None, int | None]]:
    with registry.read() as tx:
        return [(one.card, one.version, one.record) for one in cards.verify(tx, name)]
