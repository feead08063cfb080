"""The header of a Hugging Face card: strict to read, the same for every reader of YAML when written."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from card_strategies import HOSTILE, texts
from hypothesis import given
from hypothesis import strategies as st

from driftline.cards.convert.header import MAX_BYTES, read_header, split, written_header
from driftline.cards.errors import CardError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(30), inner, max_size=4),
    max_leaves=12,
)


@given(header=st.dictionaries(texts(30), values, min_size=1, max_size=5))
def test_what_is_written_reads_back_for_every_reader(header: dict[str, Any]) -> None:
    text = written_header(header)
    assert repr(read_header(text)) == repr(header)
    # YAML 1.1, as most libraries read it.
    assert yaml.safe_load(text) == header
    assert "\n---" not in f"\n{text}", "a header cannot end itself"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_odd_texts(text: str) -> None:
    header = {text: [text, {"k": text}]}
    assert read_header(written_header(header)) == header


def test_plain_words_mean_what_json_means() -> None:
    said = read_header(
        "language: no\nversion: 1.10\nstart: 12:30\nday: 2026-11-23\noctal: 010\nsci: 1e-5\nhex: 0x1F\nnothing:\n"
        "yes: true\n1: one\n<<: merge\nlist: [on, off, ~]\nfolded: >\n  two\n  lines\n"
    )
    assert said == {
        "language": "no",
        "version": 1.1,
        "start": "12:30",
        "day": "2026-11-23",
        "octal": 10,
        "sci": 1e-05,
        "hex": "0x1F",
        "nothing": None,
        "yes": True,
        "1": "one",
        "<<": "merge",
        "list": ["on", "off", None],
        "folded": "two lines\n",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: &x 1\nb: 2",
            "E-CARD-YAML: README.md:2: an alias or an anchor stands in the header; write the value out",
        ),
        ("a: 1\nb: *x", "E-CARD-YAML: README.md:3: an alias or an anchor"),
        (
            "a: 1\nb: !!python/object/apply:os.system ['true']",
            "README.md:3: a tag (tag:yaml.org,2002:python/object",
        ),
        ("a: !mine 1", "README.md:2: a tag (!mine) stands in the header"),
        ("a: !!str 1", "README.md:2: a tag"),
        (
            "a: 1\nb:\n  c: 1\n  c: 2",
            "E-CARD-YAML: README.md:5: the key 'c' is there twice; write both as one",
        ),
        ("? [a]\n: 1", "README.md:2: a list or an object is used as a key"),
        ("{a: {b: 1}: 2}", "not YAML"),
        ("a: b: c", "E-CARD-YAML: README.md:2: not YAML: "),
        ("a: [1, 2", "not YAML"),
        ("a: 1\nb: \x07", "E-CARD-YAML: README.md:3: not YAML"),
        ("a: 1\n...\nb: 2", "E-CARD-YAML: README.md:"),
        ("- a\n- b", "README.md:2: expected keys and values"),
        ("a: " + "[" * 40 + "]" * 40, "README.md:2: nests deeper than 32 levels"),
        ("a: " + "9" * 500, "README.md:2: the number is too long"),
        ("a: 1e999", "README.md:2: the number is too large"),
        ("a: [" + "1," * 100_001 + "]", "the header has more than 100,000 values"),
        ("a: " + "x" * MAX_BYTES, "the header has more than 1,048,576 bytes"),
    ],
)
def test_what_hides_something_is_refused(text: str, said: str) -> None:
    with pytest.raises(CardError) as caught:
        read_header(text, "README.md")
    assert said in str(caught.value)


def test_nothing_is_ever_built_from_a_tag() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]"
    with pytest.raises(CardError, match="alias"):
        read_header(bomb)


def test_deep_text_is_refused_quickly() -> None:
    with pytest.raises(CardError):
        read_header("{a: " * 100_000)
    with pytest.raises(CardError):
        read_header("- " * 100_000)


def test_header_and_body() -> None:
    assert split("---\na: 1\n---\nbody", None) == ("a: 1\n", "body", 4)
    assert split("# no header\n---\n", None) == (None, "# no header\n---\n", 1)
    assert split("\n--- \n---\n", None) == ("\n", "", 4)
    with pytest.raises(CardError, match="the header is not closed"):
        split("---\na: 1\n", "x.md")
