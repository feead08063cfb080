"""R6, damage: every byte of every kind of file is changed, files are cut at every length, filled with zeros, swapped."""

from __future__ import annotations

import os
import random
import shutil
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftline.capture import upkeep, wal
from driftline.capture.archive import Archive
from driftline.capture.captures import stats_of
from driftline.capture.event import Event
from driftline.errors import DriftlineError
from exam import forks
from exam.judge import Seen, event, number_of, odd, opened, read
from exam.kills import place
from exam.verdict import Effort, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["damage"]

_SEALED, _ASIDE, _WAITING = range(8), range(100, 102), range(200, 206)
_ZEROS = 512


def damage(effort: Effort) -> list[Verdict]:
    """Damage a small store in every way, open it and see whether it is noticed or made good."""
    verdicts = {
        "log": Verdict("W9", "a log is damaged", ""),
        "segment": Verdict("O11", "a segment is damaged, or another put in its place", ""),
        "quarantine": Verdict("R6 quarantine", "a file of the quarantine is damaged", ""),
        "manifest": Verdict("R6 manifest", "the manifest is damaged", ""),
        "swap": Verdict(
            "R6 files",
            "files swapped, removed, or an older one put back",
            "drawn by chance from all there are",
        ),
    }
    how = "one bit of a byte, cut at a length, or 512 B of zeros; drawn by chance from all there are"
    dice = random.Random(effort.seed)
    with place(in_memory=True) as folder:
        good = _made(folder / "good")
        expected = _opened(good, folder / "work")
        if not expected.is_as(expected) or expected.found:
            raise AssertionError(f"the undamaged store is not in order: {expected}")
        cases: list[tuple[str, _Case]] = []
        for kind, name in good.kinds():
            data = good.files[name]
            made = list(_damaged(data, dice, at_most=3000 if kind == "manifest" else len(data)))
            ends = _ends(data) if kind == "log" else set()
            cases += [
                (
                    kind,
                    _Case(
                        {name: new}, f"{what} of {name}", spared, what.startswith("cut") and len(new) in ends
                    ),
                )
                for what, new, spared in made
            ]
            verdicts[kind].how = how if kind != "manifest" else "likewise, of 3,000 bytes, and at each 512th"
        cases += [("swap", case) for case in good.swaps()]
        dice.shuffle(cases)
        for number in effort.each():
            if number >= len(cases):
                break
            kind, case = cases[number]
            _judge(verdicts[kind], good, case, expected, folder / "work")
    for kind, verdict in verdicts.items():
        verdict.notes["cases there are"] = sum(kind == other for other, _ in cases)
    return list(verdicts.values())


@dataclass(slots=True)
class _Case:
    """Files with other content, or None where they are removed; and what of a log is untouched."""

    files: Mapping[str, bytes | None]
    what: str
    spared: range | None = None
    is_between: bool = False


@dataclass(slots=True)
class _Found:
    """What opening a store gave: the events that can be read, and what was reported."""

    numbers: set[int] = field(default_factory=set)
    aside: set[int] = field(default_factory=set)
    wrong: int = 0
    twice: int = 0
    found: list[str] = field(default_factory=list)
    raised: str = ""

    def is_as(self, other: _Found) -> bool:
        return (self.numbers, self.aside, self.wrong, self.twice) == (other.numbers, other.aside, 0, 0)


@dataclass(slots=True)
class _Good:
    """A store in order, as files; and its segment as it was before."""

    files: dict[str, bytes]
    older: dict[str, bytes]

    def kinds(self) -> Iterator[tuple[str, str]]:
        for name in sorted(self.files):
            if name.endswith(".parquet"):
                yield "segment", name
            elif "/log/" in name:
                yield "log", name
            elif "/quarantine/" in name:
                yield "quarantine", name
            elif name.endswith("manifest.db"):
                yield "manifest", name

    def swaps(self) -> Iterator[_Case]:
        names = [name for _, name in self.kinds()]
        for i, a in enumerate(names):
            yield _Case({a: None}, f"{a} removed", is_between="/log/" in a)
            for b in names[i + 1 :]:
                yield _Case({a: self.files[b], b: self.files[a]}, f"{a} and {b} swapped")
        for name, data in self.older.items():
            if self.files.get(name) not in (None, data):
                yield _Case({name: data}, f"older {name}")


def _made(folder: Path) -> _Good:
    def act() -> None:
        captures = opened(folder)
        captures.write([event(n) for n in _SEALED[:4]])
        captures.seal()
        captures.write([event(n) for n in _SEALED[4:]])
        captures.write([odd(n) for n in _ASIDE])
        captures.seal()
        shutil.copytree(folder, folder.with_name("older"))
        # The waiting log is that of a writer that was killed.
        for n in _WAITING:
            captures.write([event(n)])
        os._exit(0)

    forks.wait(forks.start(act))
    return _Good(_read_all(folder), _read_all(folder.with_name("older")))


def _read_all(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def _damaged(data: bytes, dice: random.Random, *, at_most: int) -> Iterator[tuple[str, bytes, range | None]]:
    """Change, cut and blank; tell what is not touched."""
    places = range(len(data)) if at_most >= len(data) else sorted(dice.sample(range(len(data)), at_most))
    for at in places:
        changed = bytearray(data)
        changed[at] ^= 1 << dice.randrange(8)
        yield f"byte {at}", bytes(changed), range(at, at + 1)
    step = 1 if len(data) <= 20_000 else 512
    for size in range(0, len(data), step):
        yield f"cut at {size}", data[:size], range(size, len(data))
    for at in range(0, len(data), max(64, step)):
        stop = min(len(data), at + _ZEROS)
        if any(data[at:stop]):
            yield f"zeros at {at}", data[:at] + bytes(stop - at) + data[stop:], range(at, stop)


def _opened(good: _Good, folder: Path, files: Mapping[str, bytes | None] | None = None) -> _Found:
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in {**good.files, **(files or {})}.items():
        if data is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    out = _Found()
    seen = Seen()
    try:
        archive = Archive(folder)
        try:
            archive.seal_logs()
        except DriftlineError as error:
            out.found.append(str(error))
        out.found += [f.message for f in upkeep.check(archive) if f.is_damage]
        stats = stats_of(archive)
        if stats.damaged_bytes or stats.damaged_records or getattr(stats, "torn_bytes", 0) or stats.balance:
            out.found.append("counts")
        out.aside = {number_of(e.id) for e, _, _ in upkeep.quarantined(archive)}
    except DriftlineError as error:
        out.found.append(str(error))
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        out.raised = f"{type(error).__name__}: {error}"
    try:
        read(folder, seen)
    except DriftlineError as error:
        out.found.append(str(error))
    except Exception as error:  # noqa: BLE001
        out.raised = f"{type(error).__name__}: {error}"
    out.numbers, out.wrong, out.twice = set(seen.numbers), len(seen.wrong), seen.twice
    return out


def _judge(verdict: Verdict, good: _Good, case: _Case, expected: _Found, work: Path) -> None:
    verdict.times += 1
    after = _opened(good, work, case.files)
    verdict.wrong("failed", int(bool(after.raised)), f"{case.what}: {after.raised}")
    verdict.wrong("duplicates", after.twice, case.what)
    if after.is_as(expected):
        verdict.notes["made good or without effect"] += 1
    elif after.found or after.raised:
        verdict.notes["reported"] += 1
    elif case.is_between:
        verdict.notes["logs removed, or cut between two records: not to be told from a killed writer"] += 1
    else:
        missing = sorted((expected.numbers | expected.aside) - after.numbers - after.aside)
        verdict.wrong("silent", 1, f"{case.what}: {missing} missing, {after.wrong} wrong")
    name = next(iter(case.files))
    if case.spared is not None and "/log/" in name:
        spared = set(_untouched(good.files[name], case.spared))
        verdict.acknowledged += len(spared)
        lost = sorted(spared - after.numbers)
        verdict.wrong("lost", len(lost), f"{case.what}: {lost}")


def _ends(data: bytes) -> set[int]:
    """Find where a frame of a log ends, and where the first begins."""
    head, at, found = struct.Struct("<4sII"), 0, {0}
    while at < len(data):
        at += head.size + head.unpack_from(data, at)[1]
        found.add(at)
    return found


def _untouched(data: bytes, touched: range) -> Iterator[int]:
    """Number the events of a log whose frames were not touched."""
    head = struct.Struct("<4sII")
    at = 0
    while at < len(data):
        _, size, _ = head.unpack_from(data, at)
        end = at + head.size + size
        if end <= touched.start or at >= touched.stop:
            for payload in wal.read_log(data[at:end]).payloads:
                yield number_of(Event.unpack(payload[1:]).id)
        at = end
