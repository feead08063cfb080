"""Documents that are refused, with the message they deserve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import DocumentError
from driftline.reports.codec import from_json, to_json
from driftline.reports.outcome import Status
from driftline.reports.report import ColumnView

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.reports.report import Report


REFUSED = json.loads((Path(__file__).parents[1] / "data/reports/refused.json").read_text(encoding="utf-8"))


def change(document: Any, case: dict[str, Any]) -> None:
    *steps, last = [int(step) if step.isdigit() else step for step in case["at"].split("/")]
    for step in steps:
        document = document[step]
    if "delete" in case:
        del document[last]
    else:
        document[last] = case["put"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case['at']}={case.get('put', '')}")
def test_refused_with_place_and_fix(
    make_outcome: Callable[..., Any], make_report: Callable[..., Report], case: dict[str, Any]
) -> None:
    column = ColumnView("a", "number", "Integral", (0.0, 1.0, 2.0), (), (3.0, 4.0), (1.0, 2.0))
    report = make_report([make_outcome("ks", "a", Status.VIOLATED, value=0.5)], [column])
    document = json.loads(to_json(report))
    change(document, case)
    with pytest.raises(DocumentError) as caught:
        from_json(json.dumps(document), file="r.json")
    assert str(caught.value) == f"E-FIELD: r.json: {case['message']}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "E-JSON: r.json:1: not JSON: Expecting value at column 1"),
        ("[]", "E-FIELD: r.json: expected an object, found a list"),
        (
            '{"schema": NaN}',
            "E-JSON: r.json:1: NaN is not JSON; write null, or a string where the field allows one",
        ),
        ('{"schema": "a", "schema": "b"}', "E-JSON: r.json:1: the key 'schema' occurs twice in one object"),
        ("[" * 100 + "]" * 100, "E-JSON-DEPTH: r.json:1: the document nests deeper than 64 levels"),
    ],
)
def test_text_that_is_no_document(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_json(text, file="r.json")
    assert str(caught.value) == message
