"""Populated: facts as the parts of a card, which remember where their values came from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.cards.sources.facts import JOB, Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftline.cards.fields import Part

__all__ = [
    "Populated",
    "PopulationWarning",
    "model_of",
    "overview_of",
    "populated",
    "provenance_of",
    "remember",
    "training_of",
    "warn",
]

_COLLECTED = ("model_id", "model_name", "model_artifact", "inference_environment")


class PopulationWarning(UserWarning):
    """Something that is known of a model found no place in its card, or something that was looked for is not known."""


@dataclass(frozen=True, slots=True)
class Populated:
    """All that is known of a model, as parts of a card.

    Attributes
    ----------
    facts : Facts
    sections : dict
        By name of the section: an object of its class.
    extensions : dict
        As far as anything is known that SageMaker's content has no place for.
    model : str or None
        The registry's model.
    """

    facts: Facts
    sections: dict[str, Any] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)
    model: str | None = None

    def content(self) -> dict[str, Any]:
        """Return the sections as a card's content."""
        from driftline.cards.content import content_of

        return content_of(self.sections)

    def provenance(self) -> dict[str, dict[str, str]]:
        """Return where each field came from, by dotted path."""
        return self.facts.provenance({**self.content(), "extensions": self.extensions})


def warn(notes: Iterable[str], level: int = 4) -> None:
    """Warn of what was cut or left out, at the place of whoever asked."""
    for note in notes:
        warnings.warn(note, PopulationWarning, stacklevel=level)


def populated(facts: Facts, given: Mapping[str, Any] | None = None) -> Populated:
    """Make the parts of a card from facts; of the overview some may be given."""
    from driftline.cards.overview import ModelOverview
    from driftline.cards.sections import AdditionalInformation, IntendedUses
    from driftline.cards.training import TrainingDetails

    sections: dict[str, Any] = {"model_overview": overview_of(ModelOverview, facts, given or {})}
    if "intended_uses.risk_rating" in facts.values:
        sections["intended_uses"] = IntendedUses(risk_rating=facts.values["intended_uses.risk_rating"])
        remember(sections["intended_uses"], facts)
    if facts.section(JOB):
        sections["training_details"] = training_of(TrainingDetails, facts, {})
    custom = facts.section("additional_information").get("custom_details")
    if custom:
        sections["additional_information"] = AdditionalInformation(custom_details=custom)
        remember(sections["additional_information"], facts)
    return Populated(facts, sections, facts.extension(), facts.model)


def overview_of(cls: Any, facts: Facts, given: Mapping[str, Any]) -> Any:
    """Make an overview; of what was found, name, id, artifacts and images go before what is given."""
    found = facts.section("model_overview")
    said = {key: value for key, value in given.items() if value is not None}
    wanted = {**found, **said, **{key: found[key] for key in _COLLECTED if key in found}}
    # So that whoever asks for the images of a model that names none gets an empty list.
    wanted.setdefault("inference_environment", {"container_image": []})
    made = cls(**wanted)
    remember(made, facts)
    return made


def training_of(cls: Any, facts: Facts | None, given: Mapping[str, Any]) -> Any:
    """Make training details; without facts the details of the job are empty."""
    from driftline.cards.training import TrainingJobDetails

    found = facts.section(JOB) if facts is not None else {}
    wanted = dict(given)
    if found or wanted.get("training_job_details") is None:
        found.setdefault("training_environment", {"container_image": []})
        wanted["training_job_details"] = TrainingJobDetails(**found)
    made = cls(**wanted)
    if facts is not None:
        remember(made, facts)
    return made


def remember(part: Part, facts: Facts) -> None:
    """Keep where a part's values came from, beside its attributes: it is compared and written without it."""
    part.__dict__["_facts"] = facts


def provenance_of(
    sections: Mapping[str, Any], content: Mapping[str, Any], extensions: Mapping[str, Any] | None = None
) -> dict[str, dict[str, str]]:
    """Return where the fields of a card came from, for those that still say what was found.

    Parameters
    ----------
    sections : mapping
        The parts, by name of the section.
    content, extensions : mapping
        What they say now.

    Returns
    -------
    dict
        By dotted path: ``source`` and ``moment``.
    """
    whole = {**content, "extensions": dict(extensions or {})}
    made: dict[str, dict[str, str]] = {}
    for name, part in sections.items():
        facts: Facts | None = getattr(part, "__dict__", {}).get("_facts")
        if facts is not None:
            found = facts.provenance(whole)
            made |= {
                path: said for path, said in found.items() if path.startswith((name + ".", "extensions."))
            }
    return made


def model_of(sections: Mapping[str, Any]) -> str | None:
    """Return the registry's model that the parts of a card were filled from, or None."""
    for part in sections.values():
        facts: Facts | None = getattr(part, "__dict__", {}).get("_facts")
        if facts is not None and facts.model is not None:
            return facts.model
    return None
