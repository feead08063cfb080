"""CardText: what a card says - its sections, looked at as one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from driftline.cards.errors import CardValueError
from driftline.cards.evaluation import EvaluationJob
from driftline.cards.fields import Many, One, Part, Plain
from driftline.cards.limits import SECTIONS
from driftline.cards.overview import ModelOverview
from driftline.cards.package import ModelPackage
from driftline.cards.sections import AdditionalInformation, BusinessDetails, IntendedUses
from driftline.cards.session import Session, session_of
from driftline.cards.training import TrainingDetails

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from driftline.cards.validation import Problem
    from driftline.registry.card_types import CardVersion
    from driftline.registry.store import Tx

__all__ = ["CardText", "copied"]

_CLEARED = {
    "model_overview": ("model_id", "model_name", "model_artifact", "inference_environment"),
    "training_details": ("training_job_details",),
}
_CLEARED_WHOLE = ("evaluation_details", "model_package_details")
_OF_THE_MODEL = ("io", "data", "evaluation", "environment", "compute", "post_market_plan", "change_log")


class _Package(One[ModelPackage]):
    """The package; assigning one fills what it says more of: training, evaluations, and what a group's cards share."""

    def __set__(self, instance: Part, value: Any) -> None:
        assert isinstance(instance, CardText)
        before = instance.__dict__.get("_model_package_details")
        taken = self.taken(instance, value)
        if taken is not None and taken != before and not instance.__dict__.get("_is_loading"):
            instance._adopt(taken)
        super().__set__(instance, taken)


class CardText(Part):
    """What a card says, and where that came from.

    Attributes
    ----------
    model_overview, intended_uses, business_details, training_details, additional_information, model_package_details
        Objects of their classes, or None.
    evaluation_details : list of EvaluationJob
    extensions : dict or None
        What SageMaker's content has no place for.
    """

    model_overview = One(ModelOverview)
    intended_uses = One(IntendedUses)
    business_details = One(BusinessDetails)
    training_details = One(TrainingDetails)
    evaluation_details = Many(EvaluationJob)
    additional_information = One(AdditionalInformation)
    model_package_details = _Package(ModelPackage)
    extensions = Plain[dict[str, Any] | None]()

    @property
    def session(self) -> Session:
        """Where the card is stored, and who acts."""
        if self.__dict__["_session"] is None:
            self.__dict__["_session"] = session_of(who=self.__dict__["_who"])
        session: Session = self.__dict__["_session"]
        return session

    # --- what it says -----------------------------------------------------------------------------------------------

    def content(self) -> dict[str, Any]:
        """Return what the card says, as SageMaker has it."""
        from driftline.cards.content import content_of

        return content_of({name: getattr(self, name) for name in SECTIONS})

    def to_content(self) -> dict[str, Any]:
        """Return what the card says; see :meth:`content`."""
        return self.content()

    def problems(self) -> builtins.list[Problem]:
        """Return everything that is wrong with what the card says, all at once; nothing is stored."""
        from driftline.cards import extensions, validation

        return [*validation.problems(self.content()), *extensions.problems(self.extensions or {})]

    def validate(self) -> None:
        """Refuse what a card may not say.

        Raises
        ------
        CardError
            ``E-CARD``, with all ``problems``.
        """
        from driftline.cards.validation import refuse

        refuse(self.problems())

    def _said(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return content, extensions and provenance, after a look whether they may be stored."""
        from driftline.cards.extensions import stamped
        from driftline.cards.population import provenance_of
        from driftline.cards.sources.facts import value_at

        self.validate()
        content, extensions = self.content(), stamped(self.extensions or {})
        whole = {**content, "extensions": extensions}
        before: dict[str, tuple[Any, Any]] = self.__dict__["_provenance"]
        kept = {path: said for path, (said, value) in before.items() if value_at(whole, path) == value}
        sections = {name: getattr(self, name) for name in SECTIONS}
        return content, extensions, {**kept, **provenance_of(sections, content, extensions)}

    def _own_hash(self) -> str:
        from driftline.cards.extensions import stamped
        from driftline.registry.jcs import content_hash

        return content_hash(self.content(), stamped(self.extensions or {}))

    def _load_sections(self, sections: Mapping[str, Any]) -> None:
        # A card that is stored has what its package says already; looking again might find something else.
        self.__dict__["_is_loading"] = True
        try:
            for name, part in sections.items():
                setattr(self, name, part)
        finally:
            self.__dict__["_is_loading"] = False

    def _registered(self, tx: Tx) -> str | None:
        """Return the registry's model that the card is about."""
        from driftline.cards.population import model_of
        from driftline.cards.sources.registered import find_model

        if self.__dict__["_model"] is not None:
            return str(self.__dict__["_model"])
        known = model_of({name: getattr(self, name) for name in SECTIONS})
        if known is not None:
            return known
        model_id = self.model_overview.model_id if self.model_overview is not None else None
        found = find_model(tx, model_id) if isinstance(model_id, str) and model_id else None
        return None if found is None else found[0].name

    # --- the package ------------------------------------------------------------------------------------------------

    def _adopt(self, package: ModelPackage) -> None:
        """Fill what a package says more of, where the card says nothing."""
        if self.model_overview is not None and self.model_overview.model_id:
            raise CardValueError(
                f"the card is about the model {self.model_overview.model_id!r} already",
                field="ModelCard.model_package_details",
                fix="make a card without model_overview.model_id for the package",
            )
        if self.training_details is None or self.training_details.training_job_details is None:
            found = package.discover_training_details(self.session)
            if found is not None and "_facts" in found.__dict__:
                if self.training_details is None:
                    self.training_details = found
                else:
                    self.training_details.training_job_details = found.training_job_details
        if not self.evaluation_details:
            self.evaluation_details = package.discover_evaluation_details(self.session)
        wanted = ("business_details", "intended_uses", "additional_information")
        if all(getattr(self, name) is not None for name in wanted):
            return
        latest = package.get_latest_model_card_name_from_model_package_group(self.session)
        if latest is not None and latest != self.__dict__["_name"]:
            from driftline.cards.card import ModelCard

            other = ModelCard.load(latest, sagemaker_session=self.session)
            for name in wanted:
                if getattr(self, name) is None:
                    setattr(self, name, getattr(other, name))


def copied(source: CardVersion, *, full: bool) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return what a clone says of what a version says."""
    content: dict[str, Any] = copy.deepcopy(dict(source.content))
    extensions: dict[str, Any] = copy.deepcopy(dict(source.extensions))
    content.get("model_overview", {}).pop("model_id", None)
    if not full:
        for section, keys in _CLEARED.items():
            for key in keys:
                content.get(section, {}).pop(key, None)
        for section in _CLEARED_WHOLE:
            content.pop(section, None)
        for key in _OF_THE_MODEL:
            extensions.pop(key, None)
    content = {key: value for key, value in content.items() if value not in ({}, [])}
    return content, extensions or None
