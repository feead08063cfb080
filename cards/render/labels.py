"""What the fields of a card are called on paper, and what each of them answers; in the order of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELDS", "PARTS", "STATUS_WORDS", "Label", "humane"]


@dataclass(frozen=True, slots=True)
class Label:
    """A field of the content.

    Attributes
    ----------
    path : str
        Dotted, below the section.
    title : str
    asks : str
        What the field answers.
    is_prose : bool
        Whether it holds text of several sentences.
    """

    path: str
    title: str
    asks: str
    is_prose: bool = False


FIELDS: Final[Mapping[str, tuple[Label, ...]]] = {
    "model_overview": (
        Label("model_name", "Model", "what the model is called"),
        Label("model_id", "Model ID", "what identifies it in its registry"),
        Label("model_version", "Model version", "which version of the model the card is about"),
        Label("model_description", "Description", "what the model does", is_prose=True),
        Label("problem_type", "Problem type", "what kind of question it answers"),
        Label("algorithm_type", "Algorithm", "which method it uses"),
        Label("model_creator", "Created by", "who built it"),
        Label("model_owner", "Owner", "who answers for it"),
        Label("model_artifact", "Artifacts", "where the trained model is kept"),
        Label("inference_environment.container_image", "Runs in", "which software image serves it"),
    ),
    "intended_uses": (
        Label("purpose_of_model", "Purpose", "what the model is for", is_prose=True),
        Label("intended_uses", "Intended uses", "in which cases it may be used", is_prose=True),
        Label(
            "factors_affecting_model_efficiency",
            "Factors that affect its quality",
            "under which conditions it works less well",
            is_prose=True,
        ),
        Label("risk_rating", "Risk rating", "how much harm its errors can do"),
        Label(
            "explanations_for_risk_rating",
            "Reasons for the risk rating",
            "why it was rated so",
            is_prose=True,
        ),
    ),
    "business_details": (
        Label("business_problem", "Business problem", "which problem the model is to solve", is_prose=True),
        Label("business_stakeholders", "Stakeholders", "who has an interest in it", is_prose=True),
        Label("line_of_business", "Line of business", "where in the organisation it is used", is_prose=True),
    ),
    "training_details": (
        Label(
            "objective_function.function.function",
            "Optimised by",
            "whether a quantity was made large or small",
        ),
        Label("objective_function.function.facet", "Quantity", "which quantity training optimised"),
        Label("objective_function.function.condition", "Condition", "under which condition"),
        Label(
            "objective_function.notes",
            "Notes on the objective",
            "why this objective was chosen",
            is_prose=True,
        ),
        Label("training_observations", "Observations", "what was noticed in training", is_prose=True),
        Label("training_job_details.training_arn", "Training job", "which run made the model"),
        Label("training_job_details.training_datasets", "Training data", "which data it learnt from"),
        Label(
            "training_job_details.training_environment.container_image",
            "Trained in",
            "which software image trained it",
        ),
        Label("training_job_details.training_metrics", "Collected metrics", "what the training job measured"),
        Label(
            "training_job_details.user_provided_training_metrics",
            "Metrics entered by hand",
            "what people added to the measurements",
        ),
        Label("training_job_details.hyper_parameters", "Collected hyper-parameters", "how the job was set"),
        Label(
            "training_job_details.user_provided_hyper_parameters",
            "Hyper-parameters entered by hand",
            "which settings people added",
        ),
    ),
    "additional_information": (
        Label(
            "ethical_considerations",
            "Ethical considerations",
            "who may be treated unfairly, and how",
            is_prose=True,
        ),
        Label(
            "caveats_and_recommendations",
            "Caveats and recommendations",
            "what users of the model should mind",
            is_prose=True,
        ),
        Label("custom_details", "Further details", "what else the authors want to be known"),
    ),
    "model_package_details": (
        Label("model_package_name", "Package", "what the package is called"),
        Label("model_package_group_name", "Package group", "to which group it belongs"),
        Label("model_package_version", "Package version", "which version of the group it is"),
        Label("model_package_arn", "Package ID", "what identifies it"),
        Label("model_package_description", "Description", "what it holds", is_prose=True),
        Label("model_package_status", "Package status", "whether it was built"),
        Label(
            "model_approval_status", "Package approval", "whether the registry's users approved the package"
        ),
        Label("approval_description", "Notes on the package's approval", "why", is_prose=True),
        Label("domain", "Domain", "to which field the model belongs"),
        Label("task", "Task", "what it does there"),
        Label("created_by.user_profile_name", "Registered by", "who registered the package"),
        Label("source_algorithms", "Source algorithms", "from which algorithms it was made"),
        Label("inference_specification.containers", "Containers", "which images serve it"),
    ),
}
"""The fields of each section, in the order of the page. ``evaluation_details`` is a list and has its own drawing."""

PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "model_overview": ("Model overview", "What the model is, who answers for it, and where it is kept."),
    "intended_uses": (
        "Intended uses and risk",
        "What the model may be used for, and how much harm its errors can do.",
    ),
    "business_details": ("Business details", "Why the model exists, and for whom."),
    "training_details": (
        "Training",
        "How the model was made. Collected values were read from the training job's own records;"
        " values entered by hand were written by the card's authors.",
    ),
    "evaluation_details": (
        "Evaluation",
        "How well the model works, as measured. Each evaluation is one run of measurements on named data;"
        " its metrics stand in groups.",
    ),
    "additional_information": ("Ethics, caveats and further details", "What users of the model should mind."),
    "model_package_details": (
        "Model package",
        "The entry in a model registry that this card belongs to.",
    ),
}
"""Title of each section, and what it tells."""

STATUS_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "Draft": ("Draft", "being written; nobody has approved it"),
    "PendingReview": ("In review", "finished by its authors and waiting for a reviewer"),
    "Approved": ("Approved", "released by a reviewer who wrote none of it"),
    "Archived": ("Archived", "kept for the record; no longer maintained"),
}
"""Each status as people read it, and what it means."""

_SPELLED: Final[Mapping[str, str]] = {
    "uri": "URI",
    "io": "Input and output",
    "n_rows": "Rows",
    "n_parameters": "Parameters",
    "energy_kwh": "Energy (kWh)",
    "carbon_kg": "Greenhouse gases (kg CO2e)",
    "licence_uri": "Licence text",
    "log_uri": "Log",
    "digest": "Digest",
    "hours": "Hours of computing",
}


def humane(key: str) -> str:
    """Return a key as a title.

    Examples
    --------
    >>> humane("out_of_scope_uses"), humane("log_uri")
    ('Out of scope uses', 'Log')
    """
    known = _SPELLED.get(key)
    if known is not None:
        return known
    text = key.replace("_", " ").strip() or key
    return text[:1].upper() + text[1:]
