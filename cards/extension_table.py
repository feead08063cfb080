"""The table of the extensions: every field that a card has beyond SageMaker's, its rule and its meaning.

Validation, the JSON Schema and the documentation are made from it. What is here is what other card systems have
(Hugging Face, Model Card Toolkit, VerifyML, CycloneDX, SPDX), and what Annex IV of Regulation (EU) 2024/1689 asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from driftline.cards.extension_kinds import (
    Choice,
    Date,
    Digest,
    Flag,
    Json,
    ListOf,
    Number,
    Text,
    Uri,
    Whole,
)
from driftline.cards.extension_parts import file, group, name, texts
from driftline.cards.extension_plan import PLAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.extension_kinds import Field

__all__ = ["ACTIVITIES", "MOST_CHARACTERS", "SCHEMA_VERSION", "TABLE"]

SCHEMA_VERSION: Final = "1.0"
"""Version of this table; the part before the dot grows when an older reader could no longer read it."""

MOST_CHARACTERS: Final = 400_000
"""Longest extensions, as compact JSON."""

ACTIVITIES: Final = ("development", "training", "fine-tuning", "validation", "testing", "inference", "other")
"""What computing is done for."""


_COMPUTING: Final[Mapping[str, Field]] = {
    "hardware": Text("machines and accelerators", 1024),
    "hours": Number("hours of computing", 0.0),
    "provider": name("who runs the machines"),
    "region": name("where they stand"),
    "energy_kwh": Number("energy used, in kilowatt hours", 0.0),
    "carbon_kg": Number("greenhouse gases emitted, in kilograms of CO2 equivalent", 0.0),
}

_SCOPE: Final = group(
    "what the model is for, and what not",
    out_of_scope_uses=texts("uses that the model is not meant for"),
    primary_users=texts("who uses the model"),
    affected_groups=texts("persons and groups on whom the model is used, or whom its output affects"),
    limitations=texts("what is known not to work"),
    assumptions=texts("what must be so for the model to work"),
    factors=texts("groups, instruments and environments with which the model's quality varies"),
)

_IO: Final = group(
    "what goes into the model and what comes out",
    input_schema=Json("columns or tensors that go in"),
    output_schema=Json("columns or tensors that come out"),
    input_format=Text("form of the input, in words", 1024),
    output_format=Text("form of the output, in words", 1024),
    decision_threshold=Number("score from which on the decision is positive"),
    decision_threshold_reason=Text("how the threshold was chosen", 2048),
    signature=Json("signature of the model as MLflow has it"),
    input_example=Json("one input"),
)

_DATA: Final = group(
    "one set of data",
    "name",
    name=name("what it is called"),
    uri=Uri("where it is"),
    digest=Digest("SHA-256 of the data"),
    config=name("configuration, of a set that has several"),
    split=name("what it was used for: train, validation, test"),
    revision=name("version of the data"),
    licence=name("licence, an SPDX identifier where there is one"),
    description=Text("what it holds: scope and main characteristics"),
    provenance=Text("where the data come from"),
    collection=Text("how the data were obtained and selected"),
    labelling=Text("how the labels came about"),
    cleaning=Text("how the data were cleaned and prepared"),
    sensitive_fields=texts("columns with sensitive or personal data", 200),
    sensitive_reason=Text("why sensitive data are used"),
    personal_data=Choice("whether it holds personal data", ("yes", "no", "unknown")),
    n_rows=Whole("rows"),
    period_start=Date("first day that the data are of"),
    period_end=Date("last day that the data are of"),
)

_EVALUATION: Final = group(
    "what is known of an evaluation, of a group of its metrics, or of one metric",
    "evaluation",
    evaluation=name("name of the evaluation in evaluation_details"),
    group=name("name of the group of metrics; not there: the whole evaluation"),
    metric=name("name of the metric; not there: the whole group"),
    slice=Text("part of the data it is of, such as sex=Female", 1024),
    confidence_interval=group(
        "interval in which the metric lies",
        "low",
        "high",
        low=Number("lower end"),
        high=Number("upper end"),
        level=Number("share of such intervals that hold the true value, such as 0.95", 0.0, 1.0),
        method=name("how it was computed"),
    ),
    sample_size=Whole("rows that it was computed from"),
    test=group(
        "what the metric was held to",
        "passed",
        threshold=Number("value that it was held to"),
        comparison=Choice(
            "what the metric had to be, against the threshold",
            ("at least", "at most", "above", "below", "equal"),
        ),
        passed=Flag("whether it held"),
        description=Text("what was tested", 2048),
    ),
    measured_by=Text("who or what measured it; of a monitor, its execution", 1024),
    verified=Flag("whether somebody other than the author measured it"),
    metric_rationale=Text("why this metric is the right one"),
    procedure=Text("how it was evaluated and tested"),
    log_uri=Uri("where the log of the test is"),
    digest=Digest("SHA-256 of the log"),
    signatures=ListOf(
        "persons who answer for the evaluation",
        group(
            "one signature",
            "signer",
            "date",
            signer=name("who signed"),
            role=name("in which role"),
            date=Date("when"),
            log_uri=Uri("where the signed log or report is"),
            digest=Digest("SHA-256 of what was signed"),
        ),
        20,
    ),
)

_RISK: Final = group(
    "one risk",
    "risk",
    risk=Text("what may happen"),
    group=Text("who would suffer from it", 1024),
    likelihood=Choice("how likely it is", ("rare", "unlikely", "possible", "likely", "almost certain")),
    severity=Choice("how bad it would be", ("low", "medium", "high", "serious")),
    mitigation=Text("what is done about it"),
    residual=Text("what is left of it", 2048),
    owner=name("who looks after it"),
    status=Choice("where it stands", ("open", "mitigated", "accepted", "closed")),
    identified=Date("when it was found"),
    reviewed=Date("when it was looked at last"),
    next_review=Date("when it is looked at again"),
)

_OVERSIGHT: Final = group(
    "how people keep the model in hand",
    measures=Text("what people do to oversee the model"),
    assessment=Text("why these measures are enough"),
    roles=texts("who oversees"),
    training=Text("what they have learnt for it", 2048),
    interpretation=Text("help for interpreting the output"),
    explainability_method=Text("how single outputs are explained", 2048),
    intervention=Text("how an output is overruled"),
    stop=Text("how the model is taken out of use at once"),
    decommissioning=Text("how the model is retired"),
    incident_communication=Text("who is told of incidents and errors, and how"),
)

_SECURITY: Final = group(
    "how the model and its data are protected",
    measures=Text("what protects them"),
    threats=texts("attacks that were thought of"),
    robustness=Text("what was done against errors, faults and odd input"),
    access=Text("who may use and change the model", 2048),
    testing=Text("how the protection was tested", 2048),
    privacy=Text("how personal data are protected"),
)

_LEGAL: Final = group(
    "licence, law and standards",
    licence=name("licence of the model, an SPDX identifier where there is one"),
    licence_uri=Uri("text of the licence"),
    standards=ListOf(
        "harmonised standards and other specifications that were applied",
        group(
            "one standard",
            "name",
            name=name("such as ISO/IEC 42001:2023"),
            scope=Text("how far it was applied: in full, or which parts", 2048),
            harmonised=Flag("whether its reference is in the Official Journal"),
            uri=Uri("where it is"),
        ),
    ),
    other_solutions=Text("what was done instead, where no harmonised standard was applied"),
    declaration_of_conformity=file(
        "copy of the declaration of conformity",
        date=Date("of the declaration"),
        signer=name("who signed it"),
    ),
    regulations=ListOf(
        "laws that the model falls under",
        group(
            "one law",
            "name",
            name=name("such as Regulation (EU) 2024/1689"),
            article=name("article or annex"),
            requirement=Text("what it asks for here", 2048),
            status=Choice("where this stands", ("open", "in progress", "met", "not applicable")),
            uri=Uri("where it is"),
        ),
    ),
)

TABLE: Final = group(
    "What a model card has beyond SageMaker's",
    schema_version=Text("version of this table, such as 1.0", 16),
    scope=_SCOPE,
    io=_IO,
    data=ListOf("sets of data", _DATA, 200),
    evaluation=ListOf(
        "what SageMaker's evaluation_details have no place for",
        _EVALUATION,
        2000,
        ("evaluation", "group", "metric", "slice"),
    ),
    metric_rationale=Text("why the metrics are the right ones for this model"),
    risks=ListOf("risks", _RISK, 200),
    fairness=ListOf(
        "groups that the model may treat unlike others",
        group(
            "one group",
            "group",
            group=Text("the group at risk", 1024),
            benefits=Text("what it gains from the model", 2048),
            harms=Text("what it may suffer", 2048),
            mitigation=Text("what is done about it"),
        ),
    ),
    oversight=_OVERSIGHT,
    environment=group(
        "what the model costs the environment",
        **_COMPUTING,
        method=Text("how energy and emissions were determined", 2048),
    ),
    compute=ListOf(
        "what the model was developed, trained, tested and validated on",
        group(
            "one activity",
            "activity",
            activity=Choice("what for", ACTIVITIES),
            **_COMPUTING,
            log_uri=Uri("where its log is"),
            digest=Digest("SHA-256 of the log"),
        ),
    ),
    architecture=group(
        "how the model is built",
        family=name("such as gradient-boosted trees"),
        description=Text("parts, and how they work together"),
        n_parameters=Whole("trained parameters"),
        diagram=file("a drawing of it"),
    ),
    development=Text("methods and steps by which the model was developed"),
    base_models=ListOf(
        "models that this one was made from",
        group(
            "one model",
            "name",
            name=name("what it is called"),
            relation=Choice(
                "what was done with it",
                ("fine-tuned", "adapter", "merged", "quantized", "distilled", "other"),
            ),
            revision=name("its version"),
            supplier=name("who made it"),
            licence=name("its licence"),
            uri=Uri("where it is"),
            digest=Digest("SHA-256 of it"),
        ),
    ),
    third_party=ListOf(
        "tools and parts of others",
        group(
            "one part",
            "name",
            name=name("what it is called"),
            version=name("its version"),
            supplier=name("who makes it"),
            use=Text("how it was used, integrated or changed", 2048),
            licence=name("its licence"),
            uri=Uri("where it is"),
            digest=Digest("SHA-256 of it"),
        ),
        500,
    ),
    design_choices=ListOf(
        "decisions that make the model what it is",
        group(
            "one decision",
            "choice",
            choice=Text("what was decided"),
            reason=Text("why"),
            assumptions=Text("what was taken for granted", 2048),
            alternatives=Text("what was not chosen", 2048),
        ),
    ),
    trade_offs=ListOf(
        "what was given up for what",
        group(
            "one trade-off",
            "trade_off",
            trade_off=Text("what stood against what"),
            decision=Text("how it was settled, and why"),
        ),
    ),
    expected_output=Text("what the model puts out, and how good the output is expected to be"),
    interfaces=ListOf(
        "hardware and software that the model works with",
        group(
            "one interface",
            "name",
            name=name("of the other side"),
            kind=name("such as REST API, message queue, device"),
            description=Text("how they work together", 2048),
            uri=Uri("where it is described"),
        ),
    ),
    dependency_lock=file(
        "software that the model needs, with versions",
        packages=ListOf(
            "the packages",
            group("one package", "name", name=name("of the package"), version=name("its version")),
            1000,
        ),
        update_policy=Text("how updates are made", 2048),
    ),
    deployment_forms=ListOf(
        "forms in which the model is supplied",
        group(
            "one form",
            "form",
            form=name("such as container image, download, API, embedded"),
            description=Text("more of it", 2048),
            uri=Uri("where it is"),
            digest=Digest(),
        ),
    ),
    hardware=group(
        "what the model is meant to run on",
        minimum=Text("the least that it needs", 2048),
        recommended=Text("what it should have", 2048),
        tested=texts("what it was tested on"),
    ),
    user_interface=file("what its users see", description=Text("in words")),
    instructions_for_use=file(
        "instructions for those who use the model",
        description=Text("in words"),
        language=name("its language"),
    ),
    attachments=ListOf(
        "files that belong to the card",
        group(
            "one file",
            "title",
            title=name("what it is"),
            kind=name("such as photograph, illustration, report"),
            uri=Uri("where it is"),
            digest=Digest(),
            media_type=name("such as application/pdf"),
        ),
        200,
    ),
    change_plan=group(
        "changes that are decided in advance",
        process=Text("how the model is kept in order when it changes"),
        predetermined=ListOf(
            "the changes",
            group(
                "one change",
                "change",
                change=Text("what will change"),
                limits=Text("how far it may go", 2048),
                assessment=Text("how it is made sure that all requirements stay met", 2048),
            ),
        ),
    ),
    security=_SECURITY,
    legal=_LEGAL,
    contacts=ListOf(
        "persons and organisations",
        group(
            "one contact",
            "name",
            name=name("who"),
            role=name("such as provider, owner, auditor"),
            organisation=name("of which organisation"),
            contact=Text("address, telephone or mail", 1024),
        ),
    ),
    change_log=ListOf(
        "what changed from version to version",
        group(
            "one change",
            "description",
            date=Date("when"),
            version=name("version of the model or the card"),
            description=Text("what changed"),
            author=name("who did it"),
            digest=Digest("hash of the card's record of it"),
        ),
        1000,
    ),
    post_market_plan=PLAN,
    catalogue=group(
        "what a catalogue of models shows",
        languages=ListOf("languages that the model is of, by their codes", name("one language"), 200),
        library=name("library that loads the model"),
        library_version=name("its version"),
        task=name("such as tabular-classification"),
        tags=ListOf("words to find it by", name("one word"), 200),
    ),
    references=ListOf(
        "what to read",
        group(
            "one reference",
            "title",
            title=Text("what it is", 1024),
            uri=Uri("where it is"),
            citation=Text("how to cite it"),
        ),
    ),
    attestations=ListOf(
        "requirements of a profile that do not apply to this model",
        group(
            "one requirement",
            "profile",
            "row",
            "reason",
            profile=name("such as eu-annex-iv"),
            row=name("of the profile, such as 1(f)"),
            reason=Text("why it does not apply"),
            by=name("who says so"),
            date=Date("since when"),
        ),
        200,
        ("profile", "row"),
    ),
)
"""All fields. Keys are in snake case; lengths are in characters."""
