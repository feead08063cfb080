"""Running: one execution, from the captures of its window to a report on disk. It touches no database.

What it writes before anybody knows of it harms nobody: the report's folder is named after its content, and counts only once
the transaction that ends the execution names it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from driftline.capture.target import target_of
from driftline.capture.window import window
from driftline.errors import DriftlineError, InputError, SourceError, printable
from driftline.files import digest as digest_of
from driftline.files import write_folder
from driftline.monitor.causes import incidents_of
from driftline.monitor.schedule import duration_us
from driftline.registry.executions import Finding
from driftline.registry.folders import folder_digest
from driftline.reports.outcome import Status
from driftline.reports.timeline_reading import estimates_of
from driftline.reports.wording import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from driftline.baselines.baseline import Baseline
    from driftline.baselines.protocol import AnyBaseline
    from driftline.monitor.kept import Keeper
    from driftline.registry.executions import Execution
    from driftline.reports.report import Report

    Progress = Callable[[int, int], None]

__all__ = ["Place", "Stopped", "report_folder", "run"]

_COPY = re.compile(r"(?:preprocessors/[0-9a-f]{64}\.py|models/[0-9a-f]{64}\.[a-z0-9]{1,10})")

MOST_MEASUREMENTS = 2000
_MOST_NOTES = 50
_PASSING = frozenset(("E-STORE", "E-BUSY", "E-MEMORY", "E-WRITE"))


class Stopped(Exception):  # noqa: N818
    """The run was stopped: by hand, by its time limit, or because its lease is lost."""


@dataclass(frozen=True)
class Place:
    """Where a workspace keeps what a run reads and writes.

    Attributes
    ----------
    root : str
        Folder or URL of the workspace.
    captures : str
        Folder or URL of the captures, where the endpoint has none of its own.
    keeper : Keeper
        Of kept profiles.
    """

    root: str
    captures: str
    keeper: Keeper

    def baseline(self, path: str, digest: str | None) -> AnyBaseline:
        """Read a baseline of the workspace, of whatever kind.

        Raises
        ------
        InputError
            ``E-BASELINE``, ``E-DIGEST`` where it is not what the registry knows.
        """
        files = self.files(path)
        if not files:
            raise InputError(
                "holds no baseline",
                code="E-BASELINE",
                file=self.shown(path),
                fix="restore it, or make a new one",
            )
        if digest is not None and folder_digest(files) != digest:
            raise InputError(
                "is not what was registered: its digest is another",
                code="E-DIGEST",
                file=self.shown(path),
                fix="restore it from a backup, or make a new baseline",
            )
        from driftline.baselines.kinds import baseline_of

        return baseline_of(files, file=self.shown(path))

    def files(self, path: str) -> dict[str, bytes]:
        """Return the files of a folder of the workspace by name."""
        target = target_of(self.root)
        names = [p for p in target.paths(path) if "/" not in p.removeprefix(path + "/")]
        return {name.rpartition("/")[2]: target.read(name).to_pybytes() for name in names}

    def write(self, path: str, files: Mapping[str, bytes]) -> None:
        """Write a folder of the workspace, whole."""
        if "://" not in self.root:
            write_folder(Path(self.root) / path, files)
            return
        target = target_of(self.root)
        for name, data in files.items():
            target.write(f"{path}/{name}", data)

    @contextmanager
    def script(self, path: str | None) -> Iterator[str | None]:
        """Give the file of a preprocessor or model: one of the workspace's own copies, which is checked, or another path.

        Raises
        ------
        InputError
            ``E-DIGEST`` where a copy is gone, or not what its name says.
        """
        if path is None or not _COPY.fullmatch(path):
            yield path
            return
        try:
            content = target_of(self.root).read(path).to_pybytes()
        except FileNotFoundError:
            content = b""
        if digest_of(content) != f"sha256:{Path(path).stem}":
            raise InputError(
                f"is not the {path.partition('s/')[0]} that was applied",
                code="E-DIGEST",
                file=self.shown(path),
                fix="apply the configuration again",
            )
        if "://" not in self.root:
            yield str(Path(self.root) / path)
            return
        with TemporaryDirectory(prefix="driftline-") as folder:
            copy = Path(folder) / Path(path).name
            copy.write_bytes(content)
            yield str(copy)

    @contextmanager
    def model(self, baseline: AnyBaseline) -> Iterator[dict[str, Any] | None]:
        """Give where the model of an attribution baseline is; None where its settings say it rightly, or there is none.

        Raises
        ------
        InputError
            As :meth:`script`.
        """
        told = getattr(baseline, "settings", {}).get("model") if baseline.recipe == "attribution" else None
        given = told.get("file") if isinstance(told, Mapping) else None
        with self.script(given) as file:
            if told is None or file is None:
                yield None
            elif file == given and "://" not in self.root:
                yield {**told, "file": str(Path(self.root) / file)}
            else:
                yield {**told, "file": file}

    def shown(self, path: str) -> str:
        """Return a path of the workspace for people."""
        return target_of(self.root).shown(path)


def report_folder(execution: Execution, digest: str) -> str:
    """Return where a report lies: by endpoint, schedule and the hour of its window's end, as SageMaker's reports do."""
    end = datetime.fromtimestamp(execution.window_end / 1e6, UTC)
    name = f"{end:%M}-r{execution.revision}-{digest.removeprefix('sha256:')[:12]}"
    return f"reports/{execution.endpoint}/{execution.schedule}/{end:%Y/%m/%d/%H}/{name}"


def run(
    execution: Execution,
    place: Place,
    baseline: AnyBaseline | None,
    *,
    captures: str | None = None,
    now: int,
    heartbeat: Callable[[], None] | None = None,
    threads: int | None = None,
) -> Finding:
    """Look at the window of an execution, and say what came of it. Errors of the data are findings, too.

    Parameters
    ----------
    execution : Execution
        With the configuration it was planned with.
    place : Place
    baseline : Baseline or None
        None where there is none: the run fails, saying so.
    captures : str, optional
        Folder or URL, where they are not the workspace's own.
    now : int
        Time of the run, microseconds; `freshness` is measured from it.
    heartbeat : callable, optional
        Called now and then; raises :class:`Stopped` to end the run.
    threads : int, optional

    Raises
    ------
    Stopped
    """
    try:
        return _run(
            execution, place, baseline, captures or place.captures, now, heartbeat or _nothing, threads
        )
    except Stopped:
        raise
    except DriftlineError as error:
        return Finding("Failed", str(error), error.code, passing=error.code in _PASSING)
    except MemoryError:
        return Finding("Failed", "the run needs more memory; use shorter windows", "E-MEMORY")
    except Exception as error:
        # One monitor's fault must not take the scheduler from all others; it is told, and the run has failed.
        import logging

        logging.getLogger("driftline.monitor").exception("execution %s failed", execution.id)
        return Finding("Failed", f"{type(error).__name__}: {printable(error, 300)}", "E-INTERNAL")


def _nothing() -> None:
    return


def _run(
    execution: Execution,
    place: Place,
    baseline: AnyBaseline | None,
    captures: str,
    now: int,
    heartbeat: Callable[[], None],
    threads: int | None,
) -> Finding:
    config = execution.config
    if baseline is None:
        raise InputError(
            f"there is no accepted baseline {execution.baseline!r}"
            if execution.baseline
            else "there is no baseline",
            code="E-NO-BASELINE",
            fix="accept one with `driftline baselines accept`",
        )
    if baseline.recipe != execution.kind:
        raise InputError(
            f"the baseline {execution.baseline!r} is of the kind {baseline.recipe}, the monitor {execution.kind}",
            code="E-KIND",
            fix=f"accept a baseline of the kind {execution.kind}",
        )
    heartbeat()
    looked = _look(execution, config, captures, place, baseline, now, heartbeat, threads)
    if looked is None or not looked.n_rows:
        shown = f"{_time(execution.window_start)} to {_time(execution.window_end)}"
        return Finding(
            "NoData",
            f"no data: nothing was captured of {execution.endpoint} from {shown}",
            result={"rows": {"captured": 0, "used": 0}},
        )
    report = looked.report
    files = report.files()
    heartbeat()
    digest = folder_digest(files)
    folder = report_folder(execution, digest)
    place.write(folder, files)
    return Finding(
        "CompletedWithViolations" if report.violations else "Completed",
        _message(report),
        input_digest=looked.input_digest,
        report=folder,
        report_digest=digest,
        result=_result(report, looked),
    )


@dataclass(frozen=True)
class _Looked:
    report: Report
    n_rows: int
    input_digest: str | None
    merged: int = 0
    folded: int = 0


def _look(
    execution: Execution,
    config: Mapping[str, Any],
    captures: str,
    place: Place,
    baseline: AnyBaseline,
    now: int,
    heartbeat: Callable[[], None],
    threads: int | None,
) -> _Looked | None:
    from driftline.monitor.captured import input_digest

    start, end = execution.window_start, execution.window_end
    variant = config.get("variant")
    is_labelled = config.get("inputs") == "labelled"
    label = f"{execution.endpoint}, {_time(start)} to {_time(end)}"
    moment = datetime.fromtimestamp(now / 1e6, UTC)
    try:
        digest = input_digest(captures, execution.endpoint, start, end, variant, labels=is_labelled)
    except SourceError as error:
        if error.code == "E-NO-STORE" and "://" not in captures:
            return None
        raise
    if digest is None:
        return None
    overrides = config.get("overrides") or None
    compat, by, preprocessor = config.get("compat"), config.get("by"), config.get("preprocessor")

    def progress(_done: int, _all: int) -> None:
        heartbeat()

    if baseline.recipe != "data-quality" and not preprocessor:
        return _judged_rows(
            execution,
            captures,
            place,
            baseline,
            digest,
            label,
            moment,
            progress,
            threads,
            is_labelled=is_labelled,
        )
    if compat or by or preprocessor:
        from driftline.monitor.kinds import check

        rows = _rows(execution, captures, variant, is_labelled=is_labelled, keep=() if by is None else (by,))
        if not rows.num_rows:
            return None
        with place.script(preprocessor) as script:
            report = check(
                rows,
                baseline,
                compat=compat,
                by=by,
                preprocessor=script,
                overrides=overrides,
                overrides_file=f"monitors.{execution.schedule}",
                progress=progress,
                label=label,
                threads=threads,
                now=moment,
            )
        return _Looked(report, rows.num_rows, digest)
    from driftline.monitor.job import judge_profile
    from driftline.monitor.kept import captured_profile, labelled_profile
    from driftline.monitor.overrides import read_overrides

    decided = read_overrides(overrides, file=f"monitors.{execution.schedule}")
    baseline = cast("Baseline", baseline)
    limits = None if baseline.profile is None else baseline.profile.limits
    keep = {*baseline.names, *decided.columns}
    if is_labelled:
        kept = labelled_profile(
            captures,
            execution.endpoint,
            start,
            end,
            variant=variant,
            delay=timedelta(microseconds=duration_us(str(config.get("delay") or "PT0S"))),
            limits=limits,
            keep=keep,
            threads=threads,
            progress=progress,
        )
    else:
        kept = captured_profile(
            captures,
            execution.endpoint,
            start,
            end,
            variant=variant,
            keeper=place.keeper,
            limits=limits,
            keep=keep,
            threads=threads,
            progress=progress,
        )
    if kept.profile is None or not kept.n_rows:
        return None
    report = judge_profile(
        kept.profile,
        baseline,
        decided,
        label=label,
        now=moment,
        notes=kept.notes,
        overrides_file=execution.schedule,
    )
    return _Looked(report, kept.n_rows, kept.segments_digest, kept.n_merged, kept.n_folded)


def _judged_rows(
    execution: Execution,
    captures: str,
    place: Place,
    baseline: AnyBaseline,
    digest: str,
    label: str,
    moment: datetime,
    progress: Progress,
    threads: int | None,
    *,
    is_labelled: bool,
) -> _Looked | None:
    """Hold the rows of the window to a baseline of another kind than data quality; they are read once."""
    from driftline.monitor.captured import captured_source
    from driftline.monitor.kinds import check

    config = execution.config
    start, end, variant = execution.window_start, execution.window_end, config.get("variant")
    keep = getattr(baseline, "names", ())
    if is_labelled:
        from driftline.capture.labelled import labelled
        from driftline.monitor.labels import labelled_source

        joined = labelled(captures, execution.endpoint, start, end, variant=variant)
        source = labelled_source(joined, keep=keep) if joined.window.segments else None
    else:
        source = captured_source(captures, execution.endpoint, start, end, variant=variant, keep=keep)
    if source is None:
        return None
    with place.model(baseline) as model:
        report = check(
            source,
            baseline,
            compat=config.get("compat"),
            overrides=config.get("overrides") or None,
            overrides_file=f"monitors.{execution.schedule}",
            model=model,
            label=label,
            threads=threads,
            progress=progress,
            now=moment,
        )
    return _Looked(report, report.current.n_rows, digest)


def _rows(
    execution: Execution, captures: str, variant: str | None, *, is_labelled: bool, keep: tuple[str, ...]
) -> Any:
    """Return the features of the window's rows as one table, for what needs the rows themselves."""
    from driftline.capture.stored import FACTS

    if is_labelled:
        from driftline.capture.labelled import labelled

        table = labelled(
            captures, execution.endpoint, execution.window_start, execution.window_end, variant=variant
        ).table()
    else:
        table = window(
            captures, execution.endpoint, execution.window_start, execution.window_end, variant=variant
        ).table()
    facts = (FACTS | {"_label_time"}) - set(keep)
    return table.select([name for name in table.column_names if name not in facts])


def _message(report: Report) -> str:
    counts = report.counts
    if counts["violated"]:
        told = plural(len(report.incidents), "incident")
        return f"{plural(counts['violated'], 'violation')} in {told}: {report.incidents[0].title}"
    if not report.judged_anything:
        return f"not enough data to judge: {plural(report.current.n_rows, 'row')}"
    if counts["undetermined"]:
        return f"no violations; {plural(counts['undetermined'], 'check')} could not be judged"
    return f"no violations: {plural(counts['passed'], 'check')} passed"


def _result(report: Report, looked: _Looked) -> dict[str, Any]:
    incidents = incidents_of(report)
    severities = {str(entry["severity"]) for entry in incidents}
    return {
        "counts": report.counts,
        "rows": {"captured": looked.n_rows, "used": report.current.n_rows},
        "judged": report.judged_anything,
        "violations": dict(Counter(str(one.constraint.severity) for one in report.violations)),
        "severity": "critical" if "critical" in severities else "warning" if severities else None,
        "incidents": incidents,
        "measurements": list(_measurements(report)),
        "profiles": {"merged": looked.merged, "folded": looked.folded},
        "notes": list(report.notes[:_MOST_NOTES]),
    }


def _measurements(report: Report) -> Iterator[dict[str, Any]]:
    """Give the numbers of the report, the violated first, for time lines and metrics."""
    order = {Status.VIOLATED: 0, Status.UNDETERMINED: 1, Status.PASSED: 2}
    has_metrics = report.recipe != "data-quality"
    estimates = estimates_of(report) if report.recipe == "model-quality" else {}
    told = [o for o in report.outcomes if has_metrics or o.segment is None]
    for outcome in sorted(told, key=lambda o: order[o.status])[:MOST_MEASUREMENTS]:
        rule, measurement = outcome.constraint, outcome.measurement
        more: dict[str, Any] = {}
        if has_metrics:
            more = {
                "interval": [_finite(end) for end in measurement.interval or ()] or None,
                "baseline": _finite(measurement.baseline),
                "low": _finite(rule.low),
                "high": _finite(rule.high),
                "n": measurement.n_current,
                "segment": outcome.segment,
            }
            if rule.column is None and outcome.segment is None and rule.check in estimates:
                more["estimated"] = estimates[rule.check]
        yield {
            "feature": rule.column if rule.column is not None else outcome.segment,
            "check": rule.check,
            "metric": measurement.name,
            "value": _finite(measurement.value),
            "bound": _finite(rule.bound),
            "status": outcome.status.value,
            "severity": str(rule.severity),
            **more,
        }


def _finite(value: object) -> float | None:
    import math

    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1e6, UTC).isoformat(timespec="minutes").replace("+00:00", "Z")


def captures_of(root: str | os.PathLike[str], configured: str | None) -> str:
    """Return where captures lie: as configured, relative to the workspace's root, or its folder ``captures``."""
    given = configured or "captures"
    if "://" in given or Path(given).is_absolute():
        return given
    base = str(root)
    return f"{base.rstrip('/')}/{given}" if "://" in base else str(Path(base) / given)
