"""What a file says of a card, whichever tool wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import DriftlineError
from driftline.rooms.card_draft import checked
from driftline.rooms.card_files import FORMATS, from_file, kind_of, name_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.rooms import Cards

    As = Callable[[str], Cards]

DATA = Path(__file__).resolve().parents[1] / "data" / "cards"
SEED = DATA / "content" / "seed_sample_card.content.json"


def seed() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(SEED.read_bytes())
    return content


@pytest.mark.parametrize("form", [*FORMATS, "json"])
def test_what_was_exported_is_read_again(acting: As, form: str) -> None:
    """Every form is known by what it says, keeps the whole card, or tells what it does not keep."""
    ann = acting("ann")
    extensions = {"schema_version": "1.0", "metric_rationale": "cost"}
    ann.create("card", seed(), extensions=extensions, tags={"a": "b"})
    made = ann.render("card", format=form)
    assert kind_of(made.data, made.name) == form
    draft = checked(from_file(made.data, made.name))
    if form == "model-card-toolkit":  # which has no fields for others
        assert len(made.lost) > 5
        return
    assert draft.content == seed()
    assert draft.extensions == ({} if form == "sagemaker" else extensions)
    assert made.lost == (("extensions.metric_rationale",) if form == "sagemaker" else ())
    if form in ("toml", "json", "md"):
        assert (draft.name, draft.tags, draft.base_version) == ("card", {"a": "b"}, 1)
        assert draft.base_hash == ann.get("card").content_hash


@pytest.mark.parametrize("form", ["huggingface", "model-card-toolkit", "cyclonedx", "spdx"])
def test_without_fields_of_our_own_the_rest_is_told(acting: As, form: str) -> None:
    ann = acting("ann")
    ann.create("card", seed(), extensions={"metric_rationale": "cost"})
    made = ann.render("card", format=form, plain=True)
    assert made.lost
    assert b"driftline:" not in made.data
    checked(from_file(made.data, made.name))


def test_what_describe_model_card_answers(acting: As) -> None:
    answer = json.loads((DATA / "api" / "describe_model_card.json").read_bytes())
    draft = from_file(json.dumps({**answer, "Content": json.dumps(seed())}).encode(), "card.json")
    assert draft.name == answer["ModelCardName"]
    assert draft.content == seed()
    assert from_file(b'{"ModelCardName": "empty", "Content": ""}', "card.json").content == {}


@pytest.mark.parametrize(
    ("data", "file", "kind"),
    [
        (b"{}", "x", "sagemaker"),
        (b'{"intended_uses": {}}', "x.txt", "sagemaker"),
        (b'\xef\xbb\xbf{"bomFormat": "CycloneDX"}', "x.toml", "cyclonedx"),
        (b"---\nlicense: mit\n---\n", "README.md", "huggingface"),
        (b"# A model\n", "README.md", "huggingface"),
        (b"+++\n+++\n", "README", "md"),
        (b"[intended_uses]\n", "README", "toml"),
    ],
)
def test_a_file_is_known_by_what_it_says(data: bytes, file: str, kind: str) -> None:
    assert kind_of(data, file) == kind


@pytest.mark.parametrize(
    ("data", "file", "code"),
    [
        (b'{"a": 1}', "x.json", "E-CARD-FILE"),
        (b"{", "x.json", "E-JSON"),
        (b"[1", "x.toml", "E-CARD-FILE"),
        (b"\xff\xfe", "x.toml", "E-CARD-FILE"),
        (b'{"schema": "driftline.model-card/v1"}', "x.json", "E-FIELD"),
        (b'{"schema": "driftline.report/v1"}', "x.json", "E-CARD-FILE"),
        (b'{"ModelCardName": "x", "Content": "[]"}', "x.json", "E-CARD"),
    ],
)
def test_what_is_no_card_is_refused(data: bytes, file: str, code: str) -> None:
    with pytest.raises(DriftlineError) as caught:
        from_file(data, file)
    assert caught.value.code == code, str(caught.value)


def test_formats_are_named(acting: As) -> None:
    with pytest.raises(DriftlineError, match="cyclonedx"):
        from_file(b"", "x", "cyclonedy")


def test_the_name_of_a_file() -> None:
    assert name_from("cards/income-card.toml") == "income-card"
    assert name_from("a.sagemaker.json") == "a"
    assert name_from("two words.md") is None


@pytest.mark.parametrize("data", [b"", b"\n", b"# later\n", b"{}"])
def test_an_empty_file_is_no_card(data: bytes) -> None:
    with pytest.raises(DriftlineError) as caught:
        from_file(data, "card.toml")
    assert (caught.value.code, caught.value.file) == ("E-CARD-FILE", "card.toml")
