"""Whatever a document holds, a converter makes a valid card of it, or refuses it with a typed error."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from card_strategies import HOSTILE, texts
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.cards import extensions, validation
from driftline.cards.convert import cyclonedx, huggingface, model_card_toolkit, spdx
from driftline.cards.convert.header import read_header, split, written_header
from driftline.errors import DocumentError

FOLDER = Path(__file__).parents[2] / "data" / "cards" / "convert"
EXAMPLES = {
    cyclonedx: "cyclonedx/diffusion.json",
    model_card_toolkit: "model_card_toolkit/cats.json",
    spdx: "spdx/sentiment.json",
}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts()
    | st.sampled_from(["x" * 5000, "12", "-1", "1e400", "javascript:alert(1)", "https://a:b@example.org"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(10), inner, max_size=4),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += _places(inner, (*path, key))
    return found


def _changed(value: Any, changes: list[tuple[int, Any]]) -> Any:
    made = copy.deepcopy(value)
    for number, other in changes:
        places = _places(made)
        *above, key = places[number % len(places)]
        inside = made
        for part in above:
            inside = inside[part]
        inside[key] = other
    return made


def _look(found: Any) -> None:
    assert validation.problems(found.content) == []
    assert extensions.problems(found.extensions) == []
    assert all(isinstance(line, str) and ": " in line for line in found.lost)


changes = st.lists(st.tuples(st.integers(0, 10_000), anything), min_size=1, max_size=4)


@pytest.mark.parametrize("system", EXAMPLES, ids=lambda one: one.__name__.rpartition(".")[2])
@given(made=changes)
def test_changed_documents(system: Any, made: list[tuple[int, Any]]) -> None:
    document = _changed(json.loads((FOLDER / EXAMPLES[system]).read_bytes()), made)
    try:
        found = system.read(json.dumps(document).encode(), "x")
    except DocumentError as error:
        assert error.code in ("E-CARD-DOCUMENT", "E-JSON")  # noqa: PT017
        assert error.fix or error.code == "E-JSON"  # noqa: PT017
    else:
        _look(found)


@given(made=changes)
def test_changed_headers(made: list[tuple[int, Any]]) -> None:
    header, body, _ = split((FOLDER / "huggingface" / "income.md").read_text(encoding="utf-8"), None)
    values = _changed(read_header(header or ""), made)
    if not isinstance(values, dict):
        return
    _look(huggingface.read(f"---\n{written_header(values)}---\n{body}".encode()))


lines = st.sampled_from(
    (*HOSTILE, "# a", "## Uses", "### Results", "```", "~~~", "- x: 1", "- **Hours used:** x", "| a |")
)


@given(body=st.lists(lines | texts(80), max_size=12).map("\n".join))
@example(body="## Environmental Impact\n- **Carbon Emitted:** 1e999 kg\n- **Hours used:** -5")
@example(body="# Uses\ntext\n# Citation\n**BibTeX:**\n")
def test_any_body(body: str) -> None:
    try:
        _look(huggingface.read(body.encode("utf-8", "replace")))
    except DocumentError as error:
        assert error.code in ("E-CARD-DOCUMENT", "E-CARD-YAML")  # noqa: PT017


@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, '{"a": 1e999}', "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]
)
@pytest.mark.parametrize("system", EXAMPLES, ids=lambda one: one.__name__.rpartition(".")[2])
def test_what_is_no_json(system: Any, text: str) -> None:
    with pytest.raises(DocumentError):
        system.read(text.encode("latin-1"), "x")


def test_half_of_a_surrogate_pair_is_lost_and_told() -> None:
    document = {"model_details": {"name": "a\ud800", "overview": "fine"}}
    found = model_card_toolkit.read(json.dumps(document).encode())
    assert found.content == {"model_overview": {"model_description": "fine"}}
    assert found.lost[0].startswith("model_details.name: ")
