"""What an execution keeps of the incidents of its report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import driftline as dl
from driftline.monitor.causes import MOST_INCIDENTS, fingerprint, incidents_of
from driftline.registry.alert_cause import Cause, is_same

if TYPE_CHECKING:
    from pathlib import Path


def broken(folder: Path, n_columns: int, row: int) -> dl.Report:
    """Return the report of a file in which one row is wrong in the first columns."""
    names = [f"c{i:02}" for i in range(59)]
    lines = [[str(100 + i + j) for j in range(59)] for i in range(300)]
    for file in ("good.csv", "bad.csv"):
        (folder / file).write_text("\n".join(",".join(line) for line in [names, *lines]) + "\n")
        lines[row][:n_columns] = ["oops"] * n_columns
    return dl.check(folder / "bad.csv", dl.baseline(folder / "good.csv"))


def test_columns_broken_by_the_same_row_are_one_incident_in_every_window(tmp_path: Path) -> None:
    first = incidents_of(broken(tmp_path, 59, 7))
    second = incidents_of(broken(tmp_path, 58, 120))
    a = next(i for i in first if i["kind"] == "rows")
    b = next(i for i in second if i["kind"] == "rows")
    assert (a["n_columns"], len(a["columns"]), a["severity"]) == (59, 50, b["severity"])
    assert a["title"] == "1 row breaks 59 columns"
    assert "data_type" in a["checks"]
    assert a["fingerprint"] != b["fingerprint"]
    assert is_same(Cause.of(a), Cause.of(b))


def test_a_report_gives_the_same_fingerprints_again(tmp_path: Path) -> None:
    a, b = incidents_of(broken(tmp_path, 59, 7)), incidents_of(broken(tmp_path, 59, 150))
    assert [i["fingerprint"] for i in a if i["kind"] == "rows"] == [
        i["fingerprint"] for i in b if i["kind"] == "rows"
    ]


def test_a_clean_report_has_none() -> None:
    data = {"a": [float(i) for i in range(200)]}
    assert incidents_of(dl.check(data, dl.baseline(data))) == []


def test_incidents_are_bounded_and_the_rest_is_counted(tmp_path: Path) -> None:
    report = broken(tmp_path, 59, 7)
    one = replace(report.incidents[0], title="x" * 5000)
    many = replace(report, incidents=(one,) * 10_000)
    found = incidents_of(many)
    assert len(found) == MOST_INCIDENTS + 1
    assert (found[-1]["kind"], found[-1]["n_incidents"]) == ("others", 10_000 - MOST_INCIDENTS)
    assert found[-1]["title"] == "9,900 more incidents"
    assert len(found[0]["title"]) == 1000
    assert found[-1]["fingerprint"] == fingerprint("others", [], [])
