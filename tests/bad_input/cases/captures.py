"""Captured traffic of SageMaker that is broken in its own ways."""

from __future__ import annotations

import base64
import json
from typing import Any

from bad_input.case import Case, as_data, refused, refused_data
from bad_input.making import files

X = "x.jsonl"


def _record(
    request: Any = "1,2\n", answer: Any = "0.5", encoding: Any = "CSV", content: str = "text/csv", **more: Any
) -> dict[str, Any]:
    side = {"observedContentType": content, "encoding": encoding}
    return {
        "captureData": {
            "endpointInput": {**side, "mode": "INPUT", "data": request},
            "endpointOutput": {**side, "mode": "OUTPUT", "data": answer},
        },
        "eventMetadata": {"eventId": "1", "inferenceTime": "2020-01-01T00:00:00Z"},
        "eventVersion": "0",
        **more,
    }


def _lines(*records: object):
    return files({X: b"".join(json.dumps(record).encode() + b"\n" for record in records)})


GOOD = _record()

CASES: list[Case] = [
    refused_data(
        "capture-data-missing",
        X,
        "E-CAPTURE: x.jsonl:2: captureData: is missing or no object; keep captured files apart from other JSON Lines",
        _lines(GOOD, {"eventVersion": "0"}),
    ),
    refused_data(
        "capture-data-is-a-list",
        X,
        "E-CAPTURE: x.jsonl:2: captureData: is missing or no object; keep captured files apart from other JSON Lines",
        _lines(GOOD, {"captureData": []}),
    ),
    refused_data(
        "payload-is-a-number",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointInput.data: expected text; decode it with a preprocessor",
        _lines(_record(7)),
    ),
    refused_data(
        "payload-is-null",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointInput.data: expected text; decode it with a preprocessor",
        _lines(_record(None)),
    ),
    refused_data(
        "side-is-text",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointInput: expected an object; decode it with a preprocessor",
        _lines({"captureData": {"endpointInput": "x"}}),
    ),
    refused_data(
        "encoding-unknown",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointOutput.encoding: expected CSV, JSON or BASE64, found 'XML'; decode it with a preprocessor",
        _lines(_record(encoding="XML")),
    ),
    refused_data(
        "encoding-missing",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointOutput.encoding: expected CSV, JSON or BASE64, found nothing; decode it with a preprocessor",
        _lines(_record(encoding=None)),
    ),
    refused_data(
        "base64-of-a-picture",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointOutput: is base64 of content type image/png, which driftline cannot take apart; decode it with a preprocessor",
        _lines(_record(base64.b64encode(b"\x89PNG").decode(), encoding="BASE64", content="image/png")),
    ),
    refused_data(
        "base64-broken",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointOutput.data: is not base64; decode it with a preprocessor",
        _lines(_record("%%%", encoding="BASE64")),
    ),
    refused_data(
        "base64-not-text",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointOutput.data: is not base64; decode it with a preprocessor",
        _lines(_record(base64.b64encode(b"\xff\xfe").decode(), encoding="BASE64")),
    ),
    refused_data(
        "json-inside-broken",
        X,
        "E-CAPTURE: x.jsonl:2: captureData.endpointInput.data: not JSON: <any>; decode it with a preprocessor",
        _lines(GOOD, _record('{"a": 1', "{}", "JSON", "application/json")),
    ),
    refused_data(
        "json-inside-is-a-plain-list",
        X,
        'E-CAPTURE: x.jsonl:1: captureData.endpointInput.data: is a list of values, which may be one row or many; send {"instances": [[…], …]}, or take it apart with a preprocessor',
        _lines(_record("[1, 2]", "[1]", "JSON", "application/json")),
    ),
    refused_data(
        "json-inside-nested",
        X,
        "E-NESTED: x.jsonl:1: captureData.endpointInput.data: 0: a list has no place in a table of one value a cell; take it apart with a preprocessor",
        _lines(_record('{"instances": [[[1]]]}', '{"predictions": [1]}', "JSON", "application/json")),
    ),
    refused_data(
        "csv-inside-with-an-open-quote",
        X,
        "E-CAPTURE: x.jsonl:1: captureData.endpointInput.data: is not CSV: <any>; decode it with a preprocessor",
        _lines(_record('1,"2\n')),
    ),
    refused_data(
        "more-answers-than-rows",
        X,
        "E-CAPTURE: x.jsonl:2: the request has 2 rows and the answer 3; expected as many answers as rows, or one; pair them with a preprocessor",
        _lines(GOOD, _record("1,2\n3,4\n", "0.5\n0.6\n0.7\n")),
    ),
    refused_data(
        "ground-truth-alone",
        X,
        "E-GROUND-TRUTH: x.jsonl:1: holds ground truth, not captured traffic; give the captured files, or the ones that the merge wrote",
        _lines({"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "1"}}),
    ),
    refused_data(
        "records-without-rows",
        X,
        "E-NO-DATA: x.jsonl: the captured records hold no data; check the time window",
        _lines(_record("", ""), _record("\n", "\n")),
    ),
    refused_data(
        "other-lines-first",
        X,
        "E-CAPTURE: x.jsonl:2: captureData: is missing or no object; keep captured files apart from other JSON Lines",
        _lines(GOOD, {"a": 1}),
    ),
    refused(
        "mixed-encodings-in-compat-mode",
        ("baseline", X, "-o", "out", "--compat", "sagemaker"),
        "E-ENCODING-MISMATCH: x.jsonl:1: Encoding mismatch: encoding is CSV for endpointInput but JSON for endpointOutput, only equal encodings are supported; leave the strict mode, or decode with a preprocessor",
        _lines(
            {
                "captureData": {
                    "endpointInput": {"encoding": "CSV", "data": "1,2"},
                    "endpointOutput": {"encoding": "JSON", "data": '{"p": 1}'},
                }
            }
        ),
    ),
    as_data(
        "widths-differ",
        X,
        _lines(GOOD, _record("1,2,3\n"), _record("1\n")),
        rows=3,
        notes=lambda n: any("1 to 3 fields" in t for t in n),
    ),
    as_data(
        "one-side-only",
        X,
        _lines({"captureData": {"endpointInput": {"encoding": "CSV", "data": "1,2"}}}),
        rows=1,
    ),
    as_data(
        "empty-fields", X, _lines(_record(",,\n"), _record("1,,2\n")), rows=2, facts={"_c2.n_missing": 2}
    ),
    as_data(
        "merged-with-ground-truth",
        X,
        _lines(_record(groundTruthData={"data": "1", "encoding": "CSV"})),
        rows=1,
        notes=lambda n: any("ground truth" in t for t in n),
    ),
]
