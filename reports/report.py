"""Report: outcomes and provenance, complete enough to be read alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftline.reports.outcome import Outcome, Place, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from driftline.reports.exhibit import Exhibit

__all__ = ["ColumnView", "Incident", "Report", "Side"]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: what was read.

    Attributes
    ----------
    label : str
        A name for people, such as the file or folder.
    n_rows, n_columns : int
    digest : str
        ``sha256:…`` of the profile that was made of it.
    sources : tuple of str
        The files or objects read, in order.
    created : str or None
        ISO 8601 time at which the profile was made, UTC.
    """

    label: str
    n_rows: int
    n_columns: int
    digest: str
    sources: tuple[str, ...] = ()
    created: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnView:
    """Both sides of one column, small enough to draw.

    Attributes
    ----------
    name : str
    kind : str
        ``number``, ``text``, ``boolean``, ``time`` or ``other``.
    inferred_type : str
        SageMaker's word.
    edges : tuple of float
        Bin edges of the histograms, one more than the counts; empty where there is none.
    baseline_counts, current_counts : tuple of float
        Counts per bin (numbers, times) or per label (text, booleans).
    labels : tuple of str
        Category labels; the last may be ``…`` for all others.
    baseline_summary, current_summary : mapping of str to float, str or None
        n_rows, n_missing, mean, std_dev, min, q25, median, q75, max, n_distinct and the like.
    segment : str or None
    """

    name: str
    kind: str
    inferred_type: str
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    baseline_counts: tuple[float, ...] = ()
    current_counts: tuple[float, ...] = ()
    baseline_summary: Mapping[str, float | str | None] = field(default_factory=dict)
    current_summary: Mapping[str, float | str | None] = field(default_factory=dict)
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Violations that have one cause, told as one.

    Attributes
    ----------
    kind : str
        ``rows`` (the same rows break many columns), ``columns`` (columns came or went), ``drift`` or
        ``column`` (one column, or several that fail the same checks for the same reason).
    title : str
        One line: what happened.
    detail : str
        One or two sentences for somebody who has to act.
    outcomes : tuple of int
        Positions in ``Report.outcomes``.
    columns : tuple of str
    where : tuple of Place
        The rows, where the incident has rows.
    severity : str
    """

    kind: str
    title: str
    detail: str
    outcomes: tuple[int, ...]
    columns: tuple[str, ...]
    where: tuple[Place, ...] = ()
    severity: str = "warning"


@dataclass(frozen=True)
class Report:
    """What was compared with what, and what came of it.

    Attributes
    ----------
    recipe : str
        ``data-quality``, ``model-quality``, ``bias`` or ``attribution``.
    mode : str
        ``default`` or ``sagemaker``.
    matching : str
        ``name`` or ``position``: how columns were paired.
    baseline, current : Side
    alpha : float
        False discovery rate of the run.
    n_tests : int
        Number of p-values that were corrected together.
    outcomes : tuple of Outcome
    incidents : tuple of Incident
        Every violated outcome belongs to exactly one.
    columns : tuple of ColumnView
    notes : tuple of str
        What a reader must know to trust the numbers.
    compat_differences : tuple of str
        Where the other mode would have answered differently.
    created : str
        ISO 8601, UTC.
    versions : mapping of str to str
        driftline, Python and the libraries that computed.
    segments : str or None
        The column by which rows were split.
    exhibits : tuple of Exhibit
        Tables, matrices and curves, in the order in which they are to be read.
    companions : mapping of str to callable
        Documents that :meth:`save` writes beside the report, by file name: the statistics of the current
        data, say. Not part of the report; empty for one that was read from a file.
    """

    recipe: str
    mode: str
    matching: str
    baseline: Side
    current: Side
    alpha: float
    n_tests: int
    outcomes: tuple[Outcome, ...]
    incidents: tuple[Incident, ...]
    columns: tuple[ColumnView, ...]
    created: str
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()
    compat_differences: tuple[str, ...] = ()
    segments: str | None = None
    exhibits: tuple[Exhibit, ...] = ()
    companions: Mapping[str, Callable[[], bytes]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def violations(self) -> tuple[Outcome, ...]:
        """The violated outcomes."""
        return tuple(o for o in self.outcomes if o.status is Status.VIOLATED)

    @property
    def undetermined(self) -> tuple[Outcome, ...]:
        """The outcomes that nobody can tell."""
        return tuple(o for o in self.outcomes if o.status is Status.UNDETERMINED)

    @property
    def counts(self) -> dict[str, int]:
        """How many outcomes have each status."""
        return {status.value: sum(o.status is status for o in self.outcomes) for status in Status}

    @property
    def status(self) -> Status:
        """Violated if anything is, else undetermined if anything is, else passed.

        A report without a single outcome, or of data without a single row, is undetermined: nothing was looked at.
        """
        counts = self.counts
        if counts["violated"]:
            return Status.VIOLATED
        if counts["undetermined"] or not counts["passed"] or not self.current.n_rows:
            return Status.UNDETERMINED
        return Status.PASSED

    @property
    def judged_anything(self) -> bool:
        """Tell whether the report says anything about the data.

        False where all that could be told is that the columns are there.
        """
        if self.violations:
            return True
        passed = {o.constraint.check for o in self.outcomes if o.status is Status.PASSED}
        looked = passed if not self.undetermined else passed - {"missing_column", "extra_column"}
        return bool(looked) and self.current.n_rows > 0

    def to_json(self) -> str:
        """Write the report as a JSON document; see :func:`driftline.reports.codec.to_json`."""
        from driftline.reports.codec import to_json

        return to_json(self)

    def to_html(self) -> str:
        """Render the report as one self-contained page; see :func:`driftline.reports.html.to_html`."""
        from driftline.reports.html import to_html

        return to_html(self)

    def files(self) -> dict[str, bytes]:
        """Return every document of the report by file name, ``report.json`` last."""
        from driftline.reports.violations import violations_json

        result = {name: make() for name, make in self.companions.items()}
        result["constraint_violations.json"] = violations_json(self).encode("utf-8", "surrogatepass")
        result["report.html"] = self.to_html().encode("utf-8", "surrogatepass")
        result["report.json"] = self.to_json().encode("utf-8", "surrogatepass")
        return result

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the report into a folder: JSON, HTML, violations, and its companions.

        Raises
        ------
        UsageError
            If the folder cannot be written, or holds a baseline; no file is left half-written then.
        """
        from driftline.baselines.folder import refuse_baseline
        from driftline.files import write_folder

        refuse_baseline(folder)
        write_folder(folder, self.files())

    def _repr_html_(self) -> str:
        from driftline.reports.notebook import repr_html

        return repr_html(self)

    def __repr__(self) -> str:
        counts = self.counts
        told = ", ".join(f"{counts[status.value]:,} {status.value}" for status in Status)
        return f"<Report {self.recipe}: {self.status.value} ({told}; incidents: {len(self.incidents):,})>"
