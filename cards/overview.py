"""The model a card is about: :class:`ModelOverview`, and the :class:`Environment` in which it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from driftline.cards.fields import Many, One, Part, Plain
from driftline.cards.limits import most

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Environment", "ModelOverview"]


class Environment(Part, path="model_overview.inference_environment"):
    """Where a model is trained, or answers.

    Parameters
    ----------
    container_image : list of str
        At most 15 images.
    """

    container_image = Many(str, most("model_overview.inference_environment.container_image"))

    def __init__(self, container_image: list[str] | None) -> None:
        self.container_image = container_image


class ModelOverview(Part, path="model_overview"):
    """What the model is, whose it is, and where it lies.

    Parameters
    ----------
    model_id : str, optional
        ARN of the model, or any id of a model from elsewhere. A model has one card.
    model_name, model_description : str, optional
    model_version : int or float, optional
        At least 1.
    problem_type : str, optional
        For example ``Binary Classification``.
    algorithm_type : str, optional
        For example ``Logistic Regression``.
    model_creator, model_owner : str, optional
        Who made it, and who maintains it.
    model_artifact : list of str, optional
        At most 15 URIs.
    inference_environment : Environment or dict, optional
    """

    model_id = Plain[str | None]()
    model_name = Plain[str | None]()
    model_description = Plain[str | None]()
    model_version = Plain[int | float | None]()
    problem_type = Plain[str | None]()
    algorithm_type = Plain[str | None]()
    model_creator = Plain[str | None]()
    model_owner = Plain[str | None]()
    model_artifact = Many(str, most("model_overview.model_artifact"))
    inference_environment = One(Environment)

    def __init__(
        self,
        model_id: str | None = None,
        model_name: str | None = None,
        model_description: str | None = None,
        model_version: int | float | None = None,  # noqa: PYI041
        problem_type: str | None = None,
        algorithm_type: str | None = None,
        model_creator: str | None = None,
        model_owner: str | None = None,
        model_artifact: list[str] | None = None,
        inference_environment: Environment | Mapping[str, Any] | None = None,
    ) -> None:
        self.model_id = model_id
        self.model_name = model_name
        self.model_description = model_description
        self.model_version = model_version
        self.problem_type = problem_type
        self.algorithm_type = algorithm_type
        self.model_creator = model_creator
        self.model_owner = model_owner
        self.model_artifact = model_artifact
        self.inference_environment = inference_environment

    @classmethod
    def from_model_name(cls, model_name: str, sagemaker_session: object = None, **kwargs: Any) -> Self:
        """Fill an overview from what is known of a model.

        Parameters
        ----------
        model_name : str
            A model of the workspace, for its newest version; ``name/version``; or the name or ARN that it has in SageMaker.
        sagemaker_session : Workspace, path or Session, optional
            Where to look; the usual workspace if None.
        **kwargs
            Other attributes. Id, name, artifacts and images are what was found; all else is what is given here, or what
            was found where nothing is given.

        Raises
        ------
        UsageError
            If there is no such model, or it has a card already (a ``ValueError``).
        """
        from driftline.cards import population

        made: Self = population.overview(cls, model_name, sagemaker_session, **kwargs)
        return made

    @classmethod
    def from_name(cls, model_name: str, sagemaker_session: object = None, **kwargs: Any) -> Self:
        """Fill an overview from what is known of a model; another name of :meth:`from_model_name`."""
        return cls.from_model_name(model_name, sagemaker_session, **kwargs)
