from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("report-clean", "report-drift", 1),
        ("report-drift", "report-clean", 0),
        ("report-drift", "report-drift", 0),
    ],
)
def test_exit_status_tells_of_new_violations(
    run: Callable[..., Any], before: str, after: str, code: int
) -> None:
    for flags in ((), ("--json",)):
        done = run("diff", before, after, *flags)
        assert (done.code, done.err) == (code, "")
    assert bool(json.loads(done.out)["newly_violated"]) == bool(code)


def test_either_file_missing(run: Callable[..., Any]) -> None:
    for pair in (("report-clean", "nowhere"), ("nowhere", "report-clean")):
        done = run("diff", *pair)
        assert (done.code, done.out) == (2, "")
        assert "nowhere" in done.err
