"""ModelCard: a card as a Python object, with the names and the behaviour of SageMaker's SDK.

What it says is written as a whole; nothing is stored until :meth:`ModelCard.create` or :meth:`ModelCard.update`. Different
from the SDK: the text is written before the status changes, both or neither; a newer version that somebody else wrote is
never written over; version, status and times are those of the store after every call.
"""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any, Self

from driftline.cards.card_jobs import ModelCardExportJob
from driftline.cards.card_state import CardState
from driftline.cards.card_text import copied
from driftline.cards.enums import ModelCardStatusEnum, RiskRatingEnum
from driftline.cards.errors import CardExistsError, CardValueError
from driftline.cards.limits import SECTIONS
from driftline.cards.session import Session, session_of
from driftline.documents import nearest

if TYPE_CHECKING:
    import builtins
    import os
    from collections.abc import Mapping

    from driftline.cards.diff import Change
    from driftline.registry.card_types import Card, CardVersion
    from driftline.registry.store import Tx

__all__ = ["ModelCard", "ModelCardExportJob"]

_BESIDE = ("extensions", "tags", "policy")


class ModelCard(CardState):
    """A model card.

    Parameters
    ----------
    name : str
        1 to 63 letters, digits and inner hyphens; it never changes.
    status : ModelCardStatusEnum or str, default Draft
    arn, version, created_time, created_by, last_modified_time, last_modified_by : optional
        Of a card that is stored; :meth:`load` fills them.
    model_overview, intended_uses, business_details, training_details, additional_information, model_package_details
        Objects of their classes, or dicts.
    evaluation_details : list of EvaluationJob, optional
    sagemaker_session, workspace : Session, Workspace, path, URL or None
        Two names for one thing: where the card is stored; the usual workspace if None.
    who : str, optional
        Who acts.
    extensions : dict, optional
        What SageMaker's content has no place for.
    tags : dict of str to str, optional
    policy : dict, optional
        What becomes of the monitors' reports: ``evaluations`` and ``every``.
    model : str, optional
        The registry's model that the card is about; otherwise the one that its parts were filled from.

    Attributes
    ----------
    content_hash : str or None
        Of the version that was read or written last.
    deleted : bool

    Examples
    --------
    >>> card = ModelCard(name="churn", intended_uses={"risk_rating": "Low"})
    >>> card.content()
    {'intended_uses': {'risk_rating': 'Low'}}
    """

    @classmethod
    def from_content(cls, content: Mapping[str, Any], *, name: str = "", **given: Any) -> Self:
        """Make a card, not yet stored, from content.

        Parameters
        ----------
        content : mapping
            As SageMaker has it.
        name : str
        **given
            As the constructor takes it.
        """
        from driftline.cards.content import sections_of

        made = cls(name, **given)
        made._load_sections(sections_of(content))
        return made

    @classmethod
    def from_model(
        cls,
        model_name: str,
        name: str | None = None,
        *,
        sagemaker_session: object = None,
        workspace: object = None,
        who: str | None = None,
        **given: Any,
    ) -> Self:
        """Make a card, not yet stored, with all that is known of a model.

        Parameters
        ----------
        model_name : str
            ``name`` for its newest version, or ``name/version``.
        name : str, optional
            Of the card; that of the model where not given.
        **given
            Sections that take the place of what was found, the risk rating excepted where they leave it open; all else the
            constructor takes.

        Raises
        ------
        UsageError
            ``E-NO-MODEL``, ``E-CARD-MODEL``.

        Warns
        -----
        PopulationWarning
        """
        from driftline.cards.extensions import stamped
        from driftline.cards.population import populate

        session = session_of(sagemaker_session, workspace, who=who)
        found = populate(model_name, session)
        made = cls(
            name if name is not None else str(found.model),
            sagemaker_session=session,
            model=found.model,
            **{**found.sections, "extensions": stamped(found.extensions) or None, **given},
        )
        known = found.sections.get("intended_uses")
        if known is not None and made.intended_uses is not None:
            said = made.intended_uses.to_content().get("risk_rating", RiskRatingEnum.UNKNOWN)
            if said == RiskRatingEnum.UNKNOWN:
                made.intended_uses.risk_rating = known.risk_rating
                made.intended_uses.__dict__["_facts"] = found.facts
        return made

    # --- storing ----------------------------------------------------------------------------------------------------

    def create(self, *, reason: str = "") -> str:
        """Store the card; its first version is 1.

        Parameters
        ----------
        reason : str
            Why, for the chain and the audit log.

        Returns
        -------
        str
            Its ARN.

        Raises
        ------
        CardExistsError
            ``E-CARD-EXISTS``: it is stored already, or another card has the name (a ``FileExistsError``).
        CardError
            ``E-CARD``: it breaks a limit.
        CardModelError
            ``E-CARD-MODEL``: the model has a card.
        """
        from driftline.registry import cards

        if self.arn is not None:
            raise CardExistsError(
                f"the model card {self.name!r} is stored already", fix="change it with update()"
            )
        content, extensions, provenance = self._said()

        def act(tx: Tx) -> tuple[Card, CardVersion]:
            made = cards.create(
                tx,
                self.name,
                content,
                extensions=extensions,
                status=str(self.status or "Draft"),
                tags=self.tags,
                provenance=provenance,
                policy=self.policy,
                cloned_from=self.__dict__["_cloned_from"],
                model=self._registered(tx),
            )
            return made, cards.version(tx, made.name)

        card, version = self.session.act(act, reason)
        self._take(card, version)
        return card.arn

    @classmethod
    def load(
        cls,
        name: str,
        version: int | str | None = None,
        sagemaker_session: object = None,
        *,
        workspace: object = None,
        who: str | None = None,
    ) -> Self:
        """Read a card.

        Parameters
        ----------
        name : str
            Name or ARN.
        version : int, "latest" or "approved", optional
            The newest where not given.
        sagemaker_session, workspace, who
            As for the constructor.

        Raises
        ------
        NoCardError
            ``E-NO-CARD``, ``E-CARD-VERSION``.
        """
        from driftline.registry import cards

        session = session_of(sagemaker_session, workspace, who=who)
        which = "latest" if version is None else version
        card, found = session.read(lambda tx: (cards.get(tx, name), cards.version(tx, name, which)))
        return cls._of(session, card, found)

    @classmethod
    def _of(cls, session: Session, card: Card, version: CardVersion) -> Self:
        from driftline.cards.content import sections_of

        made = cls(card.name, sagemaker_session=session)
        made._load_sections(sections_of(version.content))
        made.extensions = copy.deepcopy(dict(version.extensions)) or None
        made._take(card, version)
        return made

    def update(self, *, reason: str = "", **changes: Any) -> dict[str, Any]:
        """Store what changed: the text as a new version, which is a draft, then the status.

        Parameters
        ----------
        reason : str
        **changes
            Attributes to set first. A name that a card does not have is warned of, and passed over.

        Returns
        -------
        dict
            ``content`` where there is a new version, ``status``, ``tags`` and ``policy`` where they changed; empty where
            nothing did.

        Raises
        ------
        CardValueError
            ``E-CARD-VALUE``: the card is not stored, or is deleted.
        CardConflictError
            ``E-CARD-CONFLICT``: somebody wrote a newer version than the one that was read, or other tags or another policy
            where these change. Nothing is stored.
        CardError, CardStateError, CardModelError

        Notes
        -----
        A status changes only where it is given here, or was set: the status of an approved version is not that of the text
        that follows it.
        """
        from driftline.registry import cards

        self._must_be_stored("update")
        if self.version is None:
            raise CardValueError(
                f"of the model card {self.name!r} it is not known which version was read",
                field="version",
                fix="load() it first",
            )
        for name, value in changes.items():
            if name in (*SECTIONS, *_BESIDE, "status"):
                setattr(self, name, value)
            else:
                close = nearest(name, (*SECTIONS, *_BESIDE, "status"))
                hint = f"; did you mean {close!r}?" if close else ""
                warnings.warn(
                    f"a model card has no attribute {name!r} that changes{hint}", UserWarning, stacklevel=2
                )
        stored: dict[str, Any] = self.__dict__["_stored"]
        is_given = changes.get("status") is not None or self.status != stored["status"]
        wanted = str(self.status) if is_given and self.status is not None else None
        content, extensions, provenance = self._said()

        def act(tx: Tx) -> tuple[Card, CardVersion, dict[str, Any]]:
            done: dict[str, Any] = {}
            self._check_same(tx)
            card, is_new = cards.revise(
                tx,
                self.name,
                content=content,
                extensions=extensions,
                provenance=provenance,
                expected=self.version,
            )
            if is_new:
                done["content"] = {"ModelCardArn": card.arn, "ModelCardVersion": card.version}
            if wanted is not None and wanted != card.status:
                card = cards.set_status(
                    tx, self.name, wanted, expected_version=card.version, content_hash=card.content_hash
                )
                done["status"] = {"ModelCardArn": card.arn, "ModelCardStatus": card.status}
            if self.tags is not None and self.tags != stored["tags"]:
                self._check_beside(card, "tags")
                card = cards.set_tags(tx, self.name, self.tags)
                done["tags"] = {"ModelCardArn": card.arn}
            if self.policy is not None and self.policy != stored["policy"]:
                self._check_beside(card, "policy")
                card = cards.set_policy(tx, self.name, self.policy)
                done["policy"] = {"ModelCardArn": card.arn}
            return card, cards.version(tx, self.name), done

        card, version, done = self.session.act(act, reason)
        self._take(card, version)
        return done

    # --- its life ---------------------------------------------------------------------------------------------------

    def submit(self, *, reason: str = "") -> None:
        """Hand the text in for review."""
        self._move("PendingReview", self._own_hash(), reason)

    def approve(self, content_hash: str | None = None, *, reason: str = "") -> None:
        """Approve the text.

        Parameters
        ----------
        content_hash : str, optional
            Of the text that was read; where not given, of what this object says. Changes that are not stored are never
            approved.
        reason : str

        Raises
        ------
        CardStateError
            ``E-CARD-HASH``: the stored text is another one; ``E-CARD-OWN-TEXT``: whoever approves wrote some of it.
        """
        self._move("Approved", content_hash if content_hash is not None else self._own_hash(), reason)

    def reject(self, *, reason: str) -> None:
        """Send the text back to whoever writes it; a reason is required."""
        self._move("Draft", self._own_hash(), reason)

    def archive(self, *, reason: str = "") -> None:
        """Put the card away for good: it can still be read and exported, and cloned, but not changed."""
        self._move("Archived", self._own_hash(), reason)

    def _move(self, status: str, content_hash: str, reason: str) -> None:
        from driftline.registry import cards

        self._must_be_stored(status)

        def act(tx: Tx) -> tuple[Card, CardVersion]:
            self._check_same(tx)
            card = cards.set_status(
                tx, self.name, status, expected_version=self.version, content_hash=content_hash
            )
            return card, cards.version(tx, self.name)

        self._take(*self.session.act(act, reason))

    def delete(self, *, force: bool = False, reason: str = "") -> bool:
        """Delete the card; its chain of records and hashes stays.

        Parameters
        ----------
        force : bool
            Also where it ever was approved.
        reason : str

        Returns
        -------
        bool
            True.

        Raises
        ------
        CardStateError
            ``E-CARD-KEPT``.
        """
        from driftline.registry import cards

        self._must_be_stored("delete")

        def act(tx: Tx) -> None:
            self._check_same(tx)
            cards.delete(tx, self.name, force=force)

        self.session.act(act, reason)
        self.status = ModelCardStatusEnum.ARCHIVED
        self.__dict__.update(_deleted=True, _stored={**self.__dict__["_stored"], "status": "Archived"})
        return True

    def clone(
        self, name: str, version: int | str = "latest", *, full: bool = False, reason: str = ""
    ) -> Self:
        """Store a copy under another name: version 1, a draft.

        Parameters
        ----------
        name : str
            Of the copy.
        version : int, "latest" or "approved"
        full : bool
            Also what was found of the model, its training and its evaluations; the ``model_id`` never: a model has one
            card.
        reason : str

        Returns
        -------
        ModelCard
        """
        from driftline.cards.content import sections_of
        from driftline.registry import cards

        self._must_be_stored("clone")
        card, source = self.session.read(
            lambda tx: (cards.get(tx, self.name), cards.version(tx, self.name, version))
        )
        content, extensions = copied(source, full=full)
        made = type(self)(
            name, sagemaker_session=self.session, extensions=extensions, policy=dict(card.policy)
        )
        made._load_sections(sections_of(content))
        made.__dict__["_cloned_from"] = {
            "name": source.name,
            "version": source.version,
            "content_hash": source.content_hash,
        }
        made.create(reason=reason)
        return made

    def diff(self, old: int | str | None = None) -> builtins.list[Change]:
        """Return where what this object says differs from a stored version.

        Parameters
        ----------
        old : int, "latest" or "approved", optional
            The version before this one where not given; of the first, this one.
        """
        from driftline.cards.diff import differences
        from driftline.cards.extensions import stamped
        from driftline.registry import cards

        self._must_be_stored("diff")
        which = old if old is not None else max(1, (self.version or 1) - 1)
        before = self.session.read(lambda tx: cards.version(tx, self.name, which))
        return differences(before, {"content": self.content(), "extensions": stamped(self.extensions or {})})

    # --- lists ------------------------------------------------------------------------------------------------------

    @staticmethod
    def list(
        *,
        sagemaker_session: object = None,
        workspace: object = None,
        limit: int | None = None,
        **filters: Any,
    ) -> builtins.list[Card]:
        """Return cards, the oldest first.

        Parameters
        ----------
        sagemaker_session, workspace
            As for the constructor.
        limit : int, optional
            At most so many; all where not given.
        **filters
            As :func:`driftline.registry.cards.list_cards` takes them: ``contains``, ``status``, ``risk_rating``, ``owner``,
            ``model``, ``model_id``, ``package_group``, ``tag``, ``created_after``, ``created_before``, ``approved_before``,
            ``sort``, ``descending``. Times may be ``datetime`` or ISO 8601.
        """
        from driftline.cards.card_lists import list_cards

        return list_cards(session_of(sagemaker_session, workspace), limit, filters)

    def get_version_history(self, **filters: Any) -> builtins.list[dict[str, Any]]:
        """Return what is known of every version, the oldest first.

        Parameters
        ----------
        **filters
            SageMaker's: ``CreationTimeAfter``, ``CreationTimeBefore``, ``ModelCardStatus``, ``SortBy``, ``SortOrder``,
            ``MaxResults`` (the most there are in all).

        Returns
        -------
        list of dict
            SageMaker's version summaries, and ``ContentHash``, ``Author``, ``Reason``, ``ApprovedBy``.
        """
        from driftline.cards.card_lists import version_history

        self._must_be_stored("get_version_history")
        return version_history(self.session, self.name, filters)

    # --- export -----------------------------------------------------------------------------------------------------

    def export_pdf(
        self,
        s3_output_path: str | os.PathLike[str],
        export_job_name: str | None = None,
        model_card_version: int | str | None = None,
    ) -> str:
        """Write the card as PDF.

        Parameters
        ----------
        s3_output_path : path or URL
            Folder, or ``s3://bucket/folder``.
        export_job_name : str, optional
        model_card_version : int, "latest" or "approved", optional
            The newest where not given, whatever version was loaded.

        Returns
        -------
        str
            Where the file is: ``<output>/<card>/<job>.pdf``.
        """
        return self.export("pdf", s3_output_path, version=model_card_version, job_name=export_job_name)

    def export(
        self,
        format: str,  # noqa: A002 - the word that users type
        path: str | os.PathLike[str] = ".",
        *,
        version: int | str | None = None,
        job_name: str | None = None,
        monitors: bool = False,
        reason: str = "",
    ) -> str:
        """Write the card as a file, and record that.

        Parameters
        ----------
        format : {"pdf", "html", "md", "json"}
        path : path or URL
            A file that ends as those of the format do, a folder, or a prefix of an object store.
        version : int, "latest" or "approved", optional
            The newest where not given.
        job_name : str, optional
        monitors : bool
            Also the state of the model's monitors as it is now.
        reason : str

        Returns
        -------
        str
            Where the file is.

        Raises
        ------
        UsageError
            See :func:`driftline.cards.exporting.export`.
        """
        from driftline.cards.exporting import export

        self._must_be_stored("export")
        done = export(
            self.session,
            self.name,
            path,
            format=format,
            version="latest" if version is None else version,
            name=job_name,
            monitors=monitors,
            reason=reason,
        )
        return str(done.artifact)

    def list_export_jobs(self, **filters: Any) -> dict[str, Any]:
        """Return the export jobs of the card; see :meth:`ModelCardExportJob.list_export_jobs`."""
        self._must_be_stored("list_export_jobs")
        return ModelCardExportJob.list_export_jobs(self.name, self.session, **filters)
