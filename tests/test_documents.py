from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.documents import MAX_DEPTH, Node, decode, encode, nearest
from driftline.errors import DocumentError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 0, 2]))
def test_what_is_encoded_is_decoded(value: Any, indent: int | None) -> None:
    text = encode(value, indent=indent)
    assert decode(text) == value
    assert decode(text.encode("utf-8", "surrogatepass")) == value


@given(VALUES)
def test_same_as_the_standard_library_where_both_accept(value: Any) -> None:
    text = json.dumps(value, indent=1)
    assert decode(text) == json.loads(text)


@given(st.binary(max_size=60) | st.text('[]{}":,0123456789.eE+-truefalsn \n\\u', max_size=60))
def test_any_text_is_read_or_refused(text: bytes | str) -> None:
    try:
        value = decode(text, file="f")
    except DocumentError as error:
        refusal: DocumentError | None = error
    else:
        refusal = None
        assert decode(encode(value)) == value
    if refusal is not None:
        assert (refusal.file, refusal.line is not None) == ("f", True)
        assert str(refusal).startswith("E-JSON")
        assert str(refusal).isprintable()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "E-JSON: f:1: not JSON: Expecting value at column 1"),
        (b"{}{}", "E-JSON: f:1: not JSON: Extra data at column 3"),
        (b'{"a":1,}', None),
        (b"{'a':1}", None),
        (b'{"a":\n\n?}', "E-JSON: f:3: not JSON: Expecting value at column 1"),
        (b'"\n"', None),
        (b"01", None),
        (b"+1", None),
        (b".5", None),
        (b"1.", None),
        (b"[1] // no", None),
        (b'{"a":1,\n"b":{"a":2},\n"a":3}', "E-JSON: f:3: the key 'a' occurs twice in one object"),
        (b'[{"a":1},{"a":1,"\\u0061":2}]', "E-JSON: f:1: the key 'a' occurs twice in one object"),
        (
            b'["NaN",\n NaN]',
            "E-JSON: f:2: NaN is not JSON; write null, or a string where the field allows one",
        ),
        (
            b"Infinity",
            "E-JSON: f:1: Infinity is not JSON; write null, or a string where the field allows one",
        ),
        (
            b"[\n-Infinity]",
            "E-JSON: f:2: -Infinity is not JSON; write null, or a string where the field allows one",
        ),
        (b"[0,\n1e309]", "E-JSON: f:2: the number 1e309 is larger than a double can hold"),
        (b"-1e999", "E-JSON: f:1: the number -1e999 is larger than a double can hold"),
        (b"1" * 401, "E-JSON: f:1: an integer of 401 digits is larger than driftline reads"),
        (b"1" * 100_000, "E-JSON: f:1: an integer of 100000 digits is larger than driftline reads"),
        (b'"a\xff"', "E-JSON-ENCODING: f:1: byte 2 is not valid UTF-8; save the file as UTF-8"),
        (b'\n\n"\xed\xa0\x80"', "E-JSON-ENCODING: f:3: byte 3 is not valid UTF-8; save the file as UTF-8"),
        (
            '{"a": 1}'.encode("utf-16"),
            "E-JSON-ENCODING: f:1: byte 0 is not valid UTF-8; save the file as UTF-8",
        ),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", None),
    ],
)
def test_refused(text: bytes, message: str | None) -> None:
    with pytest.raises(DocumentError) as caught:
        decode(text, file="f")
    if message is None:
        assert str(caught.value).startswith("E-JSON: f:1: not JSON: ")
    else:
        assert str(caught.value) == message


def test_the_line_of_a_record_is_the_callers() -> None:
    for text in ("{", '{"a":1,\n"a":2}', b"\xff", "[" * 100, "[" * 70 + "]" * 70):
        with pytest.raises(DocumentError, match=r"^E-JSON[A-Z-]*: f:17: "):
            decode(text, file="f", line=17)


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf[1]", "\ufeff[1]"])
def test_a_byte_order_mark_is_allowed(text: bytes | str) -> None:
    assert decode(text) == [1]


def test_limits_hold_exactly() -> None:
    assert decode("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert decode('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH) is not None
    for text in ("[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65):
        with pytest.raises(DocumentError, match="nests deeper than 64 levels"):
            decode(text)
    assert decode("[[1]]", max_depth=2) == [[1]]
    with pytest.raises(DocumentError, match="nests deeper than 1 levels"):
        decode("[[1]]", max_depth=1)
    assert decode(b"[10]", max_bytes=4) == [10]
    with pytest.raises(
        DocumentError, match=r"E-JSON-SIZE: the document has 4 bytes, more than the limit of 3"
    ):
        decode(b"[10]", max_bytes=3)
    assert decode("9" * 400) == int("9" * 400)


def test_many_brackets_are_not_deep() -> None:
    assert len(decode("[" + ",".join(["[]"] * 1000) + "]")) == 1000
    assert decode('["' + "[" * 1000 + '"]') == ["[" * 1000]


@pytest.mark.parametrize("text", ["[" * 1_000_000, '{"a":' * 300_000, "[" * 1_000_000 + "]" * 1_000_000])
def test_nesting_without_end_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="f:1: the document nests deeper than 64 levels"):
        decode(text, file="f")


def test_the_line_where_it_becomes_too_deep() -> None:
    with pytest.raises(DocumentError) as caught:
        decode("[\n" * 70 + "]" * 70)
    assert caught.value.line == 65


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"a": [value]})


def test_encoding_is_plain() -> None:
    assert encode({"b": 1, "a": ["é", None, True]}) == '{"b":1,"a":["é",null,true]}'
    assert encode({"a": [1]}, indent=1) == '{\n "a": [\n  1\n ]\n}'


def test_nearest() -> None:
    assert nearest("psi_", ["ks", "psi"]) == "psi"
    assert nearest("zzz", ["ks", "psi"]) is None
    assert nearest("x", []) is None
    assert nearest("nope", ["amount", "income"]) is None
    assert nearest("AGE", ["age", "income"]) == "age"
    assert nearest("sage", ["default", "sagemaker"]) == "sagemaker"
    assert nearest("days", ["days_minutes", "days_calls", "x"]) is None


NODE = Node(
    {"name": "x", "n": 3, "whole": 3.0, "part": 1.5, "yes": True, "none": None, "list": [{"a": 1}, 2], "deep": {"k": 1},
     "huge": 10**300, "long": 10**400, "negative": -1},
    "f.json",
)  # fmt: skip


def test_node_reads() -> None:
    assert NODE.text("name") == "x"
    assert NODE.text("none", "default") == NODE.text("absent", "default") == "default"
    assert NODE.integer("n") == NODE.integer("whole") == 3
    assert NODE.integer("absent", 7) == 7
    assert NODE.integer("negative", low=-1) == -1
    assert NODE.number("part") == 1.5
    assert NODE.number("huge") == 1e300
    assert NODE.boolean("yes") is True
    assert NODE.boolean("absent", False) is False
    assert NODE.choice("name", ["x", "y"]) == "x"
    assert NODE["deep"].integer("k") == 1
    assert [n.path for n in NODE["list"].items()] == ["list[0]", "list[1]"]
    assert NODE.has("n")
    assert not NODE.has("none")
    assert NODE.get("none") is None
    found = NODE.get("deep")
    assert found is not None
    assert found.path == "deep"
    assert found.known("k") is found


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda n: n["absent"], "absent: this field is required and missing"),
        (lambda n: n.text("absent"), "absent: this field is required and missing"),
        (lambda n: n.integer("none"), "none: this field is required and missing"),
        (lambda n: n.text("n"), "n: expected text, found a number"),
        (lambda n: n.text("list"), "list: expected text, found a list"),
        (lambda n: n.integer("name"), "name: expected a whole number, found text"),
        (lambda n: n.integer("part"), "part: expected a whole number, found a number"),
        (lambda n: n.integer("yes"), "yes: expected a whole number, found a boolean"),
        (lambda n: n.integer("negative"), "negative: expected at least 0, found -1"),
        (lambda n: n.integer("n", high=2), "n: expected at most 2, found a larger number"),
        (lambda n: n.integer("long"), "long: expected at most 9223372036854775807, found a larger number"),
        (lambda n: n.number("yes"), "yes: expected a number, found a boolean"),
        (lambda n: n.number("long"), "long: the number is larger than a double can hold"),
        (lambda n: n.number("n", low=4), "n: expected a number of at least 4, found 3"),
        (lambda n: n.number("n", high=2.5), "n: expected a number of at most 2.5, found 3"),
        (lambda n: n.boolean("n"), "n: expected true or false, found a number"),
        (lambda n: n.choice("name", ["xx"]), "name: unknown value 'x'; did you mean 'xx'?"),
        (lambda n: n.choice("name", ["alpha", "beta"]), "name: unknown value 'x'; use one of alpha, beta"),
        (lambda n: n["n"].object(), "n: expected an object, found a number"),
        (lambda n: n["name"]["k"], "name: expected an object, found text"),
        (lambda n: n["deep"].items(), "deep: expected a list, found an object"),
        (lambda n: n["deep"].text("k"), "deep.k: expected text, found a number"),
        (lambda n: n["list"].items()[1].integer("a"), "list[1]: expected an object, found a number"),
        (lambda n: n["list"].items()[0].known("b"), "list[0]: unknown field 'a'; remove it"),
        (lambda n: n["deep"].known("key", "k2"), "deep: unknown field 'k'; did you mean 'k2'?"),
    ],
)
def test_node_refuses_naming_the_field(read: Any, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(NODE)
    assert str(caught.value) == f"E-FIELD: f.json: {message}"
