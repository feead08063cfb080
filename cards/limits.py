"""Every limit of a card's content, once: validation, the JSON Schema, the classes and the documentation read them here.

:data:`RULES` maps a path pattern to its rule. A pattern is the dotted path of a problem with ``*`` in place of a list
position or of a map's key: ``evaluation_details.*.datasets.*``. The rule of a metric's value and axes depends on the
metric's type; it holds one rule for each type.

Where the service's own documents disagree, the table follows the widest of them for what may come in (empty lists, any
text as the quantity that is optimised) and states every limit that a reader of the card may rely on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from driftline.cards.enums import (
    MetricTypeEnum,
    ModelApprovalStatusEnum,
    ModelPackageStatusEnum,
    ObjectiveFunctionEnum,
    RiskRatingEnum,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

__all__ = [
    "CONTENT_CHARACTERS",
    "METRIC",
    "PARSED_NAME",
    "RULES",
    "SECTIONS",
    "Boolean",
    "ByType",
    "Choice",
    "Items",
    "Map",
    "Number",
    "Object",
    "Rule",
    "Text",
    "described",
    "is_parsed_name",
    "keys",
    "most",
]

CONTENT_CHARACTERS: Final = 100_000
"""Most characters (code points) of the whole content as JSON text."""

SECTIONS: Final = (
    "model_overview",
    "intended_uses",
    "business_details",
    "training_details",
    "evaluation_details",
    "additional_information",
    "model_package_details",
)
"""The sections of a card, in the order in which they are written."""

METRIC: Final = "evaluation_details.*.metric_groups.*.metric_data.*"
"""Path pattern of a metric of an evaluation."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text of `low` to `high` characters, without NUL and lone surrogates; not blank where `low` is above zero.

    Attributes
    ----------
    high : int or None
        None: only the content as a whole is limited.
    low : int
    required : bool
    parsed : int or None
        Most characters of a name that a parser of evaluation reports made (:func:`is_parsed_name`), where that is more.
    """

    high: int | None = None
    low: int = 0
    required: bool = False
    parsed: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number that a double holds exactly enough: no integer is rounded.

    Attributes
    ----------
    minimum : float or None
    required : bool
    """

    minimum: float | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    required: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several texts, in exactly this spelling."""

    texts: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list of `low` to `high` items.

    Attributes
    ----------
    high : int or None
        None: any number.
    low : int
    required : bool
    of : Rule or None
        The rule of the items; None where the table has one at ``<path>.*``.
    """

    high: int | None = None
    low: int = 0
    required: bool = False
    of: Rule | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """An object whose keys are free, but not empty; the rule of its values is at ``<path>.*``."""

    required: bool = False


@dataclass(frozen=True, slots=True)
class Object:
    """An object with the keys that the table has below its path, and no other."""

    required: bool = False


@dataclass(frozen=True, slots=True)
class ByType:
    """A value whose rule depends on ``type`` beside it."""

    rules: Mapping[str, Rule]
    required: bool = False


Rule = Text | Number | Boolean | Choice | Items | Map | Object | ByType


def _texts(enum: Iterable[StrEnum]) -> tuple[str, ...]:
    return tuple(str(member) for member in enum)


_LABEL = Text(63)
_LABELS = Items(of=_LABEL)


def _by_type(*, required: bool = False, simple: Rule | None = None, **rules: Rule) -> ByType:
    if simple is not None:
        rules |= dict.fromkeys(("number", "string", "boolean"), simple)
    return ByType(MappingProxyType({str(m): rules[m] for m in MetricTypeEnum}), required)


_JOB = "training_details.training_job_details"
_GROUP = "evaluation_details.*.metric_groups.*"
_PACKAGE = "model_package_details"

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "": Object(),
        "model_overview": Object(),
        "model_overview.model_id": Text(1024),
        "model_overview.model_name": Text(1024),
        "model_overview.model_description": Text(1024),
        "model_overview.model_version": Number(1),
        "model_overview.problem_type": Text(1024),
        "model_overview.algorithm_type": Text(1024),
        "model_overview.model_creator": Text(1024),
        "model_overview.model_owner": Text(1024),
        "model_overview.model_artifact": Items(15),
        "model_overview.model_artifact.*": Text(1024),
        "model_overview.inference_environment": Object(),
        "model_overview.inference_environment.container_image": Items(15),
        "model_overview.inference_environment.container_image.*": Text(1024),
        "intended_uses": Object(),
        "intended_uses.purpose_of_model": Text(2048),
        "intended_uses.intended_uses": Text(2048),
        "intended_uses.factors_affecting_model_efficiency": Text(2048),
        "intended_uses.risk_rating": Choice(_texts(RiskRatingEnum)),
        "intended_uses.explanations_for_risk_rating": Text(2048),
        "business_details": Object(),
        "business_details.business_problem": Text(2048),
        "business_details.business_stakeholders": Text(2048),
        "business_details.line_of_business": Text(2048),
        "training_details": Object(),
        "training_details.objective_function": Object(),
        "training_details.objective_function.function": Object(),
        "training_details.objective_function.function.function": Choice(_texts(ObjectiveFunctionEnum)),
        "training_details.objective_function.function.facet": Text(63),
        "training_details.objective_function.function.condition": Text(63),
        "training_details.objective_function.notes": Text(1024),
        "training_details.training_observations": Text(1024),
        _JOB: Object(),
        f"{_JOB}.training_arn": Text(1024),
        f"{_JOB}.training_datasets": Items(15),
        f"{_JOB}.training_datasets.*": Text(1024),
        f"{_JOB}.training_environment": Object(),
        f"{_JOB}.training_environment.container_image": Items(15),
        f"{_JOB}.training_environment.container_image.*": Text(1024),
        f"{_JOB}.training_metrics": Items(50),
        f"{_JOB}.training_metrics.*": Object(),
        f"{_JOB}.training_metrics.*.name": Text(255, 1, required=True),
        f"{_JOB}.training_metrics.*.value": Number(required=True),
        f"{_JOB}.training_metrics.*.notes": Text(1024),
        f"{_JOB}.user_provided_training_metrics": Items(50),
        f"{_JOB}.user_provided_training_metrics.*": Object(),
        f"{_JOB}.user_provided_training_metrics.*.name": Text(255, 1, required=True),
        f"{_JOB}.user_provided_training_metrics.*.value": Number(required=True),
        f"{_JOB}.user_provided_training_metrics.*.notes": Text(1024),
        f"{_JOB}.hyper_parameters": Items(100),
        f"{_JOB}.hyper_parameters.*": Object(),
        f"{_JOB}.hyper_parameters.*.name": Text(255, 1, required=True),
        f"{_JOB}.hyper_parameters.*.value": Text(255),
        f"{_JOB}.user_provided_hyper_parameters": Items(100),
        f"{_JOB}.user_provided_hyper_parameters.*": Object(),
        f"{_JOB}.user_provided_hyper_parameters.*.name": Text(255, 1, required=True),
        f"{_JOB}.user_provided_hyper_parameters.*.value": Text(255),
        "evaluation_details": Items(),
        "evaluation_details.*": Object(),
        "evaluation_details.*.name": Text(63, 1, required=True),
        "evaluation_details.*.evaluation_observation": Text(2096),  # the service's own number
        "evaluation_details.*.evaluation_job_arn": Text(256),
        "evaluation_details.*.datasets": Items(10),
        "evaluation_details.*.datasets.*": Text(1024),
        "evaluation_details.*.metadata": Map(),
        "evaluation_details.*.metadata.*": Text(1024),
        "evaluation_details.*.metric_groups": Items(),
        _GROUP: Object(),
        f"{_GROUP}.name": Text(63, 1, required=True, parsed=255),
        f"{_GROUP}.metric_data": Items(required=True),
        METRIC: Object(),
        f"{METRIC}.name": Text(255, 1, required=True),
        f"{METRIC}.type": Choice(_texts(MetricTypeEnum), required=True),
        f"{METRIC}.value": _by_type(
            required=True,
            number=Number(),
            string=Text(63),
            boolean=Boolean(),
            linear_graph=Items(10_000, 1, of=Items(2, 2, of=Number())),
            bar_chart=Items(10_000, 1, of=Number()),
            matrix=Items(20, 1, of=Items(20, 1, of=Number())),
        ),
        f"{METRIC}.notes": Text(1024),
        f"{METRIC}.x_axis_name": _by_type(
            simple=_LABEL, linear_graph=_LABEL, bar_chart=_LABELS, matrix=_LABELS
        ),
        f"{METRIC}.y_axis_name": _by_type(
            simple=_LABEL, linear_graph=_LABEL, bar_chart=_LABEL, matrix=_LABELS
        ),
        "additional_information": Object(),
        "additional_information.ethical_considerations": Text(2048),
        "additional_information.caveats_and_recommendations": Text(2048),
        "additional_information.custom_details": Map(),
        "additional_information.custom_details.*": Text(1024),
        _PACKAGE: Object(),
        f"{_PACKAGE}.model_package_arn": Text(2048, 1),
        f"{_PACKAGE}.model_package_description": Text(1024),
        f"{_PACKAGE}.model_package_status": Choice(_texts(ModelPackageStatusEnum)),
        f"{_PACKAGE}.approval_description": Text(1024),
        f"{_PACKAGE}.model_approval_status": Choice(_texts(ModelApprovalStatusEnum)),
        f"{_PACKAGE}.model_package_group_name": Text(63, 1),
        f"{_PACKAGE}.model_package_name": Text(63, 1),
        f"{_PACKAGE}.model_package_version": Number(1),
        f"{_PACKAGE}.domain": Text(),
        f"{_PACKAGE}.task": Text(),
        f"{_PACKAGE}.created_by": Object(),
        f"{_PACKAGE}.created_by.user_profile_name": Text(63),
        f"{_PACKAGE}.source_algorithms": Items(15),
        f"{_PACKAGE}.source_algorithms.*": Object(),
        f"{_PACKAGE}.source_algorithms.*.algorithm_name": Text(170, required=True),
        f"{_PACKAGE}.source_algorithms.*.model_data_url": Text(1024),
        f"{_PACKAGE}.inference_specification": Object(),
        f"{_PACKAGE}.inference_specification.containers": Items(15, 1, required=True),
        f"{_PACKAGE}.inference_specification.containers.*": Object(),
        f"{_PACKAGE}.inference_specification.containers.*.image": Text(255, required=True),
        f"{_PACKAGE}.inference_specification.containers.*.model_data_url": Text(1024),
        f"{_PACKAGE}.inference_specification.containers.*.nearest_model_name": Text(),
    }
)
"""Path pattern to rule; the empty pattern is the content itself."""


def _keys() -> dict[str, tuple[str, ...]]:
    below: dict[str, list[str]] = {path: [] for path, rule in RULES.items() if isinstance(rule, Object)}
    for path in RULES:
        parent, _, key = path.rpartition(".")
        if path and parent in below:
            below[parent].append(key)
    return {path: tuple(names) for path, names in below.items()}


_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(_keys())


def keys(pattern: str) -> tuple[str, ...]:
    """Return the keys that an object may have, in the order in which they are written.

    Examples
    --------
    >>> keys("model_overview.inference_environment")
    ('container_image',)
    """
    return _KEYS[pattern]


def most(pattern: str) -> int | None:
    """Return the most items of a list, or characters of a text; None where there is no such limit.

    Examples
    --------
    >>> most("model_overview.model_artifact"), most("evaluation_details")
    (15, None)
    """
    rule = RULES[pattern]
    return rule.high if isinstance(rule, (Items, Text)) else None


# What the parsers of evaluation reports call their groups, by kind of report: bias of SageMaker Clarify, its
# explainability; a bias group is named after whatever key the report has, so only the form is known.
PARSED_NAME: Final = (
    r"[A-Za-z_][A-Za-z0-9_]* - label |explanations - (global_shap_values|global_top_shap_text|pdp)"
)
"""How the names begin that the parsers of evaluation reports give to groups, as a regular expression."""

_PARSED = re.compile(PARSED_NAME)


def is_parsed_name(name: str) -> bool:
    """Tell whether a group's name begins as the parsers of evaluation reports begin theirs.

    Such names are longer than the 63 characters that people have: the service's own examples have 64 and 75.

    Examples
    --------
    >>> is_parsed_name("pre_training_bias_metrics - label y = 1 and facet age=(40, 90]"), is_parsed_name("Accuracy")
    (True, False)
    """
    return _PARSED.match(name) is not None


def described(rule: Rule) -> str:
    """Say a rule in words, for people.

    Examples
    --------
    >>> described(RULES["model_overview.model_artifact"]), described(Text(63, 1, required=True))
    ('list of at most 15', 'text of 1 to 63 characters, required')
    """
    return _words(rule) + (", required" if rule.required else "")


def _words(rule: Rule) -> str:
    match rule:
        case Text(high, low, _, parsed):
            words = f"text{_span(low, high, 'characters')}"
            return words + (f" ({parsed} in names that parsers of reports make)" if parsed else "")
        case Number(minimum):
            return "number" + (f" of at least {minimum:g}" if minimum is not None else "")
        case Boolean():
            return "true or false"
        case Choice(texts):
            return "one of " + ", ".join(texts)
        case Items(high, low, _, of):
            each = f", each a {_words(of)}" if of is not None else ""
            return f"list{_span(low, high, '')}{each}"
        case Map():
            return "object with keys of your choice"
        case Object():
            return "object"
        case ByType(rules):
            return "; ".join(f"{kind}: {_words(one)}" for kind, one in rules.items())


def _span(low: int, high: int | None, unit: str) -> str:
    if high is None:
        words = f" of at least {low}" if low else ""
    elif low == high:
        words = f" of {high:,}"
    elif low:
        words = f" of {low} to {high:,}"
    else:
        words = f" of at most {high:,}"
    return f"{words} {unit}".rstrip() if words else ""
