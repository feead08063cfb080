"""Reports that are damaged, newer, or none, for ``show`` and ``diff``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bad_input.case import BASELINE, Case, Done, Run, refused
from bad_input.making import edited, files, nothing, together

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
    more = tuple(Run(arguments, case.runs[0].ending) for arguments in (("diff", "drift-report", "good-report"), ("diff", "good-report", R), ("show", "drift-report", "--html", "x.html"), ("show", R, "--json")))
    return Case(name, make, (*case.runs, *more))


CASES: list[Case] = [
    _shown("empty", "?", edited(R, lambda _: b"")),
    _shown("cut-off", "?", edited(R, lambda data: data[:2000])),
    _shown("last-byte-missing", "?", edited(R, lambda data: data.rstrip()[:-1])),
    _shown("no-json", "?", edited(R, lambda _: b"<html>")),
    _shown("not-utf8", "?", edited(R, lambda data: data.replace(b"amount", b"am\xffunt", 1))),
    _shown("a-list", "?", edited(R, lambda _: b"[]")),
    _shown("an-empty-object", "?", edited(R, lambda _: b"{}")),
    _shown("deep", "?", edited(R, lambda _: b"[" * 100_000)),
    _shown("nan-in-it", "?", edited(R, lambda data: data.replace(b'"alpha":0.001', b'"alpha":NaN'))),
    _shown("a-key-twice", "?", edited(R, lambda data: data.replace(b'"alpha"', b'"alpha":0.001,"alpha"', 1))),
    _shown("newer-schema", "?", _changed(lambda d: d.update(schema="driftline.report/v2"))),
    _shown("other-schema", "?", _changed(lambda d: d.update(schema="driftline.baseline/v1"))),
    _shown("a-number-changed", "?", edited(R, lambda data: data.replace(b'"n_bad":', b'"n_bad":1', 1))),
    _shown("status-turned-to-passed", "?", edited(R, lambda data: data.replace(b'"status":"violated"', b'"status":"passed"'))),
    _shown("violations-removed", "?", _changed(lambda d: d.update(outcomes=[o for o in d["outcomes"] if o["status"] != "violated"], incidents=[]))),
    _shown("unknown-key", "?", _changed(lambda d: d.update(verdict="fine"))),
    _shown("outcomes-are-text", "?", _changed(lambda d: d.update(outcomes="none"))),
    _shown("incident-without-outcome", "?", _changed(lambda d: d["incidents"][0].update(outcomes=[999]))),
    _shown("a-baseline", "?", lambda folder: (folder / R).write_bytes((folder / BASELINE / "baseline.json").read_bytes()) and None),
    _shown("violations-of-sagemaker", "?", edited(R, lambda _: b'{"violations": []}')),
    refused("diff-with-a-baseline", ("diff", "good-report", BASELINE), "?", nothing),
    refused("diff-of-baselines", ("diff", BASELINE, BASELINE), "?", nothing),
    refused("diff-with-data", ("diff", "good-report", "live.parquet"), "?", nothing),
    refused("diff-with-nothing", ("diff", "good-report", "nowhere"), "?", nothing),
    refused("diff-of-one", ("diff", "good-report"), "?", nothing),
    refused("column-of-a-report", ("show", "good-report", "--column", "amount"), "?", nothing),
    refused("unknown-column-of-a-baseline", ("show", BASELINE, "--column", "amuont"), "?", nothing),
    refused("page-of-a-baseline", ("show", BASELINE, "--html", "x.html"), "?", nothing),
    refused("baseline-with-damage-shown", ("show", BASELINE), "?", edited(f"{BASELINE}/profile.arrow", lambda data: data[:100])),
    Case("diff-with-itself", nothing, (Run(("diff", "good-report", "good-report"), Done()),)),
]
