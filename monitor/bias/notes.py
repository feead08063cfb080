"""Notes: what a reader must know to trust the numbers: who is missing, what was left out, what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.errors import printable
from driftline.monitor.bias import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from driftline.monitor.bias.counting import Counted
    from driftline.monitor.bias.frozen import Frozen
    from driftline.monitor.bias.numbers import Numbers
    from driftline.monitor.bias.settings import Settings

__all__ = ["baseline_notes", "window_notes"]


def _rows(n: int) -> str:
    return f"{n:,} {'row' if n == 1 else 'rows'}"


def _left_out(counted: Counted, frozen: Frozen, settings: Settings) -> Iterator[str]:
    """Say which rows lack what, and what follows."""
    first, n = counted.cells[0], counted.n_rows
    both = settings.label is not None and settings.has_predictions
    has = "has" if n == 1 else "have"
    if settings.label is not None and first.n_no_label:
        other = "count only where predictions alone are looked at" if both else "are left out"
        yield f"{first.n_no_label:,} of {_rows(n)} {has} no label and {other}"
    if settings.has_predictions and first.n_no_prediction:
        other = "count only where labels alone are looked at" if both else "are left out"
        yield f"{first.n_no_prediction:,} of {_rows(n)} {has} no prediction and {other}"
    for axis, cells in zip(frozen.axes, counted.cells, strict=True):
        if cells.n_no_facet:
            facet = printable(axis.facet, 80)
            yield f"{cells.n_no_facet:,} of {_rows(n)} {has} no value of {facet} and are left out of its metrics"
    grouped = {"CDDL", "CDDPL"}.intersection(settings.codes)
    if frozen.group is not None and grouped and first.n_no_group:
        column, codes = printable(frozen.group.column, 80), " and ".join(sorted(grouped))
        yield f"{first.n_no_group:,} of {_rows(n)} {has} no value of {column} and are left out of {codes}"
    if counted.samples:
        whole = sum(sample.n_rows for sample in counted.samples[0].values())
        if whole + first.n_no_facet < n:
            yield f"the flip test compares {whole:,} of {_rows(n)}: the others lack a feature or a prediction"


def baseline_notes(
    counted: Counted, frozen: Frozen, settings: Settings, not_numeric: tuple[str, ...]
) -> list[str]:
    """Say what the baseline left out, and how columns were read."""
    notes = [f"in the baseline, {note}" for note in _left_out(counted, frozen, settings)]
    every = [rule for axis in frozen.axes for rules in axis.rules for rule in rules]
    notes += dict.fromkeys(rule.note for rule in (frozen.label, *every) if rule is not None and rule.note)
    if not_numeric and "FT" in settings.codes:
        shown = ", ".join(printable(name, 40) for name in not_numeric[:5]) + (
            ", …" if len(not_numeric) > 5 else ""
        )
        notes.append(f"the flip test looks at numeric columns only; left out: {shown}")
    for axis in frozen.axes:
        for rules, known in zip(axis.rules, axis.known, strict=True):
            if len(rules) >= settings.max_values and len(known) > len(rules):
                facet = printable(axis.facet, 80)
                notes.append(
                    f"{facet} has {len(known):,} values; the {len(rules):,} most frequent ones are looked at"
                )
    return notes


def window_notes(
    counted: Counted, now: Numbers, before: Numbers, frozen: Frozen, settings: Settings
) -> list[str]:
    """Say who is missing from the current data, what is new in it, and what was left out; the gravest first."""
    notes = []
    for axis in frozen.axes:
        for group in axis.groups:
            n = _size(now.tables.get(group.text))
            had = before.tables.get(group.text)
            if counted.n_rows and n == 0:
                notes.append(words.absent(group, None if had is None else _size(had)))
    positive = set() if frozen.label is None else {"label"}
    for name, values in counted.strangers.items():
        shown = ", ".join(f"{printable(word, 40)!r} ({count:,})" for word, count in list(values.items())[:5])
        more = ", …" if len(values) > 5 else ""
        is_label = positive and frozen.label is not None and name == frozen.label.column
        meaning = "they count as not positive" if is_label else "they belong to no group that is looked at"
        notes.append(
            f"{printable(name, 80)} has values that the baseline did not have: {shown}{more}; {meaning}"
        )
    notes += _left_out(counted, frozen, settings)
    kept = max(
        (sample.hashes.shape[0] for samples in counted.samples for sample in samples.values()), default=0
    )
    if kept >= settings.flip_rows:
        notes.append(
            f"the flip test compares at most {settings.flip_rows:,} rows of each side, chosen by a hash of what they hold, "
            "so that neither chance nor order decides which"
        )
    return notes


def _size(table: NDArray[np.int64] | None) -> int:
    return 0 if table is None else int(table[1].sum())
