from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.capture.event import ROWS, Payload
from driftline.capture.payloads import Row, paired, rows_of
from driftline.errors import SourceError

JSON = "application/json"


def rows(content_type: str, data: str | bytes, side: str = "input") -> list[Row]:
    return rows_of(Payload(content_type, data if isinstance(data, bytes) else data.encode()), side)


def refused(content_type: str, data: str | bytes, side: str = "input") -> SourceError:
    with pytest.raises(SourceError) as info:
        rows(content_type, data, side)
    assert info.value.code in ("E-PAYLOAD", "E-NESTED")
    return info.value


ONE = [{"a": 1, "b": "x"}]
TWO = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


@pytest.mark.parametrize(
    ("content_type", "value", "expected"),
    [
        (JSON, {"a": 1, "b": "x"}, ONE),
        ("application/json; charset=utf-8", {"a": 1, "b": "x"}, ONE),
        ("Application/JSON", {"a": 1, "b": "x"}, ONE),
        ("application/vnd.api+json", {"a": 1, "b": "x"}, ONE),
        ("text/json", {"a": 1, "b": "x"}, ONE),
        ("", {"a": 1, "b": "x"}, ONE),
        ("text/plain", {"a": 1, "b": "x"}, ONE),
        (JSON, {"a": {"b": {"c": 1}}, "d": None}, [{"a.b.c": 1, "d": None}]),
        (JSON, {}, [{}]),
        (JSON, 3, [{0: 3}]),
        (JSON, "text", [{0: "text"}]),
        (JSON, TWO, TWO),
        (JSON, [], []),
        (JSON, [[1, "x"], [2, None]], [{0: 1, 1: "x"}, {0: 2, 1: None}]),
        (JSON, {"instances": TWO}, TWO),
        (JSON, {"instances": [[1, 2], [3, 4]]}, [{0: 1, 1: 2}, {0: 3, 1: 4}]),
        (JSON, {"instances": [1, 2]}, [{0: 1}, {0: 2}]),
        (JSON, {"instances": [1, [2]]}, [{0: 1}, {0: 2}]),
        (JSON, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, None]]}}, TWO),
        (JSON, {"dataframe_split": {"index": [7], "columns": ["a", "b"], "data": [[1, "x"]]}}, ONE),
        (JSON, {"dataframe_split": {"data": [[1, "x"]]}}, [{0: 1, 1: "x"}]),
        (JSON, {"dataframe_records": TWO}, TWO),
        (JSON, {"inputs": {"a": [1, 2], "b": ["x", None]}}, TWO),
        (JSON, {"inputs": {"a": 1, "b": "x"}}, ONE),
        (JSON, {"inputs": [[1, 2]]}, [{0: 1, 1: 2}]),
        (ROWS, TWO, TWO),
        (ROWS, [{"a": {"b": 1}}], [{"a.b": 1}]),
        (ROWS, [], []),
    ],
)
def test_json(content_type: str, value: Any, expected: list[Row]) -> None:
    assert rows(content_type, json.dumps(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"predictions": [0.1, 0.9]}, [{"prediction": 0.1}, {"prediction": 0.9}]),
        ({"predictions": [[0.1, 0.9]]}, [{0: 0.1, 1: 0.9}]),
        ({"predictions": [{"p": 0.1}]}, [{"p": 0.1}]),
        ([0.1, 0.9], [{0: 0.1}, {0: 0.9}]),
        (0.5, [{0: 0.5}]),
    ],
)
def test_answers(value: Any, expected: list[Row]) -> None:
    assert rows(JSON, json.dumps(value), "output") == expected


def test_a_request_that_is_a_list_of_values_is_refused() -> None:
    error = refused(JSON, "[1, 2, 3]")
    assert "one row or many" in error.message
    assert "instances" in (error.fix or "")


def tensor(name: str, shape: list[int], data: Any, datatype: str = "FP64") -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def test_tensors() -> None:
    value = {"id": "x", "inputs": [tensor("a", [2], [1, 2]), tensor("b", [2, 3], [1, 2, 3, 4, 5, 6])]}
    assert rows(JSON, json.dumps(value)) == [
        {"a": 1, "b.0": 1, "b.1": 2, "b.2": 3},
        {"a": 2, "b.0": 4, "b.1": 5, "b.2": 6},
    ]
    nested = {"outputs": [tensor("p", [2, 1], [[0.1], [0.2]])]}
    assert rows(JSON, json.dumps(nested), "output") == [{"p": 0.1}, {"p": 0.2}]
    assert rows(JSON, json.dumps({"inputs": [tensor("a", [], 3)]})) == [{"a": 3}]
    assert rows(JSON, json.dumps({"inputs": [tensor("a", [0, 4], [])]})) == []


@pytest.mark.parametrize(
    "value",
    [
        tensor("a", [3], [1, 2]),
        tensor("a", [-1], [1]),
        tensor("a", [True], [1]),
        tensor("a", [10**9, 10**9, 10**9], [1]),
        tensor("a", ["2"], [1, 2]),
        tensor("a", "2", [1, 2]),  # type: ignore[arg-type]
        tensor(3, [1], [1]),  # type: ignore[arg-type]
    ],
)
def test_odd_tensors(value: Any) -> None:
    refused(JSON, json.dumps({"inputs": [value]}))


def test_tensors_of_different_lengths() -> None:
    refused(JSON, json.dumps({"inputs": [tensor("a", [2], [1, 2]), tensor("b", [3], [1, 2, 3])]}))


def binary(tensors: list[tuple[dict[str, Any], bytes | None]], key: str = "inputs") -> tuple[str, bytes]:
    heads = []
    for head, piece in tensors:
        made = dict(head)
        if piece is not None:
            made.pop("data", None)
            made["parameters"] = {"binary_data_size": len(piece)}
        heads.append(made)
    text = json.dumps({key: heads}).encode()
    data = text + b"".join(piece for _, piece in tensors if piece is not None)
    return f"application/octet-stream; Inference-Header-Content-Length={len(text)}", data


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [("FP32", "<f4"), ("FP64", "<f8"), ("FP16", "<f2"), ("INT64", "<i8"), ("UINT8", "u1"), ("INT16", "<i2")],
)
def test_binary_tensors(datatype: str, dtype: str) -> None:
    piece = np.array([1, 2, 3, 4], dtype).tobytes()
    kind, data = binary([(tensor("a", [2, 2], None, datatype), piece), (tensor("b", [2], [7, 8]), None)])
    assert rows(kind, data) == [{"a.0": 1, "a.1": 2, "b": 7}, {"a.0": 3, "a.1": 4, "b": 8}]


def test_binary_text_and_bools() -> None:
    text = b"".join(len(t).to_bytes(4, "little") + t for t in (b"x", "é".encode()))
    kind, data = binary(
        [(tensor("t", [2], None, "BYTES"), text), (tensor("b", [2], None, "BOOL"), b"\x01\x00")]
    )
    assert rows(kind, data) == [{"t": "x", "b": True}, {"t": "é", "b": False}]


@pytest.mark.parametrize(
    ("datatype", "piece"),
    [
        ("FP32", b"123"),
        ("BYTES", b"\x05\x00\x00\x00ab"),
        ("BYTES", b"\x01\x00\x00\x00\xff"),
        ("BYTES", b"\x01"),
        ("BF16", b"12"),
        ("object", b"12"),
    ],
)
def test_damaged_binary_tensors(datatype: str, piece: bytes) -> None:
    kind, data = binary([(tensor("a", [1], None, datatype), piece)])
    refused(kind, data)


@pytest.mark.parametrize("size", [10**6, -1, "3", 2.5, None.__class__.__name__, True, [1]])
def test_a_binary_tensor_that_reaches_beyond_the_body(size: Any) -> None:
    head = json.dumps(
        {"inputs": [{**tensor("a", [4], None, "UINT8"), "parameters": {"binary_data_size": size}}]}
    )
    refused(f"x;inference-header-content-length={len(head)}", head.encode() + b"123")
    refused(f"x;inference-header-content-length={len(head) + 100}", head.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,x\n", [["1", "x"]]),
        ("1,x", [["1", "x"]]),
        ("1,x\r\n2,y\r\n", [["1", "x"], ["2", "y"]]),
        ("1,\n,2", [["1", None], [None, "2"]]),
        ('1,"a,b"\n2,"c\n""d"""\n', [["1", "a,b"], ["2", 'c\n"d"']]),
        ("0.5", [["0.5"]]),
        ("1,2\n\n", [["1", "2"]]),
        ('"",""', [[None, None]]),
        ("\ufeff1,2", [["1", "2"]]),
    ],
)
def test_csv(text: str, expected: list[list[str | None]]) -> None:
    for kind in ("text/csv", "text/csv; charset=utf-8", "application/csv", "TEXT/CSV"):
        assert [list(row.values()) for row in rows(kind, text)] == expected
    assert [list(row) for row in rows("text/csv", text)] == [list(range(len(row))) for row in expected]


def test_plain_text_is_csv_or_json() -> None:
    assert rows("text/plain", "1,2") == rows("text/csv", "1,2")
    assert rows("", ' {"a": 1}') == [{"a": 1}]


def test_json_lines() -> None:
    for kind in (
        "application/jsonlines",
        "application/x-ndjson",
        "application/jsonl",
        "application/json-lines",
    ):
        assert rows(kind, '{"a": 1}\n\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("content_type", ["text/csv", JSON, ROWS, "", "application/jsonl"])
def test_nothing_is_no_row(content_type: str) -> None:
    assert rows(content_type, "") == []
    assert rows(content_type, " \r\n\t") == []


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("text/csv", "1,2\n3"),
        ("text/csv", "1\n\n2,3"),
        ("text/csv", '"a'),
        ("text/csv", '"a"b'),
        ("text/csv", b"\xff"),
        ("text/csv", b"\x80\x04\x95"),
        (JSON, "{"),
        (JSON, '{"a": 1, "a": 2}'),
        (JSON, "[" * 100_000),
        (JSON, '{"a":' * 100_000),
        (JSON, '{"a": [1]}'),
        (JSON, '{"a": 1, "a": 1}'),
        (JSON, '{"a.b": 1, "a": {"b": 2}}'),
        (JSON, "NaN"),
        (JSON, '{"a": Infinity}'),
        (JSON, '{"instances": [[[1]]]}'),
        (JSON, '{"instances": [{"a": [1]}]}'),
        (JSON, '{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}'),
        (JSON, '{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}'),
        (JSON, '{"dataframe_split": {"columns": "ab", "data": [[1, 2]]}}'),
        (JSON, '{"dataframe_split": {"columns": ["a"], "data": 3}}'),
        (JSON, '{"dataframe_split": {"columns": ["a"]}}'),
        (JSON, '{"inputs": {"a": [1], "b": [1, 2]}}'),
        (ROWS, '{"a": 1}'),
        (ROWS, "[1]"),
        (ROWS, "3"),
        (ROWS, '["ab"]'),
        ("application/jsonl", '{"a": 1}\n{'),
        ("image/png", b"\x89PNG"),
        ("application/x-npy", "x"),
        ("application/octet-stream", "1,2"),
        ("x;inference-header-content-length=2", "[]"),
        ("x;inference-header-content-length=2", "{}"),
        ("x;inference-header-content-length=1", b"\xff"),
        ("x;inference-header-content-length=999999999", "{}"),
    ],
)
def test_what_cannot_be_put_in_a_table_is_refused(content_type: str, data: str | bytes) -> None:
    error = refused(content_type, data)
    assert "\n" not in str(error)


def test_a_body_that_was_cut_off_is_refused() -> None:
    with pytest.raises(SourceError, match="longer than the capture keeps"):
        rows_of(Payload("text/csv", b"1,2", is_truncated=True), "input")


TYPES = st.sampled_from(
    [
        "",
        JSON,
        ROWS,
        "text/csv",
        "application/jsonl",
        "text/plain",
        "x;inference-header-content-length=5",
        "a/b;c",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "a",
                    "instances",
                    "inputs",
                    "outputs",
                    "predictions",
                    "dataframe_split",
                    "columns",
                    "data",
                    "shape",
                    "name",
                    "datatype",
                    "parameters",
                    "binary_data_size",
                    "dataframe_records",
                    "",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    TYPES,
    st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode()),
    st.sampled_from(["input", "output"]),
)
@example(JSON, b'{"inputs": [{"name": "a", "shape": [1], "datatype": "X"}]}', "input")
@example(JSON, b'{"outputs": [{"name": "a", "shape": [2], "datatype": "FP32", "data": {"x": 1}}]}', "output")
def test_hostile_bodies_give_rows_or_the_one_error(content_type: str, data: bytes, side: str) -> None:
    found, code = [], None
    try:
        found = rows_of(Payload(content_type, data), side)
    except SourceError as error:
        code = error.code
    assert code in (None, "E-PAYLOAD", "E-NESTED")
    assert all(isinstance(row, dict) for row in found)


def test_answers_stand_beside_their_requests() -> None:
    a, b, p, q = {"x": 1}, {"x": 2}, {"p": 1}, {"p": 2}
    assert paired([a, b], [p, q]) == [(a, p), (b, q)]
    assert paired([a, b], None) == [(a, {}), (b, {})]
    assert paired(None, [p]) == [({}, p)]
    assert paired([], [p]) == [({}, p)]
    assert paired(None, None) == []
    assert paired([a, b], [p]) == [(a, p), (b, p)]
    assert paired([a, b], [{0: 5, 1: 6}]) == [(a, {0: 5}), (b, {0: 6})]
    assert paired([a], [{0: 5, 1: 6}]) == [(a, {0: 5, 1: 6})]


def test_too_many_answers_are_refused() -> None:
    with pytest.raises(SourceError, match="2 rows and the answer 3") as info:
        paired([{}, {}], [{}, {}, {}])
    assert info.value.code == "E-PAYLOAD"
