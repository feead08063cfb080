"""Reports that are damaged, newer, or none, for ``show`` and ``diff``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bad_input.case import BASELINE, Case, Done, Run, refused
from bad_input.making import edited, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from bad_input.case import Make

R = "drift-report/report.json"


def _changed(change: Callable[[Any], None]) -> Make:
    def edit(data: bytes) -> bytes:
        document = json.loads(data)
        change(document)
        return json.dumps(document).encode()

    return edited(R, edit)


def _shown(name: str, line: str, make: Make) -> Case:
    """The same refusal from ``show`` and from both sides of ``diff``."""
    case = refused(name, ("show", "drift-report"), line, make)
    more = tuple(
        Run(arguments, case.runs[0].ending)
        for arguments in (
            ("diff", "drift-report", "good-report"),
            ("diff", "good-report", R),
            ("show", "drift-report", "--html", "x.html"),
            ("show", R, "--json"),
        )
    )
    return Case(name, make, (*case.runs, *more))


CASES: list[Case] = [
    _shown("empty", "E-JSON: drift-report/report.json:1: not JSON: <any>", edited(R, lambda _: b"")),
    _shown(
        "cut-off", "E-JSON: drift-report/report.json:23: not JSON: <any>", edited(R, lambda data: data[:2000])
    ),
    _shown(
        "last-byte-missing",
        "E-JSON: drift-report/report.json:43: not JSON: <any>",
        edited(R, lambda data: data.rstrip()[:-1]),
    ),
    _shown(
        "no-json",
        "E-DOCUMENT: drift-report/report.json: is not a report; give a report.json, or the folder that `driftline check -o` wrote",
        edited(R, lambda _: b"<html>"),
    ),
    _shown(
        "not-utf8",
        "E-JSON-ENCODING: drift-report/report.json:19: byte 902 is not valid UTF-8; save the file as UTF-8",
        edited(R, lambda data: data.replace(b"amount", b"am\xffunt", 1)),
    ),
    _shown(
        "a-list",
        "E-FIELD: drift-report/report.json: expected an object, found a list",
        edited(R, lambda _: b"[]"),
    ),
    _shown(
        "an-empty-object",
        "E-FIELD: drift-report/report.json: schema: this field is required and missing",
        edited(R, lambda _: b"{}"),
    ),
    _shown(
        "deep",
        "E-JSON-DEPTH: drift-report/report.json:1: the document nests deeper than 64 levels",
        edited(R, lambda _: b"[" * 100_000),
    ),
    _shown(
        "nan-in-it",
        "E-JSON: drift-report/report.json:12: NaN is not JSON; write null, or a string where the field allows one",
        edited(R, lambda data: data.replace(b'"alpha":0.001', b'"alpha":NaN')),
    ),
    _shown(
        "a-key-twice",
        "E-JSON: drift-report/report.json:12: the key 'alpha' occurs twice in one object",
        edited(R, lambda data: data.replace(b'"alpha"', b'"alpha":0.001,"alpha"', 1)),
    ),
    _shown(
        "newer-schema",
        "E-FIELD: drift-report/report.json: schema: expected 'driftline.report/v1', found 'driftline.report/v2'; read it with a newer driftline",
        _changed(lambda d: d.update(schema="driftline.report/v2")),
    ),
    _shown(
        "other-schema",
        "E-FIELD: drift-report/report.json: schema: expected 'driftline.report/v1', found 'driftline.baseline/v1'; give the report.json of a report",
        _changed(lambda d: d.update(schema="driftline.baseline/v1")),
    ),
    _shown(
        "a-number-changed",
        "E-REPORT-ID: drift-report/report.json: id: the content is not the one that this id names: the file was changed after it was written; restore the file or run the check again",
        edited(R, lambda data: data.replace(b'"n_bad":', b'"n_bad":1', 1)),
    ),
    _shown(
        "status-turned-to-passed",
        "E-FIELD: drift-report/report.json: incidents[0].outcomes[0]: expected the position of a violated outcome; count from 0",
        edited(R, lambda data: data.replace(b'"status":"violated"', b'"status":"passed"')),
    ),
    _shown(
        "violations-removed",
        "E-FIELD: drift-report/report.json: counts.violated: the outcomes hold 0; restore the file as it was written",
        _changed(
            lambda d: d.update(outcomes=[o for o in d["outcomes"] if o["status"] != "violated"], incidents=[])
        ),
    ),
    _shown(
        "unknown-key",
        "E-FIELD: drift-report/report.json: unknown field 'verdict'; remove it",
        _changed(lambda d: d.update(verdict="fine")),
    ),
    _shown(
        "outcomes-are-text",
        "E-FIELD: drift-report/report.json: outcomes: expected a list, found text",
        _changed(lambda d: d.update(outcomes="none")),
    ),
    _shown(
        "incident-without-outcome",
        "E-FIELD: drift-report/report.json: incidents[0].outcomes[0]: expected the position of a violated outcome; count from 0",
        _changed(lambda d: d["incidents"][0].update(outcomes=[999])),
    ),
    _shown(
        "a-baseline",
        "E-FIELD: drift-report/report.json: schema: expected 'driftline.report/v1', found 'driftline.baseline/v1'; give the report.json of a report",
        lambda folder: (folder / R).write_bytes((folder / BASELINE / "baseline.json").read_bytes()) and None,
    ),
    _shown(
        "violations-of-sagemaker",
        "E-FIELD: drift-report/report.json: schema: this field is required and missing",
        edited(R, lambda _: b'{"violations": []}'),
    ),
    refused(
        "diff-with-a-baseline",
        ("diff", "good-report", BASELINE),
        "E-FILE: baseline: is a baseline, not a report; give a report.json, or the folder that `driftline check -o` wrote",
        nothing,
    ),
    refused(
        "diff-of-baselines",
        ("diff", BASELINE, BASELINE),
        "E-FILE: baseline: is a baseline, not a report; give a report.json, or the folder that `driftline check -o` wrote",
        nothing,
    ),
    refused(
        "diff-with-data",
        ("diff", "good-report", "live.parquet"),
        "E-DOCUMENT: live.parquet: is not a report; give a report.json, or the folder that `driftline check -o` wrote",
        nothing,
    ),
    refused(
        "diff-with-nothing",
        ("diff", "good-report", "nowhere"),
        "E-FILE: nowhere: does not exist; check the path",
        nothing,
    ),
    refused(
        "diff-of-one",
        ("diff", "good-report"),
        "E-USAGE: Missing argument 'REPORT'; try 'driftline diff --help'",
        nothing,
    ),
    refused(
        "column-of-a-report",
        ("show", "good-report", "--column", "amount"),
        "E-USAGE: good-report: a report is shown with all its columns; leave out --column",
        nothing,
    ),
    refused(
        "unknown-column-of-a-baseline",
        ("show", BASELINE, "--column", "amuont"),
        "E-COLUMN: amuont: the baseline has no such column; did you mean 'amount'?",
        nothing,
    ),
    refused(
        "page-of-a-baseline",
        ("show", BASELINE, "--html", "x.html"),
        "E-USAGE: baseline: a baseline has no HTML form; leave out --html",
        nothing,
    ),
    refused(
        "baseline-with-damage-shown",
        ("show", BASELINE),
        "E-BASELINE-DAMAGED: baseline/profile.arrow: does not match the checksum in baseline.json: it was damaged or replaced; make the baseline again, or restore the file",
        edited(f"{BASELINE}/profile.arrow", lambda data: data[:100]),
    ),
    Case("diff-with-itself", nothing, (Run(("diff", "good-report", "good-report"), Done()),)),
]
