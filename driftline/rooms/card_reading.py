"""Model cards of a workspace, to read: cards, versions, what differs, what is missing, whether all is as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from driftline.registry import cards
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable

    from driftline.cards.completeness import Completeness
    from driftline.cards.diff import Change
    from driftline.cards.view import CardView
    from driftline.registry.card_life import Rules
    from driftline.registry.card_types import Break, Card, CardVersion, Evidence, Export, Record
    from driftline.registry.store import Tx
    from driftline.rooms.card_export import Exported

__all__ = ["CardReader", "Which"]

Which = int | Literal["latest", "approved"]
"""Which version is meant."""

_PAGE = 100

T = TypeVar("T")


class CardReader(Room):
    """What of ``ws.cards`` changes nothing."""

    def list(
        self,
        *,
        contains: str | None = None,
        status: str | None = None,
        risk_rating: str | None = None,
        owner: str | None = None,
        model: str | None = None,
        tag: str | None = None,
        approved_before: int | None = None,
        sort: str = "name",
        descending: bool = False,
        after: str | Card | None = None,
        limit: int = 100,
    ) -> builtins.list[Card]:
        """Return cards; see :func:`driftline.registry.cards.list_cards`, but for the limit, which may be any."""

        def page(last: Card | None, most: int) -> builtins.list[Card]:
            return self._read(
                lambda tx: cards.list_cards(
                    tx,
                    contains=contains,
                    status=status,
                    risk_rating=risk_rating,
                    owner=owner,
                    model=model,
                    tag=tag,
                    approved_before=approved_before,
                    sort=sort,
                    descending=descending,
                    after=after if last is None else last,
                    limit=most,
                )
            )

        return _paged(page, limit)

    def get(self, name: str) -> Card:
        """Return a card by its name or ARN.

        Raises
        ------
        RegistryError
            ``E-NO-CARD``.
        """
        return self._read(lambda tx: cards.get(tx, name))

    def version(self, name: str, which: Which = "latest") -> CardVersion:
        """Return a version: the newest, the newest that is approved, or one by its number.

        Raises
        ------
        RegistryError
            ``E-NO-CARD``, ``E-CARD-VERSION``, ``E-CARD-DAMAGED``.
        """
        return self._read(lambda tx: cards.version(tx, name, which))

    def versions(
        self, name: str, *, descending: bool = False, limit: int = 100, **given: Any
    ) -> builtins.list[CardVersion]:
        """Return versions, the oldest first; see :func:`driftline.registry.cards.versions`."""
        after = given.pop("after", None)
        return _paged(
            lambda last, most: self._read(
                lambda tx: cards.versions(
                    tx,
                    name,
                    descending=descending,
                    after=after if last is None else last.version,
                    limit=most,
                    **given,
                )
            ),
            limit,
        )

    def records(self, name: str, *, after: int = 0, limit: int = 1000) -> builtins.list[Record]:
        """Return the chain of a card: all that was ever done to it, in order; of a deleted one, too."""
        return self._read(lambda tx: cards.records(tx, name, after=after, limit=limit))

    def view(self, name: str, which: Which = "latest", *, monitors: bool = False) -> CardView:
        """Return a version with all that a reader should see beside it.

        Parameters
        ----------
        name : str
        which : int, "latest" or "approved"
        monitors : bool
            Also the state of the model's monitors, as it is now.
        """
        from driftline.cards.views import view

        return view(self._house.registry, name, which, monitors=monitors)

    def evidence(
        self, name: str, *, schedule: str | None = None, after: str | None = None, limit: int = 100
    ) -> builtins.list[Evidence]:
        """Return the monitors' reports and baselines that stand beside the text, the newest first."""
        return _paged(
            lambda last, most: self._read(
                lambda tx: cards.evidence(
                    tx, name, schedule=schedule, after=after if last is None else last.source, limit=most
                )
            ),
            limit,
        )

    def rules(self) -> Rules:
        """Return who may approve cards in this workspace, and how."""
        return self._read(cards.rules)

    def differences(self, name: str, old: Which, new: Which = "latest") -> builtins.list[Change]:
        """Return what differs between two versions, field by field."""
        from driftline.cards.diff import differences

        one, two = self._read(lambda tx: (cards.version(tx, name, old), cards.version(tx, name, new)))
        return differences(one, two)

    def text_diff(self, name: str, old: Which, new: Which = "latest") -> str:
        """Return what differs between two versions as they are read, as a unified diff of their Markdown."""
        from driftline.cards.diff import text_diff

        return text_diff(self.view(name, old), self.view(name, new))

    def check(self, name: str, profile: str = "eu-annex-iv", which: Which = "latest") -> Completeness:
        """Say which rows of a profile a card fills, with what the registry knows of its model.

        Parameters
        ----------
        name : str
        profile : str
            ``eu-annex-iv``, ``nist-ai-rmf``, or the path of a TOML file with an organisation's own.
        which : int, "latest" or "approved"

        Raises
        ------
        UsageError
            ``E-CARD-PROFILE``.
        """
        from driftline.cards.completeness import check_profile
        from driftline.cards.facts import facts_of
        from driftline.rooms.card_profile import profile_of

        wanted = profile_of(profile)
        versions = self.versions(name, limit=1 << 30)

        def look(tx: Tx) -> Completeness:
            card = cards.get(tx, name)
            version = cards.version(tx, name, which)
            facts = facts_of(
                tx,
                card.model,
                content=version.content,
                extensions=version.extensions,
                versions=versions,
                records=card.records,
                evidence=cards.latest_evidence(tx, name),
                read=self._file,
            )
            return check_profile(
                version.content, version.extensions, wanted, facts=facts, provenance=version.provenance
            )

        return self._read(look)

    def post_market_plan(self, name: str) -> dict[str, Any]:
        """Return the plan by which the card's model is watched, from the monitors as they are now.

        Raises
        ------
        UsageError
            ``E-CARD-MODEL``: the card is about no registered model.
        """
        from driftline.cards.post_market import plan_of
        from driftline.errors import UsageError

        model = self.get(name).model
        if model is None:
            raise UsageError(
                "is about no registered model, so nothing watches it",
                code="E-CARD-NO-MODEL",
                field=name,
                fix="register the model with `driftline model import`, and give its name as model_overview.model_name",
            )
        return self._read(lambda tx: plan_of(tx, model, read=self._file))

    def _file(self, path: str) -> bytes:
        """Return a file of the workspace by its path below the root."""
        from driftline.capture.target import target_of

        data: bytes = target_of(self._house.place.root).read(path).to_pybytes()
        return data

    def verify(self, name: str | None = None) -> builtins.list[Break]:
        """Compute the chain and all hashes anew; return the places where something is not as it was written."""
        return self._read(lambda tx: cards.verify(tx, name))

    def render(
        self,
        name: str,
        which: Which = "latest",
        format: str = "pdf",  # noqa: A002 - the word that users type
        *,
        plain: bool = False,
    ) -> Exported:
        """Return a version as a file: ``.data`` is what to write, ``.lost`` what the format has no place for.

        Nothing is recorded. Parameters as for :meth:`export`.

        Raises
        ------
        UsageError
            ``E-CARD-FORMAT``.
        """
        from driftline.rooms.card_export import exported

        return exported(self.view(name, which), format, plain=plain)

    def exports(self, name: str, **given: Any) -> builtins.list[Export]:
        """Return the exports of a card; see :func:`driftline.registry.cards.exports`."""
        return self._read(lambda tx: cards.exports(tx, name, **given))


def _paged(page: Callable[[T | None, int], builtins.list[T]], limit: int) -> builtins.list[T]:
    """Return so many rows, page by page."""
    found: list[T] = []
    while len(found) < limit:
        most = min(_PAGE, limit - len(found))
        more = page(found[-1] if found else None, most)
        found += more
        if len(more) < most:
            break
    return found
