"""How well a model did: evaluation jobs, their groups of metrics, and the metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.enums import EvaluationMetricTypeEnum, MetricTypeEnum
from driftline.cards.fields import Chosen, Field, Many, Part, Plain
from driftline.cards.limits import METRIC, most

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["EvaluationJob", "Metric", "MetricGroup"]

_CLASSES: Final[Mapping[MetricTypeEnum, tuple[type, ...]]] = {
    MetricTypeEnum.NUMBER: (int, float),
    MetricTypeEnum.STRING: (str,),
    MetricTypeEnum.BOOLEAN: (bool,),
    MetricTypeEnum.LINEAR_GRAPH: (list,),
    MetricTypeEnum.BAR_CHART: (list,),
    MetricTypeEnum.MATRIX: (list,),
}


class _Value(Field[Any, Any]):
    """The value of a metric: of exactly the class that the metric's type asks for."""

    def taken(self, instance: Part, value: Any) -> Any:
        assert isinstance(instance, Metric)
        kind = instance.type
        if kind is None:
            raise self.refuse("the metric's type comes first, and is missing")
        # Exactly: True is an int, and NumPy's numbers are floats, to isinstance.
        if type(value) not in _CLASSES[kind]:
            names = " or ".join(c.__name__ for c in _CLASSES[kind])
            found = type(value)
            own = found.__name__ if found.__module__ == "builtins" else f"{found.__module__}.{found.__name__}"
            fix = None
            if hasattr(value, "item") or hasattr(value, "tolist"):
                fix = "convert it with .tolist()"
            elif isinstance(value, tuple):
                fix = "give a list"
            raise self.refuse(f"a metric of type {kind} has a value of type {names}, not {own}", fix=fix)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.refuse(f"{value} is not a number that a card can hold", fix="leave the metric out")
        return value


class Metric(Part, path=METRIC):
    """One result.

    Parameters
    ----------
    name : str
    type : MetricTypeEnum or str
    value : int, float, str, bool or list
        Of exactly the class that `type` asks for: ``number`` int or float, ``string`` str, ``boolean`` bool,
        ``linear_graph`` a list of [x, y], ``bar_chart`` a list of numbers, ``matrix`` a list of rows.
        NumPy's numbers and tuples are refused, as are NaN and infinity.
    notes : str, optional
    x_axis_name, y_axis_name : str or list of str, optional
        A list where the axis has labels: the x axis of a bar chart (the bars), both of a matrix (x: the rows).
    """

    name = Plain[str]()
    type = Chosen(MetricTypeEnum)
    value = _Value()
    notes = Plain[str | None]()
    x_axis_name = Plain[str | list[str] | None]()
    y_axis_name = Plain[str | list[str] | None]()

    def __init__(
        self,
        name: str,
        type: MetricTypeEnum | str,  # noqa: A002
        value: float | str | bool | list[Any],
        notes: str | None = None,
        x_axis_name: str | list[str] | None = None,
        y_axis_name: str | list[str] | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.value = value
        self.notes = notes
        self.x_axis_name = x_axis_name
        self.y_axis_name = y_axis_name


class MetricGroup(Part, path="evaluation_details.*.metric_groups.*"):
    """Metrics that belong together.

    Parameters
    ----------
    name : str
        At most 63 characters.
    metric_data : list of Metric, optional
    """

    name = Plain[str]()
    metric_data = Many(Metric, most("evaluation_details.*.metric_groups.*.metric_data"))

    def __init__(self, name: str, metric_data: list[Metric] | list[dict[str, Any]] | None = None) -> None:
        self.name = name
        self.metric_data = metric_data

    def add_metric(self, metric: Metric) -> None:
        """Add a metric.

        Raises
        ------
        CardTypeError
            If it is no :class:`Metric` (a ``TypeError``).
        """
        self.metric_data.append(metric)


class EvaluationJob(Part, path="evaluation_details.*"):
    """One evaluation of the model.

    Parameters
    ----------
    name : str
        At most 63 characters.
    evaluation_observation, evaluation_job_arn : str, optional
    datasets : list of str, optional
        At most 10.
    metadata : dict of str to str, optional
    metric_groups : list of MetricGroup, optional
    """

    name = Plain[str]()
    evaluation_observation = Plain[str | None]()
    evaluation_job_arn = Plain[str | None]()
    datasets = Many(str, most("evaluation_details.*.datasets"))
    metadata = Plain[dict[str, Any] | None]()
    metric_groups = Many(MetricGroup, most("evaluation_details.*.metric_groups"))

    def __init__(
        self,
        name: str,
        evaluation_observation: str | None = None,
        evaluation_job_arn: str | None = None,
        datasets: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        metric_groups: list[MetricGroup] | list[dict[str, Any]] | None = None,
    ) -> None:
        self.name = name
        self.evaluation_observation = evaluation_observation
        self.evaluation_job_arn = evaluation_job_arn
        self.datasets = datasets
        self.metadata = metadata
        self.metric_groups = metric_groups

    def get_metric_group(self, group_name: str) -> MetricGroup | None:
        """Return the group of that name, the last one of several, or None."""
        return self.metric_groups.to_map("name").get(group_name)

    def add_metric_group(self, group_name: str) -> MetricGroup:
        """Add an empty group and return it; a second one of the same name is another group."""
        group = MetricGroup(name=group_name)
        self.metric_groups.append(group)
        return group

    def add_metric_group_from_json(
        self,
        json_path: str | os.PathLike[str],
        metric_type: EvaluationMetricTypeEnum | str = EvaluationMetricTypeEnum.MODEL_CARD_METRIC_SCHEMA,
    ) -> None:
        """Add the groups of an evaluation report; what could not be taken is said in the observation.

        Parameters
        ----------
        json_path : str or path
            A path, or a URL of the schemes file, s3, http and https.
        metric_type : EvaluationMetricTypeEnum or "auto"
            What the report is; ``"auto"`` looks.

        Raises
        ------
        ReportMissingError
            If there is no such report (a ``FileNotFoundError``).
        InputError
            If it is empty, or no report of that kind (a ``ValueError``).
        """
        self._add(json_path, metric_type)

    def add_metric_group_from_s3(
        self,
        session: object,  # noqa: ARG002
        s3_url: str,
        metric_type: EvaluationMetricTypeEnum | str = EvaluationMetricTypeEnum.MODEL_CARD_METRIC_SCHEMA,
    ) -> None:
        """Add the groups of an evaluation report in an object store.

        Parameters
        ----------
        session : object
            Not looked at: the store is read with the credentials and options that captured data are read with.
        s3_url : str
        metric_type : EvaluationMetricTypeEnum or "auto"

        Raises
        ------
        ReportMissingError, InputError
            As :meth:`add_metric_group_from_json` does.
        """
        self._add(s3_url, metric_type)

    def _add(self, place: str | os.PathLike[str], kind: EvaluationMetricTypeEnum | str) -> None:
        from driftline.cards import reports

        parsed = reports.load(place, kind)
        taken = [MetricGroup.from_content(group) for group in parsed.groups]  # all of them, or none
        self.metric_groups.extend(taken)
        if parsed.warnings:
            self._observe("Not taken from the report: " + "; ".join(parsed.warnings))

    def _observe(self, sentence: str) -> None:
        """Add a sentence to the observation, as far as there is room."""
        before = f"{self.evaluation_observation}\n" if self.evaluation_observation else ""
        room = (most("evaluation_details.*.evaluation_observation") or 0) - len(before)
        if room > 0:
            self.evaluation_observation = before + (
                sentence if len(sentence) <= room else sentence[: room - 1] + "…"
            )
