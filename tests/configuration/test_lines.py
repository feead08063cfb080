"""Lines: where the keys of a text stand, whatever way they are written."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.configuration.lines import lines_of


def test_tables_and_keys() -> None:
    found = lines_of("# top\n[a]\n\nb = 1 # one\n[a.c]\nd.e = 'x'\n")
    assert found[("a",)] == 2
    assert found[("a", "b")] == 4
    assert found[("a", "c")] == 5
    assert found[("a", "c", "d", "e")] == 6


def test_elements_of_an_array_of_tables_are_counted() -> None:
    found = lines_of("[[a]]\nb = 1\n[a.c]\nd = 2\n[[a.e]]\nf = 1\n[[a]]\nb = 3\n[[a.e]]\nf = 2\n")
    assert found[("a", 0, "b")] == 2
    assert found[("a", 0, "c", "d")] == 4
    assert found[("a", 0, "e", 0, "f")] == 6
    assert found[("a", 1, "b")] == 8
    assert found[("a", 1, "e", 0, "f")] == 10


def test_arrays_over_several_lines() -> None:
    found = lines_of('a = [\n  "x", # ], not the end\n  { b = 1, c = [ 2 ] },\n]\nd = 1\n')
    assert found[("a", 0)] == 2
    assert found[("a", 1, "b")] == 3
    assert found[("a", 1, "c", 0)] == 3
    assert found[("d",)] == 5


@pytest.mark.parametrize(
    "value",
    [
        '"""\n[no]\nb = 1\n\\""" "" still """""',
        "'''\n[no]\n'' b = 1'''''",
        '"[no]\\" # no"',
        "'[no] \\'",
        "1979-05-27 07:32:32",
        "[ [ 1, 2 ], [ '#' ] ]",
        "{ x = { y = '}' } }",
        "+1_000.5e-3",
    ],
)
def test_values_are_stepped_over(value: str) -> None:
    text = f"a = {value}\nlast = 1\n"
    assert set(tomllib.loads(text)) == {"a", "last"}
    assert lines_of(text)[("last",)] == text.count("\n")


def test_quoted_keys_are_what_they_mean() -> None:
    found = lines_of('"a.b"."c\\u0064" = 1\n\'x y\' = 2\n["é" . z]\nw = 1\n"" = 1')
    assert found[("a.b", "cd")] == 1
    assert found[("x y",)] == 2
    assert found[("é", "z", "w")] == 4
    assert found[("é", "z", "")] == 5


def test_line_ends_of_windows() -> None:
    assert lines_of("[a]\r\nb = 1\r\nc = '''x\r\ny'''\r\nd = 1\r\n")[("a", "d")] == 5


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Return the path of everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ({path} if path else set()).union(*(paths(one, (*path, key)) for key, one in inner))


def test_every_key_of_a_whole_file_has_its_line(everything: str) -> None:
    found = lines_of(everything)
    assert paths(tomllib.loads(everything)) <= set(found)
    rows = everything.split("\n")
    for path, line in found.items():
        key = next(part for part in reversed(path) if isinstance(part, str))
        assert key in rows[line - 1], path


words = st.text(alphabet="ab.\"'\\\\]} #é", max_size=5)
values = st.recursive(
    st.one_of(st.integers(-5, 5), st.booleans(), words, st.just("\n")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


def written(value: Any) -> str:
    """Write a value as TOML, arrays over lines and text in whatever quotes can hold it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {written(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {written(one)}, # ] {{\n" for one in value) + "]"
    if isinstance(value, str) and "'" not in value and value != "\n":
        return f"'''{value}'''"
    return json.dumps(value)


@given(st.dictionaries(words, values, max_size=5))
def test_every_key_of_any_document_has_a_line(document: dict[str, Any]) -> None:
    text = "".join(f"{json.dumps(key)} = {written(value)}\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    found = lines_of(text)
    assert set(found) == paths(document)
    line = 1
    for key, value in document.items():
        assert found[(key,)] == line
        line += written(value).count("\n") + 1
