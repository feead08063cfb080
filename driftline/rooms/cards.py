"""Model cards of a workspace: write them, approve them, show them, verify them."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from driftline.registry import cards
from driftline.rooms.card_draft import Draft, checked, from_model, laid_over, of_version, still, with_fields
from driftline.rooms.card_reading import CardReader, Which

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable, Mapping

    from driftline.registry.card_life import Rules
    from driftline.registry.card_types import Card
    from driftline.registry.store import Tx
    from driftline.rooms.card_apply import CardPlan
    from driftline.rooms.card_export import Exported

__all__ = ["Cards", "Which"]


class Cards(CardReader):
    """``ws.cards``."""

    # --- writing ----------------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        content: Mapping[str, Any] | None = None,
        *,
        extensions: Mapping[str, Any] | None = None,
        model: str | None = None,
        tags: Mapping[str, str] | None = None,
        policy: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> Card:
        """Write the first version of a card, a draft.

        Parameters
        ----------
        name : str
            1 to 63 letters, digits and inner hyphens.
        content : mapping, optional
            As SageMaker has it.
        extensions : mapping, optional
            What SageMaker has no place for.
        model : str, optional
            The registry's model that it is about, or ``model/version``: what is known of it is filled in where `content`
            is silent, and its monitors feed the card.
        tags, policy : mapping, optional
        reason : str

        Raises
        ------
        CardError
            If it breaks a rule; the error has all that it breaks.
        RegistryError
            ``E-CARD-EXISTS``, ``E-CARD-MODEL``, ``E-NO-MODEL``.
        """
        draft = Draft(content or {}, extensions or {}, tags=tags, policy=policy)
        if model is not None:
            draft = laid_over(from_model(self._house, model), draft)
        return self.create_from(name, draft, reason=reason)

    def create_from(self, name: str, draft: Draft, *, reason: str = "") -> Card:
        """Write the first version of a card from a draft; see :mod:`driftline.rooms.card_draft`."""
        checked(draft)

        def act(tx: Tx) -> Card:
            return cards.create(
                tx,
                name,
                dict(draft.content),
                extensions=dict(draft.extensions),
                tags=draft.tags,
                policy=draft.policy,
                provenance=dict(draft.provenance),
                model=draft.model,
            )

        return self._act(act, reason)

    def revise(
        self,
        name: str,
        content: Mapping[str, Any] | None = None,
        *,
        extensions: Mapping[str, Any] | None = None,
        expected: int | None = None,
        reason: str = "",
    ) -> tuple[Card, bool]:
        """Write the next version of a card, a draft; the same text makes none.

        Parameters
        ----------
        name : str
        content, extensions : mapping, optional
            Whole; what is not given stays as it is.
        expected : int, optional
            The version that the new one goes out from; the newest where not given.
        reason : str

        Returns
        -------
        tuple of Card and bool
            The card, and whether there is a new version.

        Raises
        ------
        CardError
        RegistryError
            ``E-CARD-CONFLICT`` where somebody wrote a newer version than `expected`; ``E-CARD-ARCHIVED``.
        """

        def change(before: Draft) -> Draft:
            return Draft(
                before.content if content is None else content,
                before.extensions if extensions is None else extensions,
            )

        return self._changed(name, change, expected, reason)

    def set_fields(
        self,
        name: str,
        given: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        unset: Iterable[str] = (),
        *,
        expected: int | None = None,
        reason: str = "",
    ) -> tuple[Card, bool]:
        """Change single fields, by their paths.

        Parameters
        ----------
        name : str
        given : mapping or iterable of pairs
            Values by path: ``{"intended_uses.risk_rating": "High", "evaluation_details[holdout].datasets.0": "s3://…"}``.
        unset : iterable of str
            Paths of fields to take away.
        expected, reason
            See :meth:`revise`.
        """
        pairs = [*(given.items() if hasattr(given, "items") else given)]
        paths = [*unset]
        return self._changed(name, lambda before: with_fields(before, pairs, paths), expected, reason)

    def add_evaluation(
        self,
        name: str,
        *sources: str | os.PathLike[str],
        called: str | None = None,
        observation: str | None = None,
        datasets: Iterable[str] = (),
        reason: str = "",
    ) -> tuple[Card, bool]:
        """Add evaluation reports; one of the same name takes the place of the older.

        Parameters
        ----------
        name : str
            Of the card.
        *sources : path or URL
            See :func:`driftline.rooms.card_evaluation.evaluation_of`.
        called : str, optional
            What to call the evaluation; told from the report where not given.
        observation : str, optional
            What somebody has to say about it.
        datasets : iterable of str
            What the model was evaluated on.
        reason : str
        """
        from driftline.rooms.card_evaluation import evaluation_of, with_evaluations

        data = [*datasets]
        jobs = [
            evaluation_of(source, name=called, observation=observation, datasets=data) for source in sources
        ]
        return self._changed(name, lambda before: with_evaluations(before, jobs), None, reason)

    def _changed(
        self, name: str, change: Callable[[Draft], Draft], expected: int | None, reason: str
    ) -> tuple[Card, bool]:
        version = self.version(name)
        before = of_version(version)
        after = checked(change(before))

        def act(tx: Tx) -> tuple[Card, bool]:
            return cards.revise(
                tx,
                name,
                content=dict(after.content),
                extensions=dict(after.extensions),
                provenance=still(before.provenance, before.whole, after.whole),
                expected=version.version if expected is None else expected,
            )

        return self._act(act, reason)

    def plan(self, *files: str | os.PathLike[str]) -> CardPlan:
        """Find out what must be done so that cards say what files say; ``.apply()`` of the plan does it.

        Raises
        ------
        DriftlineError
            See :func:`driftline.rooms.card_apply.plan_cards`.
        """
        from driftline.rooms.card_apply import plan_files

        return plan_files(self._house, files)

    # --- its life ---------------------------------------------------------------------------------------------------

    def submit(self, name: str, *, reason: str = "") -> Card:
        """Ask for the newest version to be reviewed."""
        return self._set(name, "PendingReview", reason)

    def approve(self, name: str, content_hash: str, *, reason: str = "") -> Card:
        """Approve the newest version; its hash says which text is meant.

        Raises
        ------
        RegistryError
            ``E-CARD-HASH`` where the newest version says something else; ``E-CARD-OWN-TEXT`` where the one who approves
            wrote some of it; ``E-CARD-REVIEWER``, ``E-CARD-STEP``.
        """
        return self._set(name, "Approved", reason, content_hash=content_hash)

    def reject(self, name: str, *, reason: str) -> Card:
        """Give the newest version back to those who write it."""
        return self._set(name, "Draft", reason)

    def archive(self, name: str, *, reason: str = "") -> Card:
        """Close a card for good: it can be read, exported and cloned, and no longer changed."""
        return self._set(name, "Archived", reason)

    def _set(self, name: str, status: str, reason: str, **given: Any) -> Card:
        return self._act(lambda tx: cards.set_status(tx, name, status, **given), reason)

    def clone(
        self,
        name: str,
        new: str,
        *,
        which: Which = "latest",
        full: bool = False,
        model: str | None = None,
        reason: str = "",
    ) -> Card:
        """Begin a card with what another one says; the new one knows from which text it came.

        Parameters
        ----------
        name : str
        new : str
            Name of the new card.
        which : int, "latest" or "approved"
        full : bool
            Also what was measured of, and collected about, the old model; never what names it.
        model : str, optional
            The registry's model that the new card is about: what is known of it is filled in.
        reason : str
        """
        from driftline.cards.card_text import copied

        version, policy = self.version(name, which), self.get(name).policy
        content, extensions = copied(version, full=full)
        draft = Draft(content, extensions or {}, policy=policy)
        if model is not None:
            draft = replace(laid_over(draft, from_model(self._house, model)), policy=policy)
        checked(draft)

        def act(tx: Tx) -> Card:
            return cards.create(
                tx,
                new,
                dict(draft.content),
                extensions=dict(draft.extensions),
                provenance=dict(draft.provenance),
                policy=draft.policy,
                model=draft.model,
                cloned_from={
                    "name": version.name,
                    "version": version.version,
                    "content_hash": version.content_hash,
                },
            )

        return self._act(act, reason)

    def delete(self, name: str, *, force: bool = False, reason: str = "") -> Card:
        """Remove all that a card says; its chain of hashes stays.

        Raises
        ------
        RegistryError
            ``E-CARD-KEPT`` for a card that ever was approved, unless with `force`.
        """
        return self._act(lambda tx: cards.delete(tx, name, force=force), reason)

    # --- what is beside the text ------------------------------------------------------------------------------------

    def set_tags(self, name: str, tags: Mapping[str, str], *, reason: str = "") -> Card:
        """Put these tags into the place of those that there are."""
        return self._act(lambda tx: cards.set_tags(tx, name, dict(tags)), reason)

    def set_policy(self, name: str, policy: Mapping[str, Any], *, reason: str = "") -> Card:
        """Say what becomes of the reports of the model's monitors: ``evaluations`` and ``every``."""
        return self._act(lambda tx: cards.set_policy(tx, name, dict(policy)), reason)

    def set_model(self, name: str, model: str | None, *, reason: str = "") -> Card:
        """Say which of the registry's models a card is about."""
        return self._act(lambda tx: cards.set_model(tx, name, model), reason)

    def set_rules(
        self,
        *,
        allow_direct_approval: bool | None = None,
        reviewers: builtins.list[str] | None = None,
        reason: str = "",
    ) -> Rules:
        """Say who may approve cards in this workspace, and how; what is not given stays as it is."""
        return self._act(
            lambda tx: cards.set_rules(tx, allow_direct_approval=allow_direct_approval, reviewers=reviewers),
            reason,
        )

    def store_plan(self, name: str, *, reason: str = "") -> tuple[Card, bool]:
        """Write the plan by which the card's model is watched into the card: a new version where it has changed."""
        from driftline.cards.extensions import stamped
        from driftline.cards.post_market import BY_PEOPLE

        live = self.post_market_plan(name)

        def change(before: Draft) -> Draft:
            old = before.extensions.get("post_market_plan") or {}
            kept = {key: old[key] for key in BY_PEOPLE if key in old}
            extensions = stamped({**before.extensions, "post_market_plan": {**live, **kept}})
            return Draft(before.content, extensions)

        return self._changed(name, change, None, reason)

    def export(
        self,
        name: str,
        output: str | os.PathLike[str] = ".",
        *,
        which: Which = "latest",
        format: str | None = None,  # noqa: A002 - the word that users type
        plain: bool = False,
        reason: str = "",
    ) -> tuple[Exported, str]:
        """Write a version to a file, and keep in the card's chain that this was done.

        Parameters
        ----------
        name : str
        output : path or URL
            A file, whose ending tells the format, or a folder.
        which : int, "latest" or "approved"
        format : str, optional
            See :data:`driftline.rooms.card_export.FORMATS`; PDF where nothing tells it.
        plain : bool
            Of other tools' forms, only what they have a place for themselves.
        reason : str

        Returns
        -------
        tuple of Exported and str
            What was written, and where it is.
        """
        from driftline.rooms.card_export import export_to

        return export_to(self._act, self.view(name, which), os.fspath(output), format, reason, plain=plain)
