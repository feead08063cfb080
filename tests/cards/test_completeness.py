"""Completeness: every row of a profile has the state that the card gives it, and nothing is claimed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.completeness import SCHEMA, STATES, Completeness, RowState, check_profile
from driftline.cards.extensions import problems
from driftline.cards.facts import Facts
from driftline.cards.profile import load_profile, profiles
from driftline.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

EU = "eu-annex-iv"
SHA = "sha256:" + "a" * 64
FACTS = Facts(
    model="churn",
    monitors={"data-quality": ("hourly",), "model-quality": ("daily",)},
    evidence={"bias": ("No facet is beyond its range.",)},
    earlier_versions=("version 1",),
    records=4,
    targets=("pager",),
    plan_agrees=True,
)
CONTENT: dict[str, Any] = {
    "model_overview": {"model_creator": "Team", "model_owner": "ann", "model_version": 2},
    "intended_uses": {
        "purpose_of_model": "Order applications.",
        "factors_affecting_model_efficiency": "Age of the form.",
        "risk_rating": "High",
        "explanations_for_risk_rating": "Public benefit.",
    },
    "training_details": {
        "objective_function": {"function": {"function": "Minimize", "facet": "Loss"}},
        "training_job_details": {"hyper_parameters": [{"name": "l2", "value": "1"}]},
    },
    "evaluation_details": [
        {
            "name": "holdout",
            "datasets": ["test.csv"],
            "evaluation_observation": "Every third row.",
            "metric_groups": [
                {"name": "g", "metric_data": [{"name": "recall", "type": "number", "value": 0.5}]}
            ],
        },
        {
            "name": "Data quality: hourly",
            "metadata": {"source": "executions/01J"},
            "metric_groups": [{"name": "g", "metric_data": [{"name": "n", "type": "number", "value": 1}]}],
        },
    ],
}
SIGNED = {"signer": "Eve", "date": "2026-11-01", "log_uri": "log.txt", "digest": SHA}
EXTENSIONS: dict[str, Any] = {
    "scope": {
        "affected_groups": ["Applicants"],
        "assumptions": ["Forms are filled in by adults."],
        "limitations": ["Not outside the country."],
    },
    "io": {"input_format": "JSON"},
    "data": [
        {
            "name": "census",
            "description": "Forms.",
            "provenance": "Bureau",
            "collection": "Sample.",
            "labelling": "Tax records.",
            "cleaning": "None.",
        }
    ],
    "evaluation": [
        {"evaluation": "holdout", "signatures": [SIGNED], "slice": "sex=Female"},
        {"evaluation": "Data quality: hourly", "signatures": [SIGNED]},
    ],
    "metric_rationale": "A miss costs most.",
    "risks": [
        {"risk": "Delay", "mitigation": "All are read.", "status": "open", "next_review": "2027-01-01"}
    ],
    "oversight": {"measures": "Read.", "assessment": "Enough.", "interpretation": "Guide."},
    "compute": [{"activity": "training", "hours": 0.5}],
    "architecture": {"description": "One layer."},
    "development": "Iterated.",
    "design_choices": [{"choice": "Linear", "reason": "Explained easily."}],
    "trade_offs": [{"trade_off": "Accuracy against clarity"}],
    "expected_output": "A probability.",
    "interfaces": [{"name": "API", "description": "REST"}],
    "dependency_lock": {"uri": "lock.txt", "update_policy": "Monthly."},
    "deployment_forms": [{"form": "API"}],
    "hardware": {"minimum": "One core."},
    "user_interface": {"description": "A list."},
    "instructions_for_use": {"uri": "manual.pdf"},
    "change_plan": {"predetermined": [{"change": "Yearly retraining", "assessment": "Same tests."}]},
    "security": {"measures": "Tokens.", "robustness": "Odd input is refused."},
    "legal": {
        "standards": [{"name": "ISO/IEC 42001:2023"}],
        "declaration_of_conformity": {"uri": "doc.pdf", "digest": SHA},
    },
    "contacts": [{"name": "Team", "role": "provider", "contact": "team@example.org"}],
    "post_market_plan": {"statement": "Watched."},
    "attestations": [{"profile": EU, "row": "1(f)", "reason": "The model is part of no product."}],
}


def row(made: Completeness, number: str) -> RowState:
    return next(one for one in made.rows if one.id == number)


def without(extensions: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in extensions.items() if name not in names}


def test_an_empty_card_has_nothing() -> None:
    made = check_profile({}, {}, EU)
    assert made.counts == {"filled": 0, "partial": 0, "missing": 23, "not applicable": 0}
    assert made.figure == 0.0
    assert all(one.missing and not one.found for one in made.rows)


def test_a_full_card_is_complete() -> None:
    assert problems(EXTENSIONS) == []
    facts = Facts(**{**as_given(FACTS), "sources": frozenset({"executions/01J"})})
    made = check_profile(CONTENT, EXTENSIONS, EU, facts=facts)
    assert [(one.id, one.missing) for one in made.rows if one.state != "filled" and one.id != "1(f)"] == []
    assert made.counts == {"filled": 22, "partial": 0, "missing": 0, "not applicable": 1}
    assert made.figure == 1.0
    assert made.problems == ()
    assert row(made, "1(f)").reason == "The model is part of no product."


def as_given(facts: Facts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in Facts.__slots__}


def test_a_row_is_partial_where_a_part_is_missing() -> None:
    made = check_profile(CONTENT, without(EXTENSIONS, "contacts"), EU, facts=FACTS)
    first = row(made, "1(a)")
    assert first.state == "partial"
    assert [(one.what, one.add) for one in first.missing] == [
        ("how to reach the provider", "extensions.contacts[].contact")
    ]
    assert made.figure == 21 / 22


def test_every_item_must_have_it() -> None:
    two = [*EXTENSIONS["data"], {"name": "forms", "uri": "forms.csv"}]
    made = row(check_profile(CONTENT, {**EXTENSIONS, "data": two}, EU), "2(d)")
    assert made.state == "partial"
    assert [one.because for one in made.missing] == ["1 of 2 lack it: forms"] * 4
    unsigned = without(EXTENSIONS, "evaluation")
    made = row(check_profile(CONTENT, unsigned, EU, facts=FACTS), "2(g)")
    assert [one.what for one in made.missing] == ["the log or report of every evaluation, dated and signed"]
    assert made.missing[0].because == "2 of 2 lack it: holdout, Data quality: hourly"


@pytest.mark.parametrize("nothing", ["", "  \n", [], {}, [{}], [""], None])
def test_what_says_nothing_is_nothing(nothing: Any) -> None:
    made = check_profile({}, {"security": {"measures": nothing}}, EU)
    assert row(made, "2(h)").state == "missing"


def test_an_unknown_risk_is_no_rating() -> None:
    content = {"intended_uses": {"risk_rating": "Unknown"}}
    assert row(check_profile(content, {}, EU), "5").state == "missing"
    content["intended_uses"]["risk_rating"] = "Low"
    assert row(check_profile(content, {}, EU), "5").state == "partial"


def test_not_applicable_needs_a_reason_and_a_row() -> None:
    given = [
        {"profile": EU, "row": "1(z)", "reason": "x"},
        {"profile": EU, "row": "1(b)", "reason": "  "},
        {"profile": "nist-ai-rmf", "row": "1(b)", "reason": "x"},
    ]
    made = check_profile({}, {"attestations": given}, EU)
    assert made.counts["not applicable"] == 0
    assert [one.path for one in made.problems] == [
        "extensions.attestations.0.row",
        "extensions.attestations.1.reason",
    ]
    assert str(made.problems[0].fix).startswith("did you mean '1(")


def test_an_attested_row_that_holds_something_says_so() -> None:
    given = [{"profile": EU, "row": "2(h)", "reason": "No network."}]
    made = row(check_profile({}, {"attestations": given, "security": {"measures": "x"}}, EU), "2(h)")
    assert (made.state, made.missing) == ("not applicable", ())
    assert made.note == "the card holds something of it all the same"


def test_where_nothing_is_applicable_there_is_no_figure() -> None:
    given = [{"profile": EU, "row": number, "reason": "A test."} for number in load_profile(EU).ids]
    made = check_profile({}, {"attestations": given}, EU)
    assert made.figure is None
    assert made.to_document()["figure"] is None
    assert made.headline == "None of the 23 rows is applicable."


def test_declared_and_measured_are_told_apart() -> None:
    facts = Facts(**{**as_given(FACTS), "sources": frozenset({"executions/01J"})})
    made = check_profile(CONTENT, EXTENSIONS, EU, facts=facts)
    by = {(one.path, one.by) for one in row(made, "2(g)").found}
    assert ("evaluation_details[].metric_groups[].metric_data", "people") in by
    assert ("evaluation_details[].metric_groups[].metric_data", "monitors") in by
    assert ("facts.evidence.bias", "monitors") in by
    assert ("extensions.evaluation[].slice", "people") in by
    assert {one.by for one in row(made, "2(g)").found if "signatures" in one.path} == {"people"}
    assert {one.by for one in row(made, "9").found} == {"people", "monitors", "records"}
    assert all(n > 0 for n in made.origins.values())
    measured = {"evaluation": "holdout", "slice": "sex=Male", "measured_by": "executions/01J"}
    extras = {**EXTENSIONS, "evaluation": [measured]}
    assert ("extensions.evaluation[].slice", "monitors") in {
        (one.path, one.by) for one in row(check_profile(CONTENT, extras, EU, facts=facts), "3").found
    }


def test_a_run_that_nobody_knows_measured_nothing() -> None:
    made = check_profile(CONTENT, EXTENSIONS, EU, facts=FACTS)
    assert {one.by for one in row(made, "4").found} == {"people"}
    assert ("evaluation_details[].metric_groups[].metric_data", "monitors") not in {
        (one.path, one.by) for one in row(made, "2(g)").found
    }
    assert [one.what for one in made.problems] == ["names executions/01J as its origin, which is not there"]


def test_provenance_tells_records_from_people() -> None:
    provenance = {
        "training_details.training_job_details": {"source": "models/churn/2"},
        "model_overview.model_owner": {"source": "given"},
        "extensions.metric_rationale": {"source": "executions/01J"},
    }
    made = check_profile(CONTENT, EXTENSIONS, EU, provenance=provenance)
    found = {one.path: one.by for one in row(made, "2(b)").found}
    assert found["training_details.training_job_details.hyper_parameters"] == "records"
    assert {one.path: one.by for one in row(made, "1(a)").found}["model_overview.model_owner"] == "people"
    assert [one.by for one in row(made, "4").found] == ["monitors"]


def test_what_only_the_registry_knows_is_missing_without_it() -> None:
    made = row(check_profile(CONTENT, EXTENSIONS, EU), "9")
    assert made.state == "partial"
    assert {one.because for one in made.missing} == {"cannot be told without a workspace"}
    nist = check_profile(CONTENT, EXTENSIONS, "nist-ai-rmf", facts=FACTS)
    assert row(nist, "MEASURE 2.4").state == "filled"
    assert "(number not verified)" in next(
        cells[0] for cells in nist.table() if cells[0].startswith("MAP 1.1")
    )


def test_a_plan_out_of_date_is_told() -> None:
    facts = Facts(plan_agrees=False, plan_differences=("changed schedules[a].cron: 'x' is now 'y'",))
    made = check_profile({}, {"post_market_plan": {"schedules": [{"name": "a"}]}}, EU, facts=facts)
    assert "the plan says what the monitors do" in [one.what for one in row(made, "9").missing]
    assert made.problems[0].what.endswith("'x' is now 'y'")


@pytest.mark.parametrize("name", profiles())
def test_the_document_is_stable(name: str, data: Path) -> None:
    content = json.loads((data / "content/seed_sample_card.content.json").read_text("utf-8"))
    made = check_profile(content, EXTENSIONS, name, facts=FACTS)
    document = made.to_document()
    assert document == check_profile(content, EXTENSIONS, name, facts=FACTS).to_document()
    assert document["schema"] == SCHEMA
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert sum(document["counts"][state] for state in STATES) == document["counts"]["total"]
    assert document["figure"] == round(document["counts"]["filled"] / (document["counts"]["total"]), 4) or (
        document["counts"]["not applicable"] > 0
    )
    assert document["disclaimer"]


def test_hostile_text_stays_text() -> None:
    hostile = "a|b\n\u202e<script>alert(1)</script> [x](http://evil) `c` \x1b[31m *d* &amp; $e$"
    extensions = {
        "security": {"measures": hostile},
        "data": [{"name": hostile}],
        "attestations": [{"profile": EU, "row": "1(f)", "reason": hostile}],
    }
    made = check_profile({}, extensions, EU)
    text = made.to_markdown()
    assert all(cell.isprintable() for cells in made.table() for cell in cells)
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "](http://" not in text
    lines = [line for line in text.split("\n") if line.startswith("| ")]
    assert len(lines) == 1 + 23
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in lines)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["evaluation_details", "evaluation", "data", "risks", "attestations", "security", "scope"]
)


@given(st.dictionaries(NAMES, ANY, max_size=4), st.dictionaries(NAMES, ANY, max_size=4))
def test_a_card_that_breaks_every_rule_is_looked_at_all_the_same(
    content: dict[str, Any], extensions: dict[str, Any]
) -> None:
    made = check_profile(content, extensions, EU)
    assert len(made.rows) == 23
    assert made.to_markdown()


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(UsageError):
        check_profile({}, {}, "eu")


def test_to_look_at_a_card_loads_no_database_and_no_arrays() -> None:
    program = (
        "import sys\n"
        "from driftline.cards import diff, extensions, facts, post_market\n"
        "from driftline.cards.completeness import check_profile\n"
        "check_profile({}, {}, 'eu-annex-iv')\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert {"sqlalchemy", "numba", "pandas", "numpy", "pyarrow", "typst", "yaml"}.isdisjoint(loaded.split())
