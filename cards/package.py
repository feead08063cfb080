"""The model package a card is about, as a registry describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from driftline.cards.enums import ModelApprovalStatusEnum, ModelPackageStatusEnum
from driftline.cards.fields import Chosen, Many, One, Part, Plain, Unwritten
from driftline.cards.limits import most

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.evaluation import EvaluationJob
    from driftline.cards.training import TrainingDetails

__all__ = [
    "Container",
    "InferenceSpecification",
    "ModelPackage",
    "ModelPackageCreator",
    "ModelPackageModelCard",
    "SourceAlgorithm",
]

_PACKAGE = "model_package_details"


class ModelPackageCreator(Part, path=f"{_PACKAGE}.created_by"):
    """Who created a model package.

    Parameters
    ----------
    user_profile_name : str, optional
    """

    user_profile_name = Plain[str | None]()

    def __init__(self, user_profile_name: str | None = None) -> None:
        self.user_profile_name = user_profile_name


class SourceAlgorithm(Part, path=f"{_PACKAGE}.source_algorithms.*"):
    """An algorithm that a model package was made of.

    Parameters
    ----------
    algorithm_name : str
    model_data_url : str, optional
    """

    algorithm_name = Plain[str]()
    model_data_url = Plain[str | None]()

    def __init__(self, algorithm_name: str, model_data_url: str | None = None) -> None:
        self.algorithm_name = algorithm_name
        self.model_data_url = model_data_url


class Container(Part, path=f"{_PACKAGE}.inference_specification.containers.*"):
    """A container that answers for the model.

    Parameters
    ----------
    image : str
    model_data_url, nearest_model_name : str, optional
    """

    image = Plain[str]()
    model_data_url = Plain[str | None]()
    nearest_model_name = Plain[str | None]()

    def __init__(
        self, image: str, model_data_url: str | None = None, nearest_model_name: str | None = None
    ) -> None:
        self.image = image
        self.model_data_url = model_data_url
        self.nearest_model_name = nearest_model_name


class InferenceSpecification(Part, path=f"{_PACKAGE}.inference_specification"):
    """How the model is run.

    Parameters
    ----------
    containers : list of Container
        1 to 15.
    """

    containers = Many(Container, most(f"{_PACKAGE}.inference_specification.containers"))

    def __init__(self, containers: list[Container] | list[dict[str, Any]] | None) -> None:
        self.containers = containers


class ModelPackage(Part, path=_PACKAGE):
    """A version of a model in a registry's group of packages.

    Parameters
    ----------
    model_package_arn, model_package_description : str, optional
    model_package_status : ModelPackageStatusEnum or str, optional
    approval_description : str, optional
    model_approval_status : ModelApprovalStatusEnum or str, optional
    model_package_group_name, model_package_name : str, optional
    model_package_version : int, optional
    domain, task : str, optional
    created_by : ModelPackageCreator or dict, optional
    source_algorithms : list of SourceAlgorithm, optional
        At most 15.
    inference_specification : InferenceSpecification or dict, optional
    model_metrics : dict, optional
        Where the reports of the package lie; from them evaluations are made. Never written into a card.
    """

    model_package_arn = Plain[str | None]()
    model_package_description = Plain[str | None]()
    model_package_status = Chosen(ModelPackageStatusEnum)
    approval_description = Plain[str | None]()
    model_approval_status = Chosen(ModelApprovalStatusEnum)
    model_package_group_name = Plain[str | None]()
    model_package_name = Plain[str | None]()
    model_package_version = Plain[int | float | None]()
    domain = Plain[str | None]()
    task = Plain[str | None]()
    created_by = One(ModelPackageCreator)
    source_algorithms = Many(SourceAlgorithm, most(f"{_PACKAGE}.source_algorithms"))
    inference_specification = One(InferenceSpecification)
    model_metrics = Unwritten(dict)

    def __init__(
        self,
        model_package_arn: str | None = None,
        model_package_description: str | None = None,
        model_package_status: ModelPackageStatusEnum | str | None = None,
        approval_description: str | None = None,
        model_approval_status: ModelApprovalStatusEnum | str | None = None,
        model_package_group_name: str | None = None,
        model_package_name: str | None = None,
        model_package_version: float | None = None,
        domain: str | None = None,
        task: str | None = None,
        created_by: ModelPackageCreator | Mapping[str, Any] | None = None,
        source_algorithms: list[SourceAlgorithm] | list[dict[str, Any]] | None = None,
        inference_specification: InferenceSpecification | Mapping[str, Any] | None = None,
        model_metrics: dict[str, Any] | None = None,
    ) -> None:
        self.model_package_arn = model_package_arn
        self.model_package_description = model_package_description
        self.model_package_status = model_package_status
        self.approval_description = approval_description
        self.model_approval_status = model_approval_status
        self.model_package_group_name = model_package_group_name
        self.model_package_name = model_package_name
        self.model_package_version = model_package_version
        self.domain = domain
        self.task = task
        self.created_by = created_by
        self.source_algorithms = source_algorithms
        self.inference_specification = inference_specification
        self.model_metrics = model_metrics

    @classmethod
    def from_model_package_arn(cls, model_package_arn: str, sagemaker_session: object = None) -> Self:
        """Fill the details from a model package.

        Parameters
        ----------
        model_package_arn : str
        sagemaker_session : Workspace, path or Session, optional
            Where to look; the usual workspace if None.

        Raises
        ------
        UsageError
            If there is no such package, or it has a card already (a ``ValueError``).
        """
        from driftline.cards import population

        made: Self = population.package(cls, model_package_arn, sagemaker_session)
        return made

    def discover_training_details(self, sagemaker_session: object = None) -> TrainingDetails | None:
        """Find the training of the artifacts that the package's containers run.

        Returns
        -------
        TrainingDetails or None
            None where the package names no containers.
        """
        from driftline.cards import population

        found: TrainingDetails | None = population.package_training(self, sagemaker_session)
        return found

    def discover_evaluation_details(self, sagemaker_session: object = None) -> list[EvaluationJob]:
        """Make an evaluation of each report that ``model_metrics`` names; an empty list where it names none."""
        from driftline.cards import population

        found: list[EvaluationJob] = population.package_evaluation(self, sagemaker_session)
        return found

    def get_latest_model_card_name_from_model_package_group(self, session: object = None) -> str | None:
        """Return the card of the same group that was changed last; None where the group has none."""
        from driftline.cards import population

        found: str | None = population.package_group_card(self, session)
        return found


class ModelPackageModelCard(Part):
    """A card as it is kept inside a model package.

    Parameters
    ----------
    model_card_content : str, optional
        The content as JSON text.
    model_card_status : ModelCardStatusEnum or str, optional
    """

    model_card_content = Plain[str | None]()
    model_card_status = Plain[str | None]()

    def __init__(self, model_card_content: str | None = None, model_card_status: str | None = None) -> None:
        self.model_card_content = model_card_content
        self.model_card_status = model_card_status
