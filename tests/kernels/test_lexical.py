from __future__ import annotations

import math
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.kernels.lexical import BYTE_CLASS, DEAD, FINAL, TABLE, Lexical, classify, parse_numbers

FRACTIONAL = re.compile(r"^(-|\+)? ?\d+((\.\d+)|((?:\.\d+)?[Ee][-+]?\d+))$", re.ASCII)
INTEGRAL = re.compile(r"^(-|\+)? ?\d+$", re.ASCII)
LOOSE = re.compile(
    r"[ \t\r\n]*[-+]? ?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|inf|infinity)[ \t\r\n]*",
    re.ASCII | re.IGNORECASE,
)


def oracle(text: str) -> Lexical:
    """Deequ's regular expressions, on the whole text."""
    if text == "":
        return Lexical.NULL
    if INTEGRAL.fullmatch(text):
        return Lexical.INTEGRAL
    if FRACTIONAL.fullmatch(text):
        return Lexical.FRACTIONAL
    if text in ("true", "false"):
        return Lexical.BOOLEAN
    return Lexical.LOOSE if LOOSE.fullmatch(text) else Lexical.STRING


def layout(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    array = pa.array(texts, pa.string())
    _, offsets, data = array.buffers()
    return (
        np.frombuffer(offsets, np.int32)[: len(texts) + 1],
        np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8),
    )


def classes_of(texts: list[str]) -> list[Lexical]:
    return [Lexical(c) for c in classify(*layout(texts))]


numberish = st.text("0123456789.+-eE \t\n", max_size=12)
wordish = st.text("nNaAiIfFtTyYrueslE 0.", max_size=10)
likely = st.from_regex(FRACTIONAL, fullmatch=True) | st.from_regex(INTEGRAL, fullmatch=True)
likely |= st.from_regex(LOOSE, fullmatch=True) | st.sampled_from(
    ["true", "false", "True", "", "é", "٣", "1_000"]
)
texts = numberish | wordish | likely | st.text(max_size=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Lexical.NULL),
        ("0", Lexical.INTEGRAL),
        ("-5", Lexical.INTEGRAL),
        ("+5", Lexical.INTEGRAL),
        ("- 5", Lexical.INTEGRAL),
        (" 5", Lexical.INTEGRAL),
        ("007", Lexical.INTEGRAL),
        ("0.0", Lexical.FRACTIONAL),
        ("- 5.25", Lexical.FRACTIONAL),
        ("1e5", Lexical.FRACTIONAL),
        ("1.5E-07", Lexical.FRACTIONAL),
        ("1E+2", Lexical.FRACTIONAL),
        ("true", Lexical.BOOLEAN),
        ("false", Lexical.BOOLEAN),
        (".5", Lexical.LOOSE),
        ("5.", Lexical.LOOSE),
        ("5.e3", Lexical.LOOSE),
        ("NaN", Lexical.LOOSE),
        ("-inf", Lexical.LOOSE),
        ("Infinity", Lexical.LOOSE),
        ("5 ", Lexical.LOOSE),
        ("\t5", Lexical.LOOSE),
        ("  5", Lexical.LOOSE),
        (" -5", Lexical.LOOSE),
        ("0.5\n", Lexical.LOOSE),
        ("True", Lexical.STRING),
        (" true", Lexical.STRING),
        (" ", Lexical.STRING),
        ("-", Lexical.STRING),
        (".", Lexical.STRING),
        ("1_000", Lexical.STRING),
        ("1,000", Lexical.STRING),
        ("0x1F", Lexical.STRING),
        ("1e", Lexical.STRING),
        ("1.2.3", Lexical.STRING),
        ("--5", Lexical.STRING),
        ("-  5", Lexical.STRING),
        ("5 5", Lexical.STRING),
        ("infin", Lexical.STRING),
        ("٣", Lexical.STRING),
        ("truely", Lexical.STRING),
    ],
)
def test_class_of_a_text(text: str, expected: Lexical) -> None:
    assert classes_of([text]) == [expected]
    assert oracle(text) == expected


@given(st.lists(texts, max_size=60))
def test_agrees_with_the_regular_expressions(values: list[str]) -> None:
    assert classes_of(values) == [oracle(v) for v in values]


@given(texts)
def test_the_tables_alone_give_the_class(text: str) -> None:
    state = 0
    for byte in text.encode():
        state = TABLE[state, BYTE_CLASS[byte]]
    assert FINAL[state] == oracle(text)


def test_the_dead_state_is_never_left() -> None:
    assert (TABLE[DEAD] == DEAD).all()
    assert FINAL[DEAD] == Lexical.STRING
    assert TABLE.shape[0] == FINAL.shape[0] < 256
    assert BYTE_CLASS.max() < TABLE.shape[1]


@pytest.mark.parametrize("count", [1, 300])
@pytest.mark.parametrize("digits", [62, 63, 64, 65, 1000])
def test_numbers_of_any_length(digits: int, count: int) -> None:
    values = [
        "0" * digits + "1",
        "9" * digits + ".5",
        "9" * digits + "x",
        " " * digits,
        "1" * digits + " ",
    ] * count
    assert classes_of(values) == [oracle(v) for v in values[:5]] * count


def test_a_number_of_a_million_digits() -> None:
    assert classes_of(["0" * 1_000_000 + "1", "7"]) == [Lexical.INTEGRAL, Lexical.INTEGRAL]


def test_offsets_need_not_start_at_zero() -> None:
    values = ["abc", "1", "2.5", "", "nan"]
    offsets, data = layout(values)
    assert classify(offsets[1:], data).tolist() == classify(offsets, data).tolist()[1:]
    assert classify(offsets.astype(np.int64), data).tolist() == classify(offsets, data).tolist()


def test_an_empty_column() -> None:
    offsets, data = layout([])
    assert classify(offsets, data).shape == (0,)
    assert parse_numbers(offsets, data, np.empty(0, np.int8)).shape == (0,)


def test_more_rows_than_one_block() -> None:
    values = ["1", "2.5", "x", ""] * 10_000
    assert classes_of(values) == [Lexical.INTEGRAL, Lexical.FRACTIONAL, Lexical.STRING, Lexical.NULL] * 10_000


def parsed(values: list[str]) -> list[float]:
    offsets, data = layout(values)
    return parse_numbers(offsets, data, classify(offsets, data)).tolist()


def python_value(text: str) -> float:
    """The nearest double by CPython, which rounds correctly."""
    return float(re.sub(r"\s", "", text)) if oracle(text) in (1, 2, 4) else math.nan


@given(st.lists(texts, max_size=60))
def test_parsed_numbers_are_the_nearest_doubles(values: list[str]) -> None:
    assert np.array_equal(parsed(values), [python_value(v) for v in values], equal_nan=True)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr), max_size=30))
def test_every_double_survives(values: list[str]) -> None:
    assert parsed(values) == [float(v) for v in values]


def test_parsed_by_hand() -> None:
    values = [
        "- 5",
        "+5",
        " 5",
        "5 ",
        ".5",
        "5.",
        "1e999",
        "-1e999",
        "1e-999",
        "x",
        "",
        "true",
        "+1e+2",
        "-inf",
    ]
    expected = [-5.0, 5.0, 5.0, 5.0, 0.5, 5.0, math.inf, -math.inf, 0.0, *[math.nan] * 3, 100.0, -math.inf]
    assert np.array_equal(parsed(values), expected, equal_nan=True)


def test_rows_set_to_null_are_left_out() -> None:
    offsets, data = layout(["1", "2"])
    classes = np.array([Lexical.NULL, Lexical.INTEGRAL], np.int8)
    assert np.array_equal(parse_numbers(offsets, data, classes), [math.nan, 2.0], equal_nan=True)
