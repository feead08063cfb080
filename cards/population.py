"""Population: what is known of a model becomes the parts of its card.

The class methods of :class:`~driftline.cards.overview.ModelOverview`,
:class:`~driftline.cards.training.TrainingDetails` and :class:`~driftline.cards.package.ModelPackage` end here. Each part
remembers where its values came from; a card keeps that beside its content (:func:`provenance_of`), for those that still
say what was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.cards.errors import CardModelError, CardTypeError
from driftline.cards.populated import (
    Populated,
    PopulationWarning,
    model_of,
    overview_of,
    populated,
    provenance_of,
    remember,
    training_of,
    warn,
)
from driftline.cards.session import Session, session_of
from driftline.cards.sources.facts import JOB, Facts
from driftline.errors import DriftlineError, UsageError, printable

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from driftline.cards.evaluation import EvaluationJob
    from driftline.cards.package import ModelPackage
    from driftline.cards.training import TrainingDetails
    from driftline.registry.card_types import Card
    from driftline.registry.models import Version
    from driftline.registry.store import Tx

__all__ = [
    "Populated",
    "PopulationWarning",
    "from_file",
    "from_huggingface",
    "from_sklearn",
    "model_of",
    "overview",
    "package",
    "package_evaluation",
    "package_group_card",
    "package_training",
    "populate",
    "provenance_of",
    "training_from_artifacts",
    "training_from_job",
    "training_from_overview",
]


def populate(
    name: str, sagemaker_session: object = None, *, workspace: object = None, has_card: bool = False
) -> Populated:
    """Return all that the workspace knows of a model.

    Parameters
    ----------
    name : str
        ``name`` for its newest version, or ``name/version``.
    sagemaker_session, workspace : Session, Workspace, path or None
    has_card : bool
        Whether it may have a card already.

    Raises
    ------
    UsageError
        ``E-NO-MODEL``: there is no such model.
    CardModelError
        ``E-CARD-MODEL``: it has a card.

    Warns
    -----
    PopulationWarning
        For what a card has no room for.
    """
    session = session_of(sagemaker_session, workspace)
    found = populated(session.read(lambda tx: collect(tx, name, has_card=has_card)))
    warn(found.facts.notes)
    return found


def from_sklearn(estimator: object, **given: Any) -> Populated:
    """Make the parts of a card from a fitted estimator; nothing is imported, and it is asked only for what it says.

    Parameters
    ----------
    estimator : object
        Anything with ``get_params()``, such as an estimator or a pipeline of scikit-learn.
    **given
        Of the overview: ``model_id``, ``model_name``, ``model_owner`` and so on.

    Returns
    -------
    Populated
        The class and the problem in the overview, the parameters among the training's details, features and classes as
        extensions.

    Raises
    ------
    CardTypeError
        ``E-CARD-TYPE``: it is no estimator.

    Examples
    --------
    >>> class Stump:
    ...     def get_params(self):
    ...         return {"depth": 1}
    >>> from_sklearn(Stump()).sections["model_overview"].algorithm_type
    'Stump'
    """
    from driftline.cards.sources.estimator import facts_of_estimator

    return _from_elsewhere(facts_of_estimator(estimator), given)


def from_file(path: str | os.PathLike[str], **given: Any) -> Populated:
    """Make the parts of a card from a model file on this machine: its digest, and what ONNX and safetensors files say.

    Parameters
    ----------
    path : path
        Nothing in it is run.
    **given
        As for :func:`from_sklearn`.

    Raises
    ------
    InputError
        ``E-FILE``, ``E-FORMAT``.
    """
    from driftline.cards.sources.files import facts_of_file

    return _from_elsewhere(facts_of_file(path), given)


def from_huggingface(source: str | os.PathLike[str] | bytes) -> Populated:
    """Make the parts of a card from a card of the Hugging Face Hub.

    Parameters
    ----------
    source : path or bytes
        A ``README.md``, a folder with one, or its text.

    Raises
    ------
    InputError
        ``E-FILE``, and what :func:`driftline.cards.convert.huggingface.read` raises.

    Warns
    -----
    PopulationWarning
        For what has no place in a card.
    """
    from driftline.cards.sources.hub import facts_of_hub

    facts, content = facts_of_hub(source)
    warn(facts.notes, level=3)
    from driftline.cards.content import sections_of

    sections = sections_of(content)
    for part in sections.values():
        if not isinstance(part, list):
            remember(part, facts)
    return Populated(facts, sections, facts.extension())


def _from_elsewhere(facts: Facts, given: dict[str, Any]) -> Populated:
    made = populated(facts, given)
    warn(facts.notes)
    return made


def collect(tx: Tx, name: str, *, has_card: bool = False) -> Facts:
    """Return the facts of a model.

    Parameters
    ----------
    name, has_card
        As for :func:`populate`.

    Raises
    ------
    UsageError
        ``E-NO-MODEL``.
    CardModelError
        ``E-CARD-MODEL``.
    """
    from driftline.cards.sources.registered import facts_of, find_model

    if not isinstance(name, str):
        raise CardTypeError(f"expected the name of a model, found a {type(name).__name__}")
    found = find_model(tx, name)
    if found is None:
        raise _unknown(tx, name)
    facts = facts_of(tx, *found, name=name)
    if not has_card:
        _refuse_second(tx, facts.values["model_overview.model_id"], name)
    return facts


def _unknown(tx: Tx, name: str) -> UsageError:
    from driftline.documents import nearest
    from driftline.registry import models

    plain, slash, _ = name.partition("/")
    known = [model.name for model in models.list_models(tx, limit=1000)]
    if slash and plain in known:
        there = [version.version for version in models.versions(tx, plain)]
        fix = f"its versions are {', '.join(there[-5:])}" if there else "it has no versions"
    else:
        close = nearest(plain, known) if len(plain) < 1000 else None
        fix = f"did you mean {close!r}?" if close else "register it first: driftline model import"
    return UsageError(f"Could not find model {printable(repr(name), 120)}", code="E-NO-MODEL", fix=fix)


def _refuse_second(tx: Tx, model_id: str, name: str) -> None:
    from driftline.registry import cards

    there = cards.find_by_model_id(tx, model_id)
    if there is not None:
        raise _has_card(f"model {printable(name, 120)}", [there.name])


def _has_card(what: str, names: Sequence[str]) -> CardModelError:
    return CardModelError(
        f"the {what} is associated with the model card {', '.join(names)}: a model has one card",
        code="E-CARD-MODEL",
        fix=f"load and update {names[0]}",
    )


def _session(sagemaker_session: object, given: dict[str, Any]) -> Session:
    return session_of(sagemaker_session, given.pop("workspace", None))


# --- the overview ---------------------------------------------------------------------------------------------------


def overview(cls: Any, model_name: str, sagemaker_session: object = None, **given: Any) -> Any:
    """Fill an overview from what is known of a model.

    Parameters
    ----------
    cls : type
        :class:`~driftline.cards.overview.ModelOverview`, or one derived from it.
    model_name : str
        ``name`` for the newest version of a model here, or ``name/version``; or the name or ARN of a model that was
        imported from SageMaker.
    sagemaker_session : Session, Workspace, path or None
        ``workspace=`` is another name for it.
    **given
        Name, id, artifacts and images are what was found; all else is what is given here, and what was found where
        nothing is given.

    Raises
    ------
    UsageError
        ``E-NO-MODEL``; its message begins ``Could not find model``.
    CardModelError
        ``E-CARD-MODEL``: the model has a card.
    """
    session = _session(sagemaker_session, given)
    facts = session.read(lambda tx: collect(tx, model_name))
    made = overview_of(cls, facts, given)
    warn(note for note in facts.notes if note.startswith("model_overview."))
    return made


# --- training -------------------------------------------------------------------------------------------------------


def training_from_overview(
    cls: Any, model_overview: Any, sagemaker_session: object = None, **given: Any
) -> Any:
    """Fill training details from the training of the model that an overview is about.

    Parameters
    ----------
    cls : type
        :class:`~driftline.cards.training.TrainingDetails`, or one derived from it.
    model_overview : ModelOverview
        Made by ``from_model_name``, or with the ``model_id`` of a model here, or with one artifact.
    sagemaker_session, **given
        As for :func:`overview`; ``training_job_details`` is what was found.

    Returns
    -------
    TrainingDetails
        With empty job details where nothing is known of the training.

    Warns
    -----
    PopulationWarning
        Where the training is not known, or a card has no room for all of it.
    """
    session = _session(sagemaker_session, given)

    def find(tx: Tx) -> tuple[Facts | None, str]:
        version = _version_of(tx, model_overview)
        if version is not None:
            facts = _facts(tx, version)
            if facts.section(JOB):
                return facts, ""
        return _by_artifacts(tx, list(model_overview.model_artifact))

    return _details(cls, given, *session.read(find))


def training_from_artifacts(
    cls: Any, model_artifacts: Sequence[str], sagemaker_session: object = None, **given: Any
) -> Any:
    """Fill training details from the job that made an artifact; otherwise as :func:`training_from_overview`.

    Parameters
    ----------
    model_artifacts : sequence of str
        Exactly one, for the job to be told.
    """
    session = _session(sagemaker_session, given)
    return _details(cls, given, *session.read(lambda tx: _by_artifacts(tx, list(model_artifacts or ()))))


def training_from_job(
    cls: Any, training_job_name: str, sagemaker_session: object = None, **given: Any
) -> Any:
    """Fill training details from a job, by its name, id or ARN.

    Raises
    ------
    UsageError
        ``E-NO-JOB``; its message begins ``Could not find training job``.
    """
    from driftline.cards.sources.registered import find_job

    session = _session(sagemaker_session, given)

    def find(tx: Tx) -> Facts:
        version = find_job(tx, training_job_name)
        if version is None:
            raise UsageError(
                f"Could not find training job {printable(repr(training_job_name), 120)}",
                code="E-NO-JOB",
                fix="import the model that it made: driftline model import",
            )
        return _facts(tx, version)

    return _details(cls, given, session.read(find), "")


def _version_of(tx: Tx, model_overview: Any) -> Version | None:
    from driftline.cards.sources.registered import find_model
    from driftline.registry import models

    facts: Facts | None = model_overview.__dict__.get("_facts")
    if facts is not None and facts.model is not None and facts.version is not None:
        return models.find_version(tx, facts.model, facts.version)
    if not isinstance(model_overview.model_id, str):
        return None
    number = model_overview.model_version
    named = find_model(tx, f"{model_overview.model_id}/{number}") if number is not None else None
    named = named or find_model(tx, model_overview.model_id)
    return None if named is None else named[1]


def _by_artifacts(tx: Tx, artifacts: list[str]) -> tuple[Facts | None, str]:
    from driftline.cards.sources.registered import with_artifact

    if len(artifacts) != 1:
        what = "names no artifact" if not artifacts else f"names {len(artifacts)} artifacts"
        return None, f"the model {what}, so its training job cannot be told"
    found = with_artifact(tx, artifacts[0])
    jobs = {str(v.training.get("job") or (v.model, v.version)) for v in found}
    if len(jobs) != 1:
        what = "no training job is known" if not jobs else f"{len(jobs)} training jobs are known"
        return None, f"{what} that made {printable(artifacts[0], 200)}"
    return _facts(tx, found[-1]), ""


def _facts(tx: Tx, version: Version) -> Facts:
    from driftline.cards.sources.registered import training_facts
    from driftline.registry.moments import shown

    facts = Facts(str(shown(tx.now)), model=version.model, version=version.version)
    training_facts(facts, version)
    return facts


def _details(cls: Any, given: dict[str, Any], facts: Facts | None, why: str) -> Any:
    made = training_of(cls, facts, given)
    notes = [f"{why}: the details of the job are empty"] if facts is None else []
    cut = [
        note for note in (facts.notes if facts is not None else ()) if note.startswith("training_details.")
    ]
    warn([*notes, *cut], level=5)
    return made


# --- packages -------------------------------------------------------------------------------------------------------


def package(cls: Any, model_package_arn: str, sagemaker_session: object = None, **given: Any) -> Any:
    """Fill package details from a model package that was imported from SageMaker.

    Parameters
    ----------
    cls : type
        :class:`~driftline.cards.package.ModelPackage`, or one derived from it.

    Raises
    ------
    UsageError
        ``E-NO-PACKAGE``; its message begins ``Could not find model package``.
    CardModelError
        ``E-CARD-MODEL``: the package has a card.
    """
    from driftline.cards.sources.registered import find_package
    from driftline.cards.sources.sagemaker import package_details
    from driftline.registry.moments import shown

    session = _session(sagemaker_session, given)

    def find(tx: Tx) -> Facts:
        version = find_package(tx, model_package_arn)
        if version is None:
            raise UsageError(
                f"Could not find model package {printable(repr(model_package_arn), 200)}",
                code="E-NO-PACKAGE",
                fix="import it first: driftline model import NAME --sagemaker FILE",
            )
        details = package_details((version.origin or {})["ModelPackage"])
        holders = _cards_of_package(
            tx, model_package_arn, details.get("model_package_group_name"), version.model
        )
        if holders:
            raise _has_card(f"model package {printable(model_package_arn, 120)}", holders)
        facts = Facts(str(shown(tx.now)), model=version.model, version=version.version)
        for key, value in details.items():
            # Where reports lie is used, and never written.
            if key != "model_metrics":
                facts.put(f"model_package_details.{key}", value, model_package_arn)
        facts.extensions["model_metrics"] = details.get("model_metrics")
        return facts

    facts = session.read(find)
    metrics = facts.extensions.pop("model_metrics")
    made = cls(**facts.section("model_package_details"), model_metrics=metrics)
    remember(made, facts)
    warn(facts.notes)
    return made


def _cards_of_package(tx: Tx, arn: str, group: str | None, model: str) -> list[str]:
    from driftline.registry import cards

    found: dict[str, None] = {}
    for where in [{"model": model}, *([{"package_group": group}] if group is not None else [])]:
        last: Card | None = None
        while page := cards.list_cards(tx, **where, after=last, limit=100):  # type: ignore[arg-type]
            found |= dict.fromkeys(card.name for card in page)
            last = page[-1]
    return [
        name
        for name in found
        if cards.version(tx, name).content.get("model_package_details", {}).get("model_package_arn") == arn
    ]


def package_training(made: ModelPackage, sagemaker_session: object = None) -> TrainingDetails | None:
    """Return the training of the artifacts that a package's containers run; None where it names no containers."""
    from driftline.cards.training import TrainingDetails

    specification = made.inference_specification
    if specification is None or not specification.containers:
        return None
    session = session_of(sagemaker_session)
    facts: Facts | None = made.__dict__.get("_facts")
    if facts is not None and facts.model is not None and facts.version is not None:
        known = (facts.model, facts.version)

        def find(tx: Tx) -> Facts | None:
            from driftline.registry import models

            version = models.find_version(tx, *known)
            return None if version is None else _facts(tx, version)

        of_version = session.read(find)
        if of_version is not None and of_version.section(JOB):
            details: TrainingDetails = _details(TrainingDetails, {}, of_version, "")
            return details
    places = list(dict.fromkeys(c.model_data_url for c in specification.containers if c.model_data_url))
    found: TrainingDetails = training_from_artifacts(TrainingDetails, places, session)
    return found


def package_evaluation(made: ModelPackage, sagemaker_session: object = None) -> list[EvaluationJob]:
    """Make an evaluation of each report that a package names: bias, explainability, model quality.

    Warns
    -----
    PopulationWarning
        For a report that cannot be read; it is left out.
    """
    from driftline.cards.enums import EvaluationMetricTypeEnum as Kind
    from driftline.cards.evaluation import EvaluationJob

    metrics = made.model_metrics or {}
    wanted = [(f"Bias {key}", report, Kind.CLARIFY_BIAS) for key, report in metrics.get("Bias", {}).items()]
    for group, key, name, kind in (
        ("Explainability", "Report", "Explainability report", Kind.CLARIFY_EXPLAINABILITY),
        ("ModelQuality", "Statistics", "Model quality report", Kind.MODEL_MONITOR_MODEL_QUALITY),
    ):
        if key in metrics.get(group, {}):
            wanted.append((name, metrics[group][key], kind))
    jobs = []
    for name, report, kind in wanted:
        place = report.get("S3Uri") if isinstance(report, dict) else None
        if not place:
            continue
        job = EvaluationJob(name=name)
        try:
            job.add_metric_group_from_s3(sagemaker_session, place, kind)
        except (DriftlineError, FileNotFoundError) as error:
            warn([f"evaluation_details: the report of {name!r} was left out: {error}"])
        else:
            jobs.append(job)
    return jobs


def package_group_card(made: ModelPackage, sagemaker_session: object = None) -> str | None:
    """Return the name of the card that was changed last among those of a package's group; None where there is none."""
    from driftline.registry import cards

    group = made.model_package_group_name
    if not group:
        return None
    session = session_of(sagemaker_session)
    found = session.read(
        lambda tx: cards.list_cards(tx, package_group=group, sort="modified", descending=True, limit=1)
    )
    return found[0].name if found else None
