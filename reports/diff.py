"""What changed between two reports: new violations, gone ones, and what can no longer be told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from driftline.baselines.metrics import METRICS, check_info
from driftline.documents import encode
from driftline.errors import printable
from driftline.reports import wording
from driftline.reports.codec import report_id
from driftline.reports.outcome import Outcome, Status
from driftline.reports.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from driftline.reports.report import Report

__all__ = ["SCHEMA", "Change", "ReportDiff", "diff_reports", "diff_to_json", "print_diff", "render_diff"]

SCHEMA: Final = "driftline.diff/v1"
"""Name and version of the document that :func:`diff_to_json` writes."""

MAX_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One constraint in two reports.

    Attributes
    ----------
    check : str
    column : str or None
        None for rules about the whole data set.
    segment : str or None
    before, after : Outcome or None
        None where that report does not judge the constraint.
    """

    check: str
    column: str | None
    segment: str | None
    before: Outcome | None
    after: Outcome | None

    @property
    def is_unchanged(self) -> bool:
        """Tell whether both reports say the same of the constraint."""
        if self.before is None or self.after is None:
            return False
        return self.before.status is self.after.status and self.effect == 0

    @property
    def effect(self) -> float | None:
        """How much the measured value grew from before to after; None where either has no number."""
        if self.before is None or self.after is None:
            return None
        old, new = self.before.measurement.value, self.after.measurement.value
        if old is None or new is None or not (math.isfinite(old) and math.isfinite(new)):
            return None
        return new - old


@dataclass(frozen=True, slots=True)
class ReportDiff:
    """What changed from one report to another.

    Attributes
    ----------
    before, after : str
        Names of the two reports' content, ``sha256:…``.
    before_label, after_label : str
        The data they are about, for people.
    newly_violated : tuple of Change
        Violated now and not before.
    resolved : tuple of Change
        Violated before and passed now.
    still_violated : tuple of Change
        Violated in both; ``Change.effect`` tells whether it got worse.
    newly_undetermined : tuple of Change
        Cannot be told now and could before, or was not judged before. A violation that can no longer be told
        is here: it is not resolved.
    no_longer_checked : tuple of Change
        Violated before and not judged at all now. Not resolved either.
    columns_before_only, columns_after_only : tuple of str
        Columns, groups or features judged or shown in one report only.
    warnings : tuple of str
        Why the two may not be comparable: another mode, baseline, recipe, pairing or error rate.
    recipe : str
        Of the newer report.
    """

    before: str
    after: str
    before_label: str
    after_label: str
    newly_violated: tuple[Change, ...]
    resolved: tuple[Change, ...]
    still_violated: tuple[Change, ...]
    newly_undetermined: tuple[Change, ...]
    no_longer_checked: tuple[Change, ...]
    columns_before_only: tuple[str, ...]
    columns_after_only: tuple[str, ...]
    warnings: tuple[str, ...]
    recipe: str = "data-quality"

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing came, went or became unknown; what stays may have changed in size."""
        return not (
            self.newly_violated
            or self.resolved
            or self.newly_undetermined
            or self.no_longer_checked
            or self.columns_before_only
            or self.columns_after_only
        )

    def to_json(self) -> str:
        """Write the comparison as JSON; see :func:`diff_to_json`."""
        return diff_to_json(self)


_Key = tuple[str, str | None, str | None, int]


def _keyed(report: Report) -> dict[_Key, Outcome]:
    # A recipe may judge one check of one column twice; the count keeps such twins apart.
    seen: dict[tuple[str, str | None, str | None], int] = {}
    result: dict[_Key, Outcome] = {}
    for outcome in report.outcomes:
        key = (outcome.constraint.check, outcome.constraint.column, outcome.segment)
        n = seen.get(key, 0)
        seen[key] = n + 1
        result[(*key, n)] = outcome
    return result


def diff_reports(before: Report, after: Report) -> ReportDiff:
    """Compare two reports constraint by constraint.

    Parameters
    ----------
    before, after : Report
        The older and the newer one. Constraints are paired by check, column and segment.

    Returns
    -------
    ReportDiff
        Changes in the order of `after`, then of what only `before` has.
    """
    old, new = _keyed(before), _keyed(after)
    changes = [Change(*key[:3], old.get(key), outcome) for key, outcome in new.items()]
    changes += [Change(*key[:3], outcome, None) for key, outcome in old.items() if key not in new]

    def where(now: set[Status | None], then: set[Status | None]) -> tuple[Change, ...]:
        return tuple(c for c in changes if _status(c.after) in now and _status(c.before) in then)

    others: set[Status | None] = {Status.PASSED, Status.UNDETERMINED, None}
    old_columns, new_columns = _columns(before), _columns(after)
    return ReportDiff(
        before=report_id(before),
        after=report_id(after),
        before_label=before.current.label,
        after_label=after.current.label,
        newly_violated=where({Status.VIOLATED}, others),
        resolved=where({Status.PASSED}, {Status.VIOLATED}),
        still_violated=where({Status.VIOLATED}, {Status.VIOLATED}),
        newly_undetermined=where({Status.UNDETERMINED}, {Status.PASSED, Status.VIOLATED, None}),
        no_longer_checked=where({None}, {Status.VIOLATED}),
        columns_before_only=tuple(c for c in old_columns if c not in new_columns),
        columns_after_only=tuple(c for c in new_columns if c not in old_columns),
        warnings=tuple(_warnings(before, after)),
        recipe=after.recipe,
    )


def _status(outcome: Outcome | None) -> Status | None:
    return None if outcome is None else outcome.status


def _columns(report: Report) -> dict[str, None]:
    judged = (o.constraint.column for o in report.outcomes)
    return dict.fromkeys(c for c in (*judged, *(view.name for view in report.columns)) if c is not None)


def _warnings(before: Report, after: Report) -> Iterator[str]:
    for what, old, new in (
        ("recipe", before.recipe, after.recipe),
        ("mode", before.mode, after.mode),
        ("pairing of columns", before.matching, after.matching),
        ("splitting column", before.segments or "none", after.segments or "none"),
        ("false discovery rate", f"{before.alpha:g}", f"{after.alpha:g}"),
    ):
        if old != new:
            yield f"The {what} differs: {printable(old, 60)} before, {printable(new, 60)} after."
    if before.baseline.digest != after.baseline.digest:
        yield (
            f"The baselines differ: {printable(before.baseline.label, 80)} before,"
            f" {printable(after.baseline.label, 80)} after; a changed outcome may come from the baseline."
        )


# -- as a document


def diff_to_json(diff: ReportDiff) -> str:
    """Write a comparison as JSON, schema ``driftline.diff/v1``.

    Returns
    -------
    str
        JSON with two spaces per level, ending in a new line. Each change names check, column and segment, and
        for both reports status, value, bound, q-value and reason (null where the report does not judge it); of
        metrics also the baseline's value, the interval and the allowed range.
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "before": {"report": diff.before, "label": diff.before_label},
        "after": {"report": diff.after, "label": diff.after_label},
        "warnings": diff.warnings,
    }
    for group, _ in _GROUPS:
        document[group] = [_change(change) for change in getattr(diff, group)]
    document["columns_before_only"] = diff.columns_before_only
    document["columns_after_only"] = diff.columns_after_only
    return encode(document, indent=2) + "\n"


def _change(change: Change) -> dict[str, Any]:
    return {
        "check": change.check,
        "column": change.column,
        "segment": change.segment,
        "effect": change.effect,
        "before": _side(change.before),
        "after": _side(change.after),
    }


def _side(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    constraint, measurement = outcome.constraint, outcome.measurement
    facts: dict[str, Any] = {
        "status": outcome.status.value,
        "value": spell(measurement.value),
        "bound": spell(constraint.bound),
        "q_value": outcome.q_value,
        "reason": outcome.reason,
    }
    if constraint.check in METRICS:
        ends = measurement.interval
        facts |= {
            "baseline": spell(measurement.baseline),
            "interval": None if ends is None else [spell(end) for end in ends],
            "low": spell(constraint.low),
            "high": spell(constraint.high),
        }
    return facts


# -- in a terminal

_GROUPS: Final = (
    ("newly_violated", "Newly violated"),
    ("still_violated", "Still violated"),
    ("resolved", "Resolved"),
    ("newly_undetermined", "Can no longer be judged"),
    ("no_longer_checked", "Violated before, not checked now"),
)
_STYLES: Final = {"newly_violated": "bold red", "still_violated": "red", "resolved": "green"}


def print_diff(diff: ReportDiff, file: IO[str] | None = None, *, console_width: int | None = None) -> None:
    """Print a comparison for people, as :func:`driftline.reports.terminal.print_report` prints a report."""
    from driftline.reports.terminal import print_to

    print_to(lambda _width: render_diff(diff), file, console_width=console_width)


def headline(diff: ReportDiff) -> str:
    """Say in one sentence what changed."""
    parts = [
        f"{len(getattr(diff, group)):,} {title[:1].lower()}{title[1:]}"
        for group, title in _GROUPS
        if getattr(diff, group)
    ]
    if diff.is_empty:
        n = len(diff.still_violated)
        return (
            f"Nothing came or went; {n:,} still violated."
            if n
            else "Nothing changed and nothing is violated."
        )
    gone, new = len(diff.columns_before_only), len(diff.columns_after_only)
    noun = wording.part(diff.recipe)
    parts += [f"{wording.plural(gone, noun)} gone"] if gone else []
    parts += [f"{wording.plural(new, noun)} new"] if new else []
    return ", ".join(parts) + "."


def render_diff(diff: ReportDiff) -> RenderableType:
    """Build what :func:`print_diff` prints."""
    from rich.console import Group
    from rich.text import Text

    lines: list[RenderableType] = [
        Text(headline(diff), style="bold"),
        Text(f"  before  {printable(diff.before_label, 120)}", style="dim"),
        Text(f"  after   {printable(diff.after_label, 120)}", style="dim"),
    ]
    lines += [Text(f"  warning: {printable(warning, 300)}", style="yellow") for warning in diff.warnings]
    for group, title in _GROUPS:
        changes: tuple[Change, ...] = getattr(diff, group)
        if changes:
            style = _STYLES.get(group, "bold yellow")
            lines.append(Text.assemble("\n", (title, style), (f"  {len(changes):,}", "dim")))
            lines.append(_changes(changes))
    nouns = f"{wording.part(diff.recipe).capitalize()}s"
    for title, columns in (
        (f"{nouns} only before", diff.columns_before_only),
        (f"{nouns} only after", diff.columns_after_only),
    ):
        if columns:
            names = wording.listing([wording.name(c, 60) for c in columns], MAX_LINES)
            lines += [Text.assemble("\n", (title, "bold"), f"\n  {names}")]
    return Group(*lines)


def _changes(changes: Sequence[Change]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="ellipsis", max_width=30, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    told = [change for change in changes if not change.is_unchanged]
    for change in told[:MAX_LINES]:
        table.add_row(
            Text(f"  {_label(change)}"), Text(wording.short_title(change.check)), Text(_story(change))
        )
    for left, what in ((len(told) - MAX_LINES, "more"), (len(changes) - len(told), "as before")):
        if left > 0:
            lead = "and " if told else ""
            table.add_row(Text(f"  {lead}{left:,} {what}", style="dim"), Text(), Text())
    return table


def _label(change: Change) -> str:
    outcome = change.after or change.before
    if change.check in METRICS and outcome is not None:
        return wording.scope(outcome, 60)
    label = wording.name(change.column if change.segment is None else change.column or change.segment, 60)
    if change.segment is not None and change.column is not None:
        label += f" [{wording.name(change.segment, 40)}]"
    return label


def _story(change: Change) -> str:
    before, after = _told(change.before), _told(change.after)
    limit = next(
        (wording.short_bound(o.constraint) for o in (change.after, change.before) if o is not None), ""
    )
    trend = ""
    if _status(change.before) is _status(change.after) is Status.VIOLATED and change.effect:
        trend = f", {_direction(change)}"
    return f"{before} → {after} ({limit}){trend}"


def _direction(change: Change) -> str:
    """Say whether a violation that stays got worse: shares break downwards, distances upwards, ranges on either side."""
    assert change.after is not None
    constraint, value = change.after.constraint, change.after.measurement.value
    if value is None or not change.effect:
        return "changed"
    bound = constraint.bound
    if constraint.check in METRICS:
        low, high = constraint.low, constraint.high
        if (
            low is None
            and high is None
            and bound is not None
            and check_info(constraint.check).worse == "either"
        ):
            low, high = -bound, bound
        if low is not None and value < low:
            bound = low
        elif high is not None and value > high:
            bound = high
    if bound is None:
        return "changed"
    return "worse" if (value > bound) == (change.effect > 0) else "better"


def _told(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not checked"
    if outcome.status is Status.UNDETERMINED:
        return "cannot be judged"
    return wording.value(outcome.measurement)
