"""``driftline schedule timeline``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALL = ("schedule", "timeline", "churn-quality")


def test_what_matters_is_shown_window_by_window(run: Callable[..., Any]) -> None:
    done = run(*CALL)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Kolmogorov–Smirnov of amount"
    assert lines[2] == "  ^^."
    assert "2026-11-20 05:00 UTC to 2026-11-20 08:00 UTC" in lines[3]
    assert "Violated in 2 of 2 windows, without a break since 2026-11-20 05:00 UTC." in done.out


def test_one_metric_as_json(run: Callable[..., Any]) -> None:
    document = json.loads(run(*CALL, "--metric", "ks", "--feature", "amount", "--json").out)
    assert (document["schema"], document["schedule"], document["kind"]) == (
        "driftline.timeline/v1", "churn-quality", "data-quality",
    )  # fmt: skip
    [line] = document["timelines"]
    assert [point["state"] for point in line["points"]] == ["violated", "violated", "waiting"]
    assert line["points"][0]["bound"] == 0.1
    assert [mark["label"] for mark in line["marks"]] == ["churn 3"]


def test_fewer_windows(run: Callable[..., Any]) -> None:
    document = json.loads(run(*CALL, "--metric", "ks", "--last", "2", "--json").out)
    assert [len(line["points"]) for line in document["timelines"]] == [2]


def test_a_page(run: Callable[..., Any], world: Path) -> None:
    done = run(*CALL, "--html", "pages/churn.html")
    assert (done.code, done.out, done.err) == (0, "pages/churn.html\n", "")
    page = (world / "pages" / "churn.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert '<svg class="time"' in page


def test_what_is_not_there_is_said_in_a_line(run: Callable[..., Any]) -> None:
    for arguments, told in (
        (("schedule", "timeline", "churn-qualty"), "E-NO-SCHEDULE"),
        ((*CALL, "--metric", "recall"), "driftline: E-NO-METRIC: no run has measured 'recall'; use one of "),
        ((*CALL, "--metric", "ks", "--feature", "amuont"), "did you mean 'amount'?"),
        ((*CALL, "--last", "0"), "E-USAGE"),
    ):
        done = run(*arguments)
        assert (done.code, done.out) == (2, "")
        assert told in done.err
        assert done.err.count("\n") == 1
