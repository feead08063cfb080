"""How a model was trained: the objective, the job with its metrics and hyper-parameters, and what was noticed."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, Self

from driftline.cards.enums import FacetEnum, ObjectiveFunctionEnum
from driftline.cards.fields import Chosen, Field, Many, One, Part, Plain
from driftline.cards.limits import most
from driftline.cards.overview import Environment, ModelOverview

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Function",
    "HyperParameter",
    "ObjectiveFunction",
    "TrainingDetails",
    "TrainingJobDetails",
    "TrainingMetric",
    "as_text",
]

_JOB = "training_details.training_job_details"


class _Facet(Field[FacetEnum | str | None, FacetEnum | str | None]):
    """Any text; the known ones become members of :class:`FacetEnum`."""

    def taken(self, instance: Part, value: Any) -> Any:  # noqa: ARG002
        if value is None or isinstance(value, FacetEnum):
            return value
        if type(value) is not str:
            known = ", ".join(sorted(FacetEnum))
            raise self.refuse(f"expected one of {known}, or any other text, found {value!r}")
        return FacetEnum(value) if value in set(FacetEnum) else value


class _Setting(Field[str | None, str | int | float | None]):
    """Text; numbers become the text that a program would read the same number from."""

    def taken(self, instance: Part, value: Any) -> Any:  # noqa: ARG002
        return as_text(value)


def as_text(value: Any) -> Any:
    """Return a number as text, and anything else as it is: the values of hyper-parameters are texts.

    Examples
    --------
    >>> as_text(0.1), as_text(2), as_text("relu")
    ('0.1', '2', 'relu')
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    if isinstance(value, numbers.Integral):
        return str(int(value))
    return repr(float(value))


class Function(Part, path="training_details.objective_function.function"):
    """What training optimised.

    Parameters
    ----------
    function : ObjectiveFunctionEnum or str, optional
        Maximize or Minimize.
    facet : FacetEnum or str, optional
        The quantity: one of :class:`FacetEnum`, or any other text of at most 63 characters.
    condition : str, optional
    """

    function = Chosen(ObjectiveFunctionEnum)
    facet = _Facet()
    condition = Plain[str | None]()

    def __init__(
        self,
        function: ObjectiveFunctionEnum | str | None = None,
        facet: FacetEnum | str | None = None,
        condition: str | None = None,
    ) -> None:
        self.function = function
        self.facet = facet
        self.condition = condition


class ObjectiveFunction(Part, path="training_details.objective_function"):
    """What training optimised, and why.

    Parameters
    ----------
    function : Function or dict
    notes : str, optional
    """

    function = One(Function)
    notes = Plain[str | None]()

    def __init__(self, function: Function | Mapping[str, Any] | None, notes: str | None = None) -> None:
        self.function = function
        self.notes = notes


class TrainingMetric(Part, path=f"{_JOB}.training_metrics.*"):
    """A number that training ended with.

    Parameters
    ----------
    name : str
    value : int or float
    notes : str, optional
    """

    name = Plain[str]()
    value = Plain[int | float]()
    notes = Plain[str | None]()

    def __init__(self, name: str, value: float, notes: str | None = None) -> None:
        self.name = name
        self.value = value
        self.notes = notes


class HyperParameter(Part, path=f"{_JOB}.hyper_parameters.*"):
    """A setting of the training.

    Parameters
    ----------
    name : str
    value : str
        A number becomes its text.
    """

    name = Plain[str]()
    value = _Setting()

    def __init__(self, name: str, value: str | float | None) -> None:
        self.name = name
        self.value = value


class TrainingJobDetails(Part, path=_JOB):
    """The training job.

    Parameters
    ----------
    training_arn : str, optional
    training_datasets : list of str, optional
        At most 15.
    training_environment : Environment or dict, optional
    training_metrics, user_provided_training_metrics : list of TrainingMetric, optional
        At most 50 each: those that the job reported, and those that people added.
    hyper_parameters, user_provided_hyper_parameters : list of HyperParameter, optional
        At most 100 each.
    """

    training_arn = Plain[str | None]()
    training_datasets = Many(str, most(f"{_JOB}.training_datasets"))
    training_environment = One(Environment)
    training_metrics = Many(TrainingMetric, most(f"{_JOB}.training_metrics"))
    user_provided_training_metrics = Many(TrainingMetric, most(f"{_JOB}.user_provided_training_metrics"))
    hyper_parameters = Many(HyperParameter, most(f"{_JOB}.hyper_parameters"))
    user_provided_hyper_parameters = Many(HyperParameter, most(f"{_JOB}.user_provided_hyper_parameters"))

    def __init__(
        self,
        training_arn: str | None = None,
        training_datasets: list[str] | None = None,
        training_environment: Environment | Mapping[str, Any] | None = None,
        training_metrics: list[TrainingMetric] | list[dict[str, Any]] | None = None,
        user_provided_training_metrics: list[TrainingMetric] | list[dict[str, Any]] | None = None,
        hyper_parameters: list[HyperParameter] | list[dict[str, Any]] | None = None,
        user_provided_hyper_parameters: list[HyperParameter] | list[dict[str, Any]] | None = None,
    ) -> None:
        self.training_arn = training_arn
        self.training_datasets = training_datasets
        self.training_environment = training_environment
        self.training_metrics = training_metrics
        self.user_provided_training_metrics = user_provided_training_metrics
        self.hyper_parameters = hyper_parameters
        self.user_provided_hyper_parameters = user_provided_hyper_parameters


class TrainingDetails(Part, path="training_details"):
    """How the model was trained.

    Parameters
    ----------
    objective_function : ObjectiveFunction or dict, optional
    training_observations : str, optional
    training_job_details : TrainingJobDetails or dict, optional
    """

    objective_function = One(ObjectiveFunction)
    training_observations = Plain[str | None]()
    training_job_details = One(TrainingJobDetails)

    def __init__(
        self,
        objective_function: ObjectiveFunction | Mapping[str, Any] | None = None,
        training_observations: str | None = None,
        training_job_details: TrainingJobDetails | Mapping[str, Any] | None = None,
    ) -> None:
        self.objective_function = objective_function
        self.training_observations = training_observations
        self.training_job_details = training_job_details

    @classmethod
    def from_model_overview(
        cls, model_overview: ModelOverview, sagemaker_session: object = None, **kwargs: Any
    ) -> Self:
        """Fill the details from the job that made the artifact of an overview.

        Parameters
        ----------
        model_overview : ModelOverview
        sagemaker_session : Workspace, path or Session, optional
            Where to look; the usual workspace if None.
        **kwargs
            ``objective_function``, ``training_observations``.

        Returns
        -------
        TrainingDetails
            With empty job details, and a warning, where the job cannot be told.
        """
        from driftline.cards import population

        made: Self = population.training_from_overview(cls, model_overview, sagemaker_session, **kwargs)
        return made

    @classmethod
    def from_model_s3_artifacts(
        cls, model_artifacts: list[str], sagemaker_session: object = None, **kwargs: Any
    ) -> Self:
        """Fill the details from the job that wrote these artifacts; otherwise as :meth:`from_model_overview`."""
        from driftline.cards import population

        made: Self = population.training_from_artifacts(cls, model_artifacts, sagemaker_session, **kwargs)
        return made

    @classmethod
    def from_training_job_name(
        cls, training_job_name: str, sagemaker_session: object = None, **kwargs: Any
    ) -> Self:
        """Fill the details from a training job.

        Raises
        ------
        UsageError
            If there is no such job (a ``ValueError``).
        """
        from driftline.cards import population

        made: Self = population.training_from_job(cls, training_job_name, sagemaker_session, **kwargs)
        return made

    def add_metric(self, metric: TrainingMetric) -> None:
        """Add a metric to those that people provide.

        Raises
        ------
        CardTypeError
            If it is no :class:`TrainingMetric` (a ``TypeError``).
        CardValueError
            If there are 50 already (a ``ValueError``).
        """
        self._job().user_provided_training_metrics.append(metric)

    def add_parameter(self, parameter: HyperParameter) -> None:
        """Add a hyper-parameter to those that people provide.

        Raises
        ------
        CardTypeError
            If it is no :class:`HyperParameter` (a ``TypeError``).
        CardValueError
            If there are 100 already (a ``ValueError``).
        """
        self._job().user_provided_hyper_parameters.append(parameter)

    def _job(self) -> TrainingJobDetails:
        if self.training_job_details is None:
            self.training_job_details = TrainingJobDetails()
        return self.training_job_details
