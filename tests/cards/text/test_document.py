"""Cards as files: what is written reads back as the same document, and what is wrong is named with its line."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from card_strategies import HOSTILE, contents, extensions, texts
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.errors import CardError
from driftline.cards.text import (
    FORMATS,
    Base,
    CardDocument,
    format_of,
    json_form,
    markdown_form,
    read_card,
    toml_form,
    write_card,
)
from driftline.errors import DocumentError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

FORMS = {"toml": toml_form, "json": json_form, "md": markdown_form}
HASH = "sha256:" + "0f" * 32
EVERY_FORMAT = pytest.mark.parametrize("format_", FORMATS)


def _same(found: Any, wanted: Any) -> bool:
    """Tell whether two values are the same JSON: 1 is not 1.0, and True is not 1."""
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)


documents = st.builds(
    CardDocument,
    content=contents(),
    extensions=extensions() | st.just({}),
    name=st.none() | st.just("churn-2") | st.just("Ünïcode card"),
    tags=st.none() | st.dictionaries(texts(128, 1), texts(256), max_size=3),
    policy=st.none() | st.just({"evaluations": "draft", "every": "P1D"}) | st.just({}),
    model=st.none() | st.just("churn"),
    base=st.none() | st.just(Base(7, HASH)),
)


@EVERY_FORMAT
@given(document=documents)
def test_what_is_written_reads_back(format_: str, document: CardDocument) -> None:
    data = write_card(document, format_)
    found = read_card(data, f"card.{format_}")
    assert found == document
    assert _same(found.content, document.content)
    assert _same(found.extensions, document.extensions)
    assert write_card(found, format_) == data


@EVERY_FORMAT
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_every_odd_text_in_every_kind_of_place(format_: str, text: str) -> None:
    content = {
        "model_overview": {"model_description": text, "model_name": text},
        "intended_uses": {"purpose_of_model": text},
        "evaluation_details": [
            {
                "name": (text.strip() or "x")[:63],
                "evaluation_observation": text,
                "metadata": {text or "k": text},
            }
        ],
        "additional_information": {"custom_details": {text or "k": text, "k": f"{text}\n{text}"}},
    }
    beyond = {"io": {"input_schema": {text: [text, None]}}, "development": text}
    document = CardDocument(content, beyond, tags={text or "k": text})
    parts = FORMS[format_].parse(write_card(document, format_), None)
    assert (parts.head, parts.content, parts.extensions) == (document.head(), content, beyond)


@EVERY_FORMAT
def test_files_that_git_checked_out_with_carriage_returns_read_the_same(format_: str, data: Path) -> None:
    content = json.loads((data / "content/seed_sample_card.content.json").read_bytes())
    content["intended_uses"]["purpose_of_model"] = "Several lines.\n\nOf text, " + "long " * 60
    written = write_card(CardDocument(content), format_)
    assert read_card(written.replace(b"\n", b"\r\n"), format=format_).content == content


@EVERY_FORMAT
@pytest.mark.parametrize("name", ["seed_sample_card", "model_package_card"])
def test_the_sample_cards(format_: str, name: str, data: Path) -> None:
    content = json.loads((data / f"content/{name}.content.json").read_bytes())
    document = CardDocument(content, {"metric_rationale": "It counts what costs."}, name=name)
    assert read_card(write_card(document, format_)) == document, "the form is seen from the text"


def test_long_text_and_charts_read_well() -> None:
    content = {
        "intended_uses": {"purpose_of_model": "word " * 60 + 'end.\nNext "line".'},
        "evaluation_details": [
            {
                "name": "test",
                "metric_groups": [
                    {
                        "name": "curves",
                        "metric_data": [
                            {
                                "name": "roc",
                                "type": "linear_graph",
                                "value": [[i / 8, i / 4] for i in range(40)],
                            }
                        ],
                    }
                ],
            }
        ],
    }
    text = write_card(CardDocument(content), "toml").decode()
    assert max(map(len, text.splitlines())) <= 102
    assert "word word \\\nword" in text
    assert "    [0.0, 0.0], [0.125, 0.25], [0.25, 0.5]" in text
    assert tomllib.loads(text)["intended_uses"] == content["intended_uses"]
    for row in write_card(CardDocument(content), "json").decode().splitlines():
        assert len(row) <= 102 or "word" in row


def test_markdown_is_prose_with_headings() -> None:
    content = {
        "intended_uses": {"purpose_of_model": "Orders forms.\n\n- first\n- second", "risk_rating": "Low"},
        "evaluation_details": [
            {"name": "Held-out month", "evaluation_observation": "Good.", "datasets": ["s3://x"]}
        ],
    }
    written = write_card(CardDocument(content, name="income"), "md").decode()
    assert written == (
        '+++\nschema = "driftline.card/v1"\n\n[card]\nname = "income"\n+++\n\n# income\n\n'
        '## Intended uses\n\n```toml\nrisk_rating = "Low"\n```\n\n'
        "### Purpose of model\n\nOrders forms.\n\n- first\n- second\n\n"
        '## Evaluation: Held-out month\n\n```toml\ndatasets = ["s3://x"]\n```\n\n'
        "### Evaluation observation\n\nGood.\n"
    )


def test_markdown_that_a_person_wrote() -> None:
    written = (
        "# Model card\n\n## model overview\n\n### model_name\nincome\n\n### Model description\n\n\n"
        "## Intended Uses\n### purpose of model\nSee:\n```python\n## not a chapter\n```\n#### Deeper\nends   \n"
    )
    assert read_card(written.encode(), "card.md").content == {
        "model_overview": {"model_name": "income"},
        "intended_uses": {"purpose_of_model": "See:\n```python\n## not a chapter\n```\n#### Deeper\nends"},
    }


def test_a_file_that_people_write_needs_no_head(data: Path) -> None:
    document = read_card(
        b'# comment\n[model_overview]\nmodel_name = "x"\n[extensions.scope]\nprimary_users = ["a"]\n'
    )
    assert document == CardDocument(
        {"model_overview": {"model_name": "x"}}, {"scope": {"primary_users": ["a"]}}
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.toml",
            '[model_overview]\n\nmodel_nam = "x"',
            "E-CARD: a.toml:3: model_overview.model_nam: unknown key; did you mean 'model_name'?",
        ),
        (
            "a.toml",
            "[modeloverview]\nx = 1\n[extensions]\nriskss = []",
            "E-CARD: a.toml:1: modeloverview: unknown key (and 1 more); did you mean 'model_overview'?",
        ),
        (
            "a.toml",
            '[card]\nname = "x"\nmodels = "y"',
            "E-CARD: a.toml:3: card.models: unknown field; did you mean 'model'?",
        ),
        (
            "a.toml",
            '[card]\nbase = { version = 0, content_hash = "x" }',
            "E-CARD: a.toml:2: card.base.version: expected a version, a whole number from 1 (and 1 more)",
        ),
        (
            "a.toml",
            '[[extensions.change_log]]\ndescription = "x"\ndate = 2026-11-23',
            "E-CARD: a.toml:3: extensions.change_log.0.date: expected a value of JSON, found a date without quotes; "
            "write it in quotes",
        ),
        ("a.toml", "[model_overview\n", "E-CARD-FILE: a.toml:1: not TOML: "),
        ("a.toml", "[model_overview]\nmodel_version = inf", "expected a finite number, found inf"),
        (
            "a.toml",
            'schema = "other/v9"',
            "E-CARD-FILE: a.toml:1: schema: expected driftline.card/v1, found 'other/v9'",
        ),
        (
            "a.toml",
            "[card]\ntags = { a = 1 }",
            "a.toml:2: card.tags.a: expected text, found a number; write it in quotes",
        ),
        (
            "a.toml",
            '[model_overview]\nmodel_name = { "$json" = "{" }',
            "E-CARD-FILE: a.toml: model_overview: below it",
        ),
        (
            "a.json",
            '{"contents": {}}',
            "E-CARD-FILE: a.json: contents: unknown field; did you mean 'content'?",
        ),
        ("a.json", "[]", "E-CARD-FILE: a.json: expected an object"),
        (
            "a.json",
            '{"content": {"a": 1}, "content": {}}',
            "E-JSON: a.json:1: the key 'content' occurs twice",
        ),
        ("a.json", '{"content": {"model_overview": []}}', "E-CARD: a.json: model_overview: "),
        (
            "a.md",
            "## Model overview\n\nx\n",
            "E-CARD-FILE: a.md:3: text stands before the first heading of its chapter",
        ),
        ("a.md", "\nhello\n## Model overview", "E-CARD-FILE: a.md:2: text stands before the first chapter"),
        (
            "a.md",
            "## Modl overview",
            "E-CARD-FILE: a.md:1: unknown chapter 'Modl overview'; did you mean '## Model over",
        ),
        ("a.md", "## Intended uses\n### Purpose", "did you mean '### Purpose of model'?"),
        ("a.md", "## Extensions\n## Extensions", "a.md:2: extensions: this chapter is there twice"),
        (
            "a.md",
            '## Intended uses\n```toml\npurpose_of_model = "x"\n```\n### Purpose of model\ny',
            "E-CARD-FILE: a.md:5: purpose_of_model: is there twice",
        ),
        (
            "a.md",
            '+++\n[card]\nname = "x"\n+++\n# y\n',
            "E-CARD-FILE: a.md:5: the title is not the name of the card; write '# x'",
        ),
        ("a.md", '+++\n[card]\nname = "x"\n', "a.md:1: the head is not closed; write +++ in a line below it"),
        ("a.md", "+++\n[card]\nname = \n+++\n", "E-CARD-FILE: a.md:3: not TOML"),
        ("a.md", "+++\nx = 1\n+++\n", "E-CARD-FILE: a.md:2: x: the head has only the tables schema and card"),
        ("a.md", "## Model overview\n```toml\nmodel_name = 1\nx = \n```\n", "E-CARD-FILE: a.md:4: not TOML"),
        (
            "a.md",
            "## Model overview\n```toml\n\nmodel_name = 1\n```\n",
            "E-CARD: a.md:4: model_overview.model_name: ",
        ),
        ("a.md", "## Model overview\n```toml\n", "a.md:2: the fence is not closed"),
        (
            "a.md",
            '## Evaluation: x\n```toml\nname = "y"\n```',
            "a.md:1: name: is in the heading and in the fence",
        ),
        ("a.md", "## Evaluation details\nx", "a.md:1: evaluation_details: evaluations have a chapter each"),
        ("a.md", "# a\n# b", "a.md:2: a second title"),
        ("a.md", "## Model overview\n```toml\n```\nx", "a.md:4: text stands after the fence"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(name: str, text: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_card(text.encode(), name)
    assert said in str(caught.value)
    assert caught.value.fix is not None or caught.value.code != "E-CARD-FILE"


@EVERY_FORMAT
def test_what_is_no_text(format_: str) -> None:
    begin = {"toml": b"", "json": b'{"content": "', "md": b""}[format_]
    with pytest.raises(DocumentError, match="not valid UTF-8") as caught:
        read_card(begin + b"\n\xff", f"a.{format_}")
    assert caught.value.line == 2
    with pytest.raises(DocumentError, match="more than the limit"):
        read_card(b" " * (4 * 1024 * 1024 + 1), f"a.{format_}")


def test_what_nests_too_deep_is_refused() -> None:
    with pytest.raises(DocumentError, match="nest deeper than 32"):
        read_card(b"a = " + b"[" * 40 + b"]" * 40, "a.toml")
    with pytest.raises(DocumentError, match="nests deeper"):
        read_card(b'{"content": ' + b"[" * 5000, "a.json")
    with pytest.raises(DocumentError, match="nest deeper than"):
        read_card(b".".join([b"a"] * 5000) + b" = 1", "a.toml")


@EVERY_FORMAT
@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"model_overview": {"model_name": "half \ud800"}}, "model_overview.model_name"),
        ({"model_overview": {"model_version": float("nan")}}, "model_overview.model_version"),
        (
            {"additional_information": {"custom_details": {"\udfff": "x"}}},
            "additional_information.custom_details.\\udfff",
        ),
        ({"evaluation_details": [{"name": b"x"}]}, "evaluation_details.0.name"),
    ],
)
def test_what_no_file_can_hold_is_refused(format_: str, content: dict[str, Any], field: str) -> None:
    with pytest.raises(CardError) as caught:
        write_card(CardDocument(content), format_)
    assert (caught.value.code, caught.value.field) == ("E-CARD-TEXT", field)


def test_formats_go_by_the_name() -> None:
    assert [format_of(name) for name in ("a.TOML", "b.json", "c.md", "d.markdown", "e")] == [
        "toml",
        "json",
        "md",
        "md",
        None,
    ]
    with pytest.raises(UsageError, match="did you mean 'toml'"):
        write_card(CardDocument({}), "tom")


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_is_only_what_reads_back(text: str) -> None:
    if markdown_form.is_prose(text):
        assert text == text.strip()
        assert "<s" not in text


PIECES = (
    *HOSTILE,
    "[model_overview]",
    'model_name = "x"',
    "model_version = 2026-11-23",
    "## Model overview",
    "### Model description",
    "```toml",
    "```",
    "## Evaluation: x",
    "[[evaluation_details]]",
    'value = { "$json" = "[1" }',
    "[card]",
    "base = []",
    "[extensions]",
    "+++",
    '{"content": {"evaluation_details": 5}, "extensions": []}',
    '{"card": {"tags": [], "base": {"version": true}}}',
)


@pytest.mark.parametrize("format_", [*FORMATS, None])
@given(pieces=st.lists(st.sampled_from(PIECES) | texts(40), max_size=8))
def test_any_text_is_a_card_or_refused_with_its_place(format_: str | None, pieces: list[str]) -> None:
    data = "\n".join(pieces).encode("utf-8", "replace")
    try:
        found = read_card(data, "card", format_)
    except DocumentError as error:
        assert error.code in ("E-CARD", "E-CARD-FILE", "E-JSON", "E-JSON-DEPTH")  # noqa: PT017
        assert error.file == "card"  # noqa: PT017
    else:
        assert read_card(write_card(found)) == found


@EVERY_FORMAT
def test_large_files_are_read_quickly(format_: str) -> None:
    metric = {"name": "m", "type": "linear_graph", "value": [[n / 7, n * 0.1] for n in range(2_000)]}
    job = {"name": "a", "metric_groups": [{"name": "g", "metric_data": [metric]}]}
    document = CardDocument(
        {"evaluation_details": [job], "model_overview": {"model_description": "x" * 1024}}
    )
    assert read_card(write_card(document, format_), format=format_) == document
    for text in (
        "# " + " " * 500_000 + "x",
        "+++\n" * 100_000,
        "```\n" * 100_000,
        "## a\n" * 100_000,
        "[" * 500_000,
    ):
        if format_ == "toml" and text.startswith("#"):
            assert read_card(text.encode(), format=format_) == CardDocument({}), "comments alone"
            continue
        with pytest.raises(DocumentError):
            read_card(text.encode(), format=format_)
