"""R3 and R4 on one real run: each system call that touches the workspace fails, or is the last; a full disk."""

from __future__ import annotations

import contextlib
import functools
import logging
import random
import shutil
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from exam import forks
from exam.calls import _trace
from exam.full import small_disk

from driftline.capture.target import target_of
from driftline.registry import executions, fsck, outbox
from driftline.registry.folders import stored_digest
from loop import site
from loop.verdict import Verdict
from loop.world import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exam.verdict import Effort

__all__ = ["full", "traced"]

TRACED = (
    *("openat", "write", "pwrite64", "pread64", "fsync", "fdatasync"),
    *("ftruncate", "rename", "unlink", "mkdir", "getdents64"),
)
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
_ENDINGS = ("execution.completed", "execution.violated", "execution.no_data")


def _run(root: Path) -> list[Any]:
    made = site.monitor_run(root)
    return [made.status, made.report, made.report_digest]


def _may_fail(root: Path) -> None:
    """Run once; what is documented may come of it, or nothing at all."""
    from driftline.errors import DriftlineError

    logging.disable(logging.CRITICAL)
    with contextlib.suppress(DriftlineError):
        site.monitor_run(root)


def _again(root: Path) -> list[Any]:
    """Check, take up what was begun, see what there is, and check again."""
    found = []
    with site.opened(root) as ws:
        found += [f"fsck: {f.where} {f.what}" for f in fsck.fsck(ws.registry) if f.severity == "error"]
        found += _visible(root)
    # The report is dated by its run: at the same instant it must be the same.
    with site.opened(root) as ws:
        with ws.registry.read() as tx:
            mine = executions.history(tx, schedule="q")
        if any(e.status not in ("Completed", "CompletedWithViolations") for e in mine[:1]) or not mine:
            worker = site.scheduler(ws)
            end = time.monotonic() + 20
            if not mine or mine[0].status == "Failed":
                made = site.monitor_run(root)
            else:
                made = mine[0]
                while time.monotonic() < end and not made.has_ended:
                    # Whoever had it is dead: its lease runs out.
                    made = worker.run_now(made.id)
                    time.sleep(0.02)
        found += [f"fsck: {f.where} {f.what}" for f in fsck.fsck(ws.registry) if f.severity == "error"]
        with ws.registry.read() as tx:
            mine = executions.history(tx, schedule="q")
            told = Counter(e.short for e in outbox.read_events(tx, limit=10_000))
            alerts = tx.execute(sa.text("SELECT count(*) FROM alerts")).scalar_one()
    finished = [e for e in mine if e.status in executions.FINISHED]
    ended = sum(told[name] for name in _ENDINGS)
    if len(finished) != 1 or ended != 1:
        shown = [(e.status, e.message) for e in mine]
        found.append(f"{len(finished)} runs have finished, {ended} times told: {shown}")
    if alerts != 1 or told["alert.opened"] != 1:
        found.append(f"{alerts} alerts, opened {told['alert.opened']} times")
    found += _visible(root)
    digest = finished[0].report_digest if finished else None
    failed = [f"failed with {e.error_code}" for e in mine if e.status == "Failed"]
    return [found, digest, failed, len(list((root / "reports").rglob("report.json")))]


def _visible(root: Path) -> Iterator[str]:
    """Look at every report that lies there, known or not: its name tells what its digest is."""
    for path in sorted((root / "reports").rglob("*-r*-*")):
        if not path.is_dir() or path.name.startswith("."):
            continue
        there = stored_digest(target_of(str(root)), str(path.relative_to(root)))
        if there is None or there.removeprefix("sha256:")[:12] != path.name.rpartition("-")[2]:
            yield f"{path.name} is not whole"


def _judged(verdict: Verdict, root: Path, digest: str, what: str) -> None:
    verdict.tries += 1
    try:
        found, there, failed, reports = forks.answer(lambda: _again(root), 60)
    except forks.ChildError as error:
        verdict.wrong(f"{what}: {error}")
        return
    if there != digest:
        found.append(f"the report is {there}, undisturbed {digest}")
    verdict.notes.update(failed)
    verdict.notes["reports that nobody names"] += reports - 1
    if found:
        verdict.wrong(f"{what}: {'; '.join(found)}")


@contextlib.contextmanager
def _template() -> Iterator[tuple[Path, Path, str]]:
    """Give a workspace to be copied, where to, and the digest of the report when nothing disturbs the run."""
    with place() as folder:
        first, here = folder / "first", folder / "here"
        forks.answer(lambda: site.fill(first))
        shutil.copytree(first, here)
        _, _, digest = forks.answer(lambda: _run(here))
        yield first, here, digest


def _fresh(first: Path, here: Path) -> None:
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(first, here)


def traced(effort: Effort) -> list[Verdict]:
    """Let each system call of a run that touches the workspace fail once, or be its last."""
    strace = shutil.which("strace")
    if strace is None:
        return []
    rows = {
        fault: Verdict(
            f"N1 {fault.partition('=')[2]}",
            "one report, one effect, one alert, and a sound registry, once the run was repeated",
            f"one real run under strace; each call that touches the workspace: {how}",
        )
        for fault, how in zip(
            FAULTS, ("fails with EIO", "fails with ENOSPC", "SIGKILL before it"), strict=True
        )
    }
    with _template() as (first, here, digest):
        _fresh(first, here)
        cases = [(call, at, fault) for call, at in _touching(strace, here) for fault in FAULTS]
        for fault, verdict in rows.items():
            verdict.notes["cases there are"] = sum(case[2] == fault for case in cases)
        random.Random(effort.seed).shuffle(cases)
        for number in effort.each():
            if number >= len(cases):
                break
            call, at, fault = cases[number]
            _fresh(first, here)
            words = ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={at}"]
            code = _trace(strace, words, functools.partial(_may_fail, here))
            what, verdict = f"{call} {at} {fault}", rows[fault]
            if code not in ((0, -9) if fault == "signal=KILL" else (0,)):
                verdict.wrong(f"{what}: {'hung' if code is None else f'ended with {code}'}")
            _judged(verdict, here, digest, what)
    return list(rows.values())


def _touching(strace: str, root: Path) -> list[tuple[str, int]]:
    """Run once, and return which calls touch the workspace: the name, and how many of its kind its thread had made."""
    log = root.parent / "log"
    # Once before, so that nothing is loaded or compiled in between.
    _trace(
        strace, ["-y", "-o", str(log), "-e", f"trace={','.join(TRACED)}"], functools.partial(_may_fail, root)
    )
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], None] = {}
    for line in log.read_text(errors="replace").splitlines():
        pid, _, rest = line.partition(" ")
        name = rest.strip().partition("(")[0]
        if name in TRACED:
            counts[pid, name] += 1
            if str(root) in rest:
                found[name, counts[pid, name]] = None
    return sorted(found)


def full(effort: Effort) -> list[Verdict]:
    """N9: the disk that the workspace lies on is full when the report is written."""
    verdict = Verdict(
        "N9",
        "with the disk full nothing partial is to be seen; with room again the run is done",
        "tmpfs of 8 MiB with 0 to 160 KiB left",
    )
    with place() as folder:
        first = folder / "first"
        forks.answer(lambda: site.fill(first))
        with small_disk("8m") as disk:
            if disk is None:
                return []
            here = disk / "here"
            shutil.copytree(first, here)
            _, _, digest = forks.answer(lambda: _run(here))
            for number in effort.each():
                _fresh(first, here)
                left = random.Random(effort.seed * 1000 + number).randrange(0, 40) * 4096
                filler = disk / "filler"
                free = shutil.disk_usage(disk).free
                subprocess.run(["fallocate", "-l", str(max(free - left, 4096)), str(filler)], check=True)
                code = forks.wait(forks.start(lambda: _may_fail(here)), 60)
                filler.unlink()
                what = f"{left >> 10} KiB left"
                verdict.check(code == 0, f"{what}: ended with {code}")
                _judged(verdict, here, digest, what)
    return [verdict]
