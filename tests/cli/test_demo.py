from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import driftline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_whole_loop(run: Callable[..., Any], world: Path) -> None:
    done = run("demo")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()[:5]] == [
        "trained",
        "served",
        "captured",
        "baselined",
        "checked",
    ]
    assert (world / "driftline-demo" / "report" / "report.html").is_file()
    report = driftline.load_report(world / "driftline-demo" / "report")
    assert len(report.incidents) == 1
    assert report.incidents[0].where[0].row == 1


def test_what_it_says_to_try_works(run: Callable[..., Any]) -> None:
    done = run("demo", "-o", "some where")
    [line] = [line for line in done.out.splitlines() if line.startswith("run it again yourself:")]
    assert line.endswith("driftline check 'some where/captures/churn' --baseline 'some where/baseline'")
    again = run("check", "some where/captures/churn", "--baseline", "some where/baseline")
    assert again.code == 1


def test_twice_in_one_folder(run: Callable[..., Any], world: Path) -> None:
    ids = set()
    for _ in range(2):
        done = run("demo", "--json")
        assert (done.code, done.err) == (0, "")
        ids.add(json.loads(done.out)["current"]["digest"])
    assert len(ids) == 1
    assert {p.name for p in (world / "driftline-demo").iterdir()} == {"baseline", "captures", "report"}
