from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from driftline.capture.captures import Captures
from driftline.capture.event import Event, Payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = 1_763_985_600_000_000


@pytest.fixture
def captured(world: Path) -> Path:
    """The small world with captures of three events."""
    with Captures(world / "captures", seal_in="thread") as captures:
        captures.write(
            [
                Event(f"e{n}", "churn", "AllTraffic", NOON, NOON + n, output=Payload("text/csv", b"0.5"))
                for n in range(3)
            ]
        )
    return world


def test_import_then_stats(run: Callable[..., Any], captured: Path) -> None:
    (captured / "labels.csv").write_text(
        "who,y,when\ne0,1,2025-11-25T12:00:00Z\ne1,0,2025-11-26\nnobody,0,2025-11-26\n"
    )
    words = (
        "truth",
        "import",
        "labels.csv",
        "--to",
        "captures",
        "--endpoint",
        "churn",
        "--id",
        "who",
        "--label",
        "y",
    )
    done = run(*words, "--time", "when")
    assert (done.code, done.out, done.err) == (0, "3 labels imported\n", "")
    again = run(*words, "--time", "when", "--json")
    assert json.loads(again.out) == {"labels": 0, "repeated": 1, "refused": 0, "examples": []}
    stats = run("truth", "stats", "captures", "--endpoint", "churn", "--json")
    assert (stats.code, stats.err) == (0, "")
    told = json.loads(stats.out)
    assert (told["rows"], told["labelled"], told["unmatched"]) == (3, 2, 1)
    assert told["lag_p50"] == 86400.0
    assert told["share"] == pytest.approx(2 / 3)
    people = run(
        "truth", "stats", "captures/", "--endpoint", "churn", "--from", "2025-11-24", "--to", "2025-11-25"
    )
    assert people.out.splitlines() == [
        "rows                    3",
        "  labelled              2  66.7%",
        "after        1 day (half), 1.5 days (nine tenths), 1.5 days (all)",
        "corrected               0",
        "duplicates              0",
        "misfits                 0",
        "unmatched               1",
    ]
    nothing = run("truth", "stats", "captures/", "--endpoint", "churn", "--as-of", "2025-11-25")
    assert "labelled              0  0.0%" in nothing.out


def test_labels_that_cannot_be_read_are_shown(run: Callable[..., Any], captured: Path) -> None:
    (captured / "labels.csv").write_text("id,label\ne0,1\n" + "e1,\n" * 21)
    words = ("truth", "import", "labels.csv", "--to", "captures", "--endpoint", "churn")
    strict = run(*words, "--strict")
    assert (strict.code, strict.out) == (2, "")
    assert strict.err.startswith(
        "driftline: E-LABEL: labels.csv:3: has no label (and 20 more), so nothing was imported; "
    )
    done = run(*words)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[:3] == [
        "1 labels imported",
        "21 labels cannot be read and are in quarantine:",
        "  labels.csv:3: has no label",
    ]
    assert lines[-1] == "  […]"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "labels.csv", "--to", "nowhere", "--endpoint", "churn"), "E-NO-STORE: nowhere"),
        (("import", "nowhere.csv", "--to", "captures", "--endpoint", "churn"), "nowhere.csv: does not exist"),
        (("import", "labels.csv", "--to", "captures", "--endpoint", "../x"), "E-NAME"),
        (
            ("import", "labels.csv", "--to", "captures", "--endpoint", "churn", "--by", "event-id"),
            "did you mean 'event_id'",
        ),
        (("import", "labels.csv", "--to", "captures"), "--endpoint"),
        (("import", "--to", "captures", "--endpoint", "churn"), "DATA"),
        (("stats", "nowhere", "--endpoint", "churn"), "E-NO-STORE: nowhere"),
        (("stats", "captures", "--endpoint", "churn", "--from", "yesterday"), "E-TIME"),
        (
            ("stats", "captures", "--endpoint", "churn", "--from", "2025-11-25", "--to", "2025-11-24"),
            "ends before",
        ),
        (("stat",), "did you mean 'stats'?"),
    ],
)
def test_bad_calls_say_what_is_wrong(
    run: Callable[..., Any], captured: Path, words: tuple[str, ...], message: str
) -> None:
    (captured / "labels.csv").write_text("id,label\ne0,1\n")
    before = sorted(captured.iterdir())
    done = run("truth", *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert sorted(captured.iterdir()) == before
