"""Exhibits: how the groups fare, as tables and bars beside the judgements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.reports.exhibit import Exhibit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from driftline.monitor.bias.frozen import Frozen
    from driftline.monitor.bias.numbers import Numbers
    from driftline.monitor.bias.recipe import Judged

    Table = NDArray[np.int64]

__all__ = ["facets_exhibit", "interval_exhibits", "rates_exhibit"]

OTHERS, GROUP = 0, 1


def _share(over: int, under: int) -> float | None:
    return over / under if under else None


def _counts(table: Table | None, side: int | None) -> tuple[int, int, int, int, int]:
    """Return rows, labels, positive labels, predictions, positive predictions of one side, or of both."""
    if table is None:
        return 0, 0, 0, 0, 0
    both = table.sum(axis=0) if side is None else table[side]
    cells = both.sum(axis=0)
    return (
        int(cells.sum()),
        int(cells[:2].sum()),
        int(cells[1].sum()),
        int(cells[:, :2].sum()),
        int(cells[:, 1].sum()),
    )


def _people(frozen: Frozen) -> Iterator[tuple[str, str, int]]:
    """Give everybody who has a row: the name shown, the group whose table has the counts, and the side."""
    for axis in frozen.axes:
        groups = axis.groups
        for group in groups:
            yield group.text, group.text, GROUP
        if len(groups) == 1:
            yield f"not {groups[0].text}", groups[0].text, OTHERS


def facets_exhibit(now: Numbers, before: Numbers, frozen: Frozen) -> Exhibit:
    """Return the table of who is in the data, and how they fare."""
    rows: list[tuple[str | float | None, ...]] = []
    for name, text, side in _people(frozen):
        cells: list[str | float | None] = [name]
        for numbers in (before, now):
            table = numbers.tables.get(text)
            n, labels, positive, predictions, chosen = _counts(table, side)
            everybody = _counts(table, None)[0]
            known = table is not None
            cells += [
                n if known else None,
                _share(n, everybody),
                _share(positive, labels),
                _share(chosen, predictions),
            ]
        rows.append(tuple(cells))
    heads = ("rows", "share of rows", "positive labels", "positive predictions")
    return Exhibit(
        "facets",
        "table",
        "Who is in the data",
        "Rows of each group, its share of all rows, and how often its labels and its predictions are positive.",
        ("group", *(f"{head}, baseline" for head in heads), *heads),
        tuple(rows),
        ("text", *(("rows", "share", "share", "share") * 2)),
    )


def rates_exhibit(now: Numbers, before: Numbers, frozen: Frozen) -> Exhibit:
    """Return the shares of positive labels and predictions as bars."""
    rows: list[tuple[str | float | None, ...]] = []
    for name, text, side in _people(frozen):
        sides = [_counts(numbers.tables.get(text), side) for numbers in (before, now)]
        for what, at in (("positive predictions", 3), ("positive labels", 1)):
            shares = [_share(counts[at + 1], counts[at]) for counts in sides]
            if shares != [None, None]:
                rows.append((f"{name}: {what}", *shares))
    return Exhibit(
        "rates",
        "bars",
        "How often the outcome is positive",
        "Share of the rows of each group whose prediction, or label, is the positive one.",
        ("group", "baseline", "current"),
        tuple(rows),
        ("text", "share", "share"),
    )


def interval_exhibits(
    judged: Sequence[Judged], titles: Mapping[str, str] | None = None
) -> tuple[Exhibit, ...]:
    """Return, for each group, its metrics on both sides with what is allowed."""
    by_group: dict[str, list[Judged]] = {}
    for one in judged:
        by_group.setdefault(one.group.text, []).append(one)
    found = []
    for text, metrics in by_group.items():
        rows = []
        for one in metrics:
            measurement, constraint = one.outcome.measurement, one.outcome.constraint
            low, high = measurement.interval or (None, None)
            rows.append(
                (
                    one.code,
                    measurement.baseline,
                    measurement.value,
                    low,
                    high,
                    constraint.low,
                    constraint.high,
                    one.outcome.status.value,
                )
            )
        title = (titles or {}).get(text) or (f"Bias: {text}" if text else "All rows")
        found.append(
            Exhibit(
                f"bias:{text}" if text else "bias",
                "intervals",
                title,
                "Each metric in the baseline and now, with its interval and what is allowed. 0 is parity; for DI it is 1.",
                ("metric", "baseline", "current", "low", "high", "allowed low", "allowed high", "status"),
                tuple(rows),
                ("text", *(("number",) * 6), "text"),
            )
        )
    return tuple(found)
