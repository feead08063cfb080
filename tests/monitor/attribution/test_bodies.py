"""Rows become the body of a request, and every form of answer becomes predictions or an error that names the place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from monitor_attribution_shared import numbers

from driftline.monitor.attribution.bodies import predictions_of, request_body
from driftline.monitor.attribution.failure import ModelError

if TYPE_CHECKING:
    from driftline.monitor.attribution.encoding import Encoding

ROWS = np.array([[0.1, 39.0, 1.0, 1.0], [np.nan, 40.0, 0.0, np.nan]])


def test_csv(mixed: Encoding) -> None:
    assert (
        request_body(ROWS, mixed, "csv", as_matrix=False)
        == b'0.1,39,true,"K\xc3\xb6ln, am Rhein"\n,40,false,\n'
    )
    assert request_body(ROWS, mixed, "csv", as_matrix=True) == b"0.1,39,1,1\n,40,0,\n"


def test_json(mixed: Encoding) -> None:
    body = json.loads(request_body(ROWS, mixed, "json", as_matrix=False))
    assert body == {"instances": [[0.1, 39, True, "Köln, am Rhein"], [None, 40, False, None]]}


def test_open_inference_protocol(mixed: Encoding) -> None:
    body = json.loads(request_body(ROWS[:1], mixed, "v2", as_matrix=False))
    assert [(one["name"], one["datatype"], one["shape"], one["data"]) for one in body["inputs"]] == [
        ("income", "FP64", [1, 1], [0.1]),
        ("age", "INT64", [1, 1], [39]),
        ("member", "BOOL", [1, 1], [True]),
        ("city", "BYTES", [1, 1], ["Köln, am Rhein"]),
    ]
    tensor = json.loads(request_body(ROWS[:1], mixed, "v2", as_matrix=True))["inputs"]
    assert tensor == [{"name": "input-0", "shape": [1, 4], "datatype": "FP64", "data": [0.1, 39.0, 1.0, 1.0]}]
    with pytest.raises(ModelError, match="income: has missing values"):
        request_body(ROWS, mixed, "v2", as_matrix=False)


@pytest.mark.parametrize(
    ("body", "form", "content_type", "path", "output", "expected"),
    [
        (b"0.25\n0.5\n", "csv", "text/csv", None, None, [[0.25], [0.5]]),
        (b"0.75,0.25\n0.5,0.5", "csv", "", None, None, [[0.75, 0.25], [0.5, 0.5]]),
        (b"0.25,0.5\n", "csv", "text/csv; charset=utf-8", None, None, [[0.25], [0.5]]),
        (b'{"p": [{"score": 0.25}, {"score": 0.5}]}', "csv", "application/json", "p.score", None, [0.25, 0.5]),
        (b'{"predictions": [[0.75, 0.25], [0.5, 0.5]]}', "json", "", None, None, [[0.75, 0.25], [0.5, 0.5]]),
        (b'{"predictions": [[0.75, 0.25], [0.5, 0.5]]}', "json", "", "predictions.1", None, [0.25, 0.5]),
        (b"[0.25, 0.5]", "json", "", None, None, [0.25, 0.5]),
        (b'{"scores": [0.25, 0.5]}', "json", "", None, None, [0.25, 0.5]),
        (b'{"a": [0, {"b": [0.25, 0.5]}, 1]}', "json", "", "a.1.b", None, [0.25, 0.5]),
        (b'{"outputs": [{"name": "p", "shape": [2], "data": [0.25, 0.5]}]}', "v2", "", None, None, [[0.25], [0.5]]),
        (
            b'{"outputs": [{"name": "q", "shape": [2], "data": [1, 2]},'
            b' {"name": "p", "shape": [2, 2], "data": [1, 2, 3, 4]}]}',
            "v2", "", None, "p", [[1, 2], [3, 4]],
        ),
        (b'{"outputs": [{"name": "p", "shape": [2, 1], "data": [[0.25], [0.5]]}]}', "v2", "", None, None, [[0.25], [0.5]]),
    ],
)  # fmt: skip
def test_answers(
    body: bytes, form: str, content_type: str, path: str | None, output: str | None, expected: Any
) -> None:
    assert predictions_of(body, 2, form, content_type, path, output) == expected


def test_an_answer_for_one_row() -> None:
    assert predictions_of(b'{"predictions": {"score": 0.5}}', 1, "json", "", "predictions.score", None) == [
        0.5
    ]
    assert predictions_of(b"0.75,0.25", 1, "csv", "", None, None) == [[0.75, 0.25]]


@pytest.mark.parametrize(
    ("body", "form", "path", "words"),
    [
        (b"<html>oops</html>", "csv", None, "is no CSV of numbers: it begins with '<html>oops"),
        (b"<html>oops</html>", "json", None, "is no JSON"),
        (b"", "csv", None, "0 predictions for 2 rows"),
        (b"1\n2\n3", "csv", None, "3 predictions for 2 rows"),
        (b"1,2\n3", "csv", None, "predictions for 2 rows"),
        (b'{"predictions": [1]}', "json", None, "1 predictions for 2 rows"),
        (b'{"predictions": 1}', "json", None, "found no list but a number"),
        (b'{"a": 1, "prediction": [1, 2]}', "json", None, "did you mean 'prediction'"),
        (b'{"predictions": [{"score": 1}, {"score": 2}]}', "json", None, "add the key: one of score"),
        (b'{"predictions": [{"score": 1}, {"sc": 2}]}', "json", "predictions.score", "no 'score'"),
        (b'{"predictions": ["yes", "no"]}', "json", None, "found text"),
        (b'{"predictions": [null, 1]}', "json", None, "found nothing"),
        (b'{"predictions": [[1], [2]]}', "json", "predictions.3", "found a list of 1"),
        (b'{"a": []}', "v2", None, "no outputs"),
        (b'{"outputs": [{"name": "a"}, {"name": "b"}]}', "v2", None, "say output_name: one of a, b"),
        (b'{"outputs": [{"name": "a", "shape": [3], "data": [1, 2, 3]}]}', "v2", None, "of shape [3]"),
        (b'{"outputs": [{"name": "a", "shape": [2], "data": [1, 2, 3]}]}', "v2", None, "3 predictions"),
    ],
)
def test_answers_that_are_none(body: bytes, form: str, path: str | None, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        predictions_of(body, 2, form, "", path, None)
    assert words in str(caught.value)
    assert caught.value.code == "E-MODEL-ANSWER"


def test_an_output_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="use one of a"):
        predictions_of(b'{"outputs": [{"name": "a"}]}', 1, "v2", "", None, "b")


def test_numbers_are_whole() -> None:
    body = request_body(np.array([[0.1 + 0.2, 1e-300]]), numbers("a", "b"), "csv", as_matrix=False)
    assert [float(cell) for cell in body.decode().split(",")] == [0.1 + 0.2, 1e-300]
