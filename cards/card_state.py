"""CardState: a card's text, and what the store says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.cards.card_text import CardText
from driftline.cards.enums import ModelCardStatusEnum
from driftline.cards.errors import CardAttributeError, CardConflictError, CardValueError
from driftline.cards.fields import Chosen, Plain
from driftline.cards.filters import as_time
from driftline.cards.session import session_of

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping
    from datetime import datetime

    from driftline.cards.evaluation import EvaluationJob
    from driftline.cards.overview import ModelOverview
    from driftline.cards.package import ModelPackage
    from driftline.cards.sections import AdditionalInformation, BusinessDetails, IntendedUses
    from driftline.cards.training import TrainingDetails
    from driftline.registry.card_types import Card, CardVersion
    from driftline.registry.store import Tx

__all__ = ["CardState"]

_READ_ONLY = (
    "name",
    "arn",
    "version",
    "created_time",
    "created_by",
    "last_modified_time",
    "last_modified_by",
    "content_hash",
    "deleted",
)


class CardState(CardText):
    """A card's name, status, version and times; the parameters are those of :class:`driftline.cards.card.ModelCard`."""

    status = Chosen(ModelCardStatusEnum)
    tags = Plain[dict[str, str] | None]()
    policy = Plain[dict[str, Any] | None]()

    def __init__(
        self,
        name: str,
        status: ModelCardStatusEnum | str | None = ModelCardStatusEnum.DRAFT,
        arn: str | None = None,
        version: int | None = None,
        created_time: datetime | None = None,
        created_by: object = None,
        last_modified_time: datetime | None = None,
        last_modified_by: object = None,
        model_overview: ModelOverview | Mapping[str, Any] | None = None,
        intended_uses: IntendedUses | Mapping[str, Any] | None = None,
        business_details: BusinessDetails | Mapping[str, Any] | None = None,
        training_details: TrainingDetails | Mapping[str, Any] | None = None,
        evaluation_details: builtins.list[EvaluationJob] | builtins.list[dict[str, Any]] | None = None,
        additional_information: AdditionalInformation | Mapping[str, Any] | None = None,
        sagemaker_session: object = None,
        model_package_details: ModelPackage | Mapping[str, Any] | None = None,
        *,
        workspace: object = None,
        who: str | None = None,
        extensions: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
        policy: dict[str, Any] | None = None,
        model: str | None = None,
    ) -> None:
        given = sagemaker_session if sagemaker_session is not None else workspace
        self.__dict__.update(
            _session=None if given is None else session_of(sagemaker_session, workspace, who=who),
            _who=who,
            _id=None,
            _name=name,
            _arn=arn,
            _version=version,
            _created_time=created_time,
            _created_by=created_by,
            _last_modified_time=last_modified_time,
            _last_modified_by=last_modified_by,
            _content_hash=None,
            _deleted=False,
            _stored={},
            _provenance={},
            _model=model,
            _cloned_from=None,
            _is_loading=False,
        )
        self.status = status
        self.model_overview = model_overview
        self.intended_uses = intended_uses
        self.business_details = business_details
        self.training_details = training_details
        self.evaluation_details = evaluation_details
        self.additional_information = additional_information
        self.extensions = extensions
        self.tags = tags
        self.policy = policy
        if arn is not None:  # as it is said to be stored
            self.__dict__["_stored"] = {"status": self.status, "tags": None, "policy": None}
        # Last: what it fills depends on what is there.
        self.model_package_details = model_package_details

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _READ_ONLY:
            raise CardAttributeError(
                f"{name} of a model card is for reading only",
                fix="make another card" if name == "name" else "it is what the store says",
            )
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name in _READ_ONLY and f"_{name}" in self.__dict__:
            return self.__dict__[f"_{name}"]
        raise CardAttributeError(
            f"a model card has no attribute {name!r}", fix=f"it has {', '.join(self._fields)}"
        )

    if TYPE_CHECKING:

        @property
        def name(self) -> str: ...  # noqa: D102
        @property
        def arn(self) -> str | None: ...  # noqa: D102
        @property
        def version(self) -> int | None: ...  # noqa: D102
        @property
        def created_time(self) -> datetime | None: ...  # noqa: D102
        @property
        def created_by(self) -> str | None: ...  # noqa: D102
        @property
        def last_modified_time(self) -> datetime | None: ...  # noqa: D102
        @property
        def last_modified_by(self) -> str | None: ...  # noqa: D102
        @property
        def content_hash(self) -> str | None: ...  # noqa: D102
        @property
        def deleted(self) -> bool: ...  # noqa: D102

    def _take(self, card: Card, version: CardVersion) -> None:
        """Hold what the store says of a version."""
        from driftline.cards.sources.facts import value_at

        whole = {**version.content, "extensions": version.extensions}
        # The version's own status: an older one keeps the one it had.
        self.status = version.status
        self.tags = dict(card.tags)
        self.policy = dict(card.policy)
        self.__dict__.update(
            _id=card.id,
            _name=card.name,
            _arn=card.arn,
            _version=version.version,
            _created_time=as_time(card.created),
            _created_by=card.created_by,
            _last_modified_time=as_time(card.modified),
            _last_modified_by=card.modified_by,
            _content_hash=version.content_hash,
            _deleted=card.deleted is not None,
            _stored={"status": version.status, "tags": dict(card.tags), "policy": dict(card.policy)},
            _provenance={path: (said, value_at(whole, path)) for path, said in version.provenance.items()},
        )

    def _check_same(self, tx: Tx) -> None:
        """Refuse what is meant for a card that was deleted, and is about to happen to another one of its name."""
        from driftline.registry import cards

        known = self.__dict__["_id"]
        if known is not None and cards.get(tx, self.name).id != known:
            raise CardConflictError(
                f"the model card {self.name!r} was deleted, and there is another one of this name",
                fix="load() that one",
            )

    def _check_beside(self, card: Card, what: str) -> None:
        """Refuse to write over tags or a policy that somebody else has changed since they were read."""
        stored, now = self.__dict__["_stored"][what], getattr(card, what)
        if stored is not None and now not in (stored, getattr(self, what)):
            raise CardConflictError(
                f"the {what} of the model card {self.name!r} were changed by somebody else since they were read"
                if what == "tags"
                else f"the {what} of the model card {self.name!r} was changed by somebody else since it was read",
                field=what,
                fix="load() the card again, and make the change there",
            )

    def _must_be_stored(self, what: str) -> None:
        if self.arn is None or self.deleted:
            raise CardValueError(
                f"the model card {self.name!r} is {'deleted' if self.deleted else 'not stored yet'}",
                field=what,
                fix="create() or load() it first",
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CardState):
            return NotImplemented
        return self.name == other.name and super().__eq__(other) is True

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        version = f", version={self.version}" if self.version is not None else ""
        return f"ModelCard(name={self.name!r}{version}, status={str(self.status)!r})"
