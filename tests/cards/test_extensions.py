"""Extensions: every field by its rule, everything wrong at once, and the schema that says the same."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from driftline.cards import extension_kinds as kinds
from driftline.cards.errors import CardError
from driftline.cards.extension_plan import KINDS
from driftline.cards.extension_table import TABLE
from driftline.cards.extensions import (
    MOST_CHARACTERS,
    SCHEMA_VERSION,
    check,
    loose_ends,
    problems,
    rows,
    schema,
    schema_text,
    stamped,
)
from driftline.documents import encode
from driftline.registry import baselines

SHA = "sha256:" + "0" * 64
VALIDATOR = Draft202012Validator(schema())


def good(field: kinds.Field) -> Any:
    """Return a value that a field takes, with everything in it that it can hold."""
    match field:
        case kinds.Group():
            return {name: good(inner) for name, inner in field.fields.items()}
        case kinds.ListOf():
            return [good(field.item)]
        case kinds.Text():
            return "x" * min(field.most, 3)
        case kinds.Uri():
            return "s3://bucket/a%20b"
        case kinds.Digest():
            return SHA
        case kinds.Date():
            return "2026-11-23"
        case kinds.Number():
            return 0.5
        case kinds.Whole():
            return field.low
        case kinds.Flag():
            return False
        case kinds.Choice():
            return field.words[0]
    assert isinstance(field, kinds.Json)
    return {"any": [1, None, "x"]}


FULL = {**good(TABLE), "schema_version": SCHEMA_VERSION}


def leaves(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [place] if place else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if place[:2] != ("io", "input_schema"):
            found += leaves(inner, (*place, key))
    return found


def put(place: tuple[str | int, ...], wrong: Any) -> Any:
    """Return the full extensions with one value put in place of another."""
    copy = json.loads(json.dumps(FULL))
    at = copy
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = wrong
    return copy


def only(extensions: object) -> tuple[str, str, str | None]:
    found = problems(extensions)
    assert len(found) == 1, found
    return found[0].path, found[0].what, found[0].fix


def test_a_card_may_have_everything_or_nothing() -> None:
    assert problems(FULL) == []
    assert problems({}) == []
    assert set(FULL) == set(TABLE.fields)
    assert VALIDATOR.is_valid(FULL)
    assert VALIDATOR.is_valid({})


def test_the_groups_of_the_specification_are_there() -> None:
    wanted = [
        "scope",
        "io",
        "data",
        "evaluation",
        "risks",
        "oversight",
        "environment",
        "security",
        "legal",
        "contacts",
        "change_log",
    ]
    wanted += [
        "post_market_plan",
        "references",
        "interfaces",
        "dependency_lock",
        "deployment_forms",
        "hardware",
    ]
    wanted += [
        "attachments",
        "instructions_for_use",
        "base_models",
        "third_party",
        "design_choices",
        "trade_offs",
    ]
    wanted += ["architecture", "compute", "change_plan", "metric_rationale", "attestations"]
    assert set(wanted) <= set(TABLE.fields)
    paths = {row.path for row in rows()}
    assert {"scope.affected_groups", "io.signature", "evaluation[].signatures[].log_uri"} <= paths
    assert {"legal.declaration_of_conformity.digest", "legal.standards[].name"} <= paths
    assert KINDS == baselines.KINDS


def test_the_schema_in_the_file_is_the_table() -> None:
    text = resources.files("driftline.cards").joinpath("schema/extensions.json").read_text("utf-8")
    assert text == schema_text()
    Draft202012Validator.check_schema(json.loads(text))


def test_every_field_is_documented() -> None:
    for row in rows():
        assert row.meaning, row.path
        assert not row.meaning.endswith("."), row.path
        assert row.limit, row.path
    assert len({row.path for row in rows()}) == len(rows())


@pytest.mark.parametrize(
    "wrong", [object(), {1}, b"x", 3 + 4j, float("nan"), "\ud800"], ids=lambda one: type(one).__name__
)
def test_no_place_takes_what_is_no_json(wrong: object) -> None:
    for place in leaves(FULL):
        found = problems(put(place, wrong))
        assert found, place
        where = "extensions." + ".".join(map(str, place))
        assert all(one.path == where or one.path.startswith(where + ".") for one in found), found


@given(
    place=st.sampled_from(leaves(FULL)),
    wrong=st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 200),
        st.floats(-2, 2),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n"), max_size=6),
        st.sampled_from(
            ["2026-02-28T01:02:03Z", "2026-1-1", SHA, "sha256:0", "javascript:x", "a b", " ", ""]
        ),
        st.sampled_from(
            ["high", "x" * 256, "x" * 4097, ["x"], [["x"]], {}, {"name": "x"}, {"nome": 1}, [{}]]
        ),
    ),
)
def test_the_schema_refuses_what_the_table_refuses(place: tuple[str | int, ...], wrong: Any) -> None:
    """One value is put in place of another: both say the same of it, but for the few things a schema cannot say."""
    changed = put(place, wrong)
    ours = problems(changed)
    beyond = "attestations", "same", "version", "password", "nests", "characters as JSON"
    if any(word in one.what for one in ours for word in beyond):
        return
    assert (ours == []) == VALIDATOR.is_valid(changed), ours


def test_an_unknown_key_names_the_nearest() -> None:
    assert only({"scop": {}}) == ("extensions.scop", "unknown field", "did you mean 'scope'?")
    path, what, fix = only({"risks": [{"risk": "x", "owners": "y"}]})
    assert (path, what, fix) == ("extensions.risks.0.owners", "unknown field", "did you mean 'owner'?")
    assert "use one of" in str(only({"zzzz": 1})[2])


def test_everything_is_told_at_once() -> None:
    found = problems(
        {
            "risks": [{"severity": "hgih"}, "text"],
            "data": {"name": "x"},
            "io": {"decision_threshold": float("inf")},
            "metric_rationale": 1,
        }
    )
    assert [(one.path, one.fix) for one in found] == [
        ("extensions.io.decision_threshold", None),
        ("extensions.data", "write it in square brackets"),
        ("extensions.metric_rationale", None),
        ("extensions.risks.0.risk", None),
        ("extensions.risks.0.severity", "did you mean 'high'?"),
        ("extensions.risks.1", None),
    ]
    with pytest.raises(CardError) as error:
        check({"risks": 1, "data": 1}, "card.toml")
    assert (error.value.code, error.value.file, error.value.field) == (
        "E-CARD",
        "card.toml",
        "extensions.data",
    )
    assert len(error.value.problems) == 2
    check(FULL)


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("metric_rationale", "x" * 4096, "x" * 4097),
        ("contacts", [{"name": "x" * 255}], [{"name": "x" * 256}]),
        ("scope", {"primary_users": ["x" * 1024] * 50}, {"primary_users": ["x"] * 51}),
        ("references", [{"title": "t", "uri": "u" * 2048}], [{"title": "t", "uri": "u" * 2049}]),
        ("environment", {"hours": 0}, {"hours": -0.001}),
        ("evaluation", [{"evaluation": "e", "sample_size": 2**53 - 1}], [{"evaluation": "e", "sample_size": 2**53}]),
        ("evaluation", [{"evaluation": "e", "sample_size": 3.0}], [{"evaluation": "e", "sample_size": 3.5}]),
        ("io", {"input_schema": ["x" * 19_990]}, {"input_schema": ["x" * 20_000]}),
        ("io", {"decision_threshold": 10**300}, {"decision_threshold": 10**400}),
        ("io", {"decision_threshold": 1}, {"decision_threshold": True}),
        ("data", [{"name": "n", "digest": SHA}], [{"name": "n", "digest": SHA[:-1] + "A"}]),
        ("data", [{"name": "n", "period_end": "2028-02-29"}], [{"name": "n", "period_end": "2026-02-29"}]),
        ("data", [{"name": "n", "period_end": "2026-01-01T00:00:00+01:00"}], [{"name": "n", "period_end": "20260101"}]),
        ("data", [{"name": "n", "uri": "a/b c.csv".replace(" ", "%20")}], [{"name": "n", "uri": "a/b c.csv"}]),
        ("schema_version", "1.7", "2.0"),
    ],
)  # fmt: skip
def test_every_limit_at_its_boundary(path: str, right: Any, wrong: Any) -> None:
    assert problems({path: right}) == []
    found = problems({path: wrong})
    assert len(found) == 1
    assert found[0].path.startswith(f"extensions.{path}")


def test_a_required_text_says_something() -> None:
    for blank in ("", " \t", None):
        found = problems({"risks": [{"risk": blank}]})
        assert found
        assert found[0].path == "extensions.risks.0.risk"
    assert not VALIDATOR.is_valid({"risks": [{"risk": "  "}]})


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JavaScript:x",
        "data:text/html,x",
        "vbscript:x",
        "https://u:p@host/x",
        "a\u2028b",
    ],
)
def test_no_uri_runs_or_tells_a_password(uri: str) -> None:
    path, _, _ = only({"references": [{"title": "t", "uri": uri}]})
    assert path == "extensions.references.0.uri"


def test_hostile_text_is_kept_as_it_is_or_refused() -> None:
    kept = "<script>|*_`# \u202e\u0007 العربية 漢字 👩‍👩‍👧 " + "w" * 300
    assert problems({"metric_rationale": kept}) == []
    assert only({"metric_rationale": "a\0b"})[1] == "holds a NUL character"
    assert only({"metric_rationale": "\udcff"})[1] == "holds half of a surrogate pair"
    path, _, _ = only({"\n\u202e" * 100: 1})
    assert path.isprintable()
    assert len(path) < 120


def test_dates_of_toml_are_told_how_to_be_written() -> None:
    where = {"risks": [{"risk": "x", "next_review": date(2026, 1, 1)}]}
    assert only(where)[1:] == ("expected a date as text, found a date without quotes", "write it in quotes")


def test_two_items_of_one_key_are_refused() -> None:
    both = [{"evaluation": "e", "metric": "m", "group": "g"}] * 2
    assert only({"evaluation": both})[0] == "extensions.evaluation.1"
    assert problems({"evaluation": [both[0], {**both[0], "slice": "sex=F"}]}) == []


def test_any_json_is_bounded() -> None:
    deep: Any = "x"
    for _ in range(16):
        deep = [deep]
    assert problems({"io": {"signature": deep}}) == []
    assert "nests deeper" in only({"io": {"signature": [deep]}})[1]
    assert only({"io": {"signature": {1: 2}}})[1] == "expected text as a key, found a number"
    assert only({"io": {"signature": [2**53]}})[0] == "extensions.io.signature.0"
    assert only({"io": {"signature": {"k\ud800": 1}}})[1].startswith("the key holds half")


def test_lists_of_mistakes_stay_short() -> None:
    found = problems({f"x{n}": 1 for n in range(100_000)})
    assert len(found) == 21
    assert found[-1].what == "99,980 more fields are unknown"
    assert len(problems({"contacts": [{}] * 100_000})) == 101


def test_the_whole_is_bounded_and_the_largest_part_is_named() -> None:
    log = [{"description": "x" * 4000} for _ in range(98)]
    assert problems({"change_log": log}) == []
    path, what, fix = only({"change_log": log * 2, "metric_rationale": "x"})
    assert path == "extensions"
    size = len(encode({"change_log": log * 2, "metric_rationale": "x"}))
    assert what == f"has {size:,} characters as JSON, at most {MOST_CHARACTERS:,} are allowed"
    assert str(fix).startswith("shorten change_log, the largest part")


def test_the_version_stands_where_something_stands() -> None:
    assert stamped({}) == stamped({"schema_version": "1.0"}) == {}
    made = stamped({"metric_rationale": "x"})
    assert list(made) == ["schema_version", "metric_rationale"]
    assert stamped(made) == made
    assert only({"schema_version": "one"})[2] == f"write {SCHEMA_VERSION}"


def test_loose_ends_are_found() -> None:
    content = {
        "evaluation_details": [
            {"name": "e", "metric_groups": [{"name": "g", "metric_data": [{"name": "m"}]}]},
            {"name": "f"},
        ]
    }
    extras: list[dict[str, Any]] = [
        {"evaluation": "e", "group": "g", "metric": "m"},
        {"evaluation": "f"},
        {"evaluation": "h"},
        {"evaluation": "f", "group": "g"},
        {"evaluation": "e", "group": "g", "metric": "n"},
        {"evaluation": "e", "metric": "m"},
    ]
    assert [one.path.removeprefix("extensions.evaluation.") for one in loose_ends(content, {"evaluation": extras})] == [
        "2.evaluation",
        "3.group",
        "4.metric",
        "5.group",
    ]  # fmt: skip
    assert loose_ends({}, {}) == []
    broken = {"evaluation_details": ["x", {"metric_groups": [1, {"metric_data": 2}]}]}
    assert len(loose_ends(broken, {"evaluation": [1, {"evaluation": "e"}]})) == 1
