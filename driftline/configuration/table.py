"""A table of the file: typed reads that note what is wrong and go on."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from posixpath import normpath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from driftline.capture.event import check_name
from driftline.configuration.duration import LONGEST, format_duration, parse_duration
from driftline.documents import nearest
from driftline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from driftline.configuration.problem import Problems

    Path = tuple[str | int, ...]

__all__ = ["Table"]

MAX_TEXT = 2000
MAX_TAGS = 50
MAX_ITEMS = 1000

_NONE: Final = timedelta(0)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_SECRET = re.compile(r"(?i)(.*_)?(secret|password|passwd|token|api_?key|credentials?|private_key)")

# What a SageMaker notebook calls the same thing.
_FORMERLY: Final = {
    "data_analysis_end_time": "end_offset",
    "data_analysis_start_time": "start_offset",
    "baseline_dataset": "data",
    "data_points_to_alert": "datapoints_to_alert",
    "dataset": "data",
    "destination_s3_uri": "captures",
    "enable_cloudwatch_metrics": "emit_metrics",
    "end_time_offset": "end_offset",
    "endpoint_input": "endpoint",
    "endpoint_name": "endpoint",
    "max_runtime_in_seconds": "max_runtime",
    "record_preprocessor_script": "preprocessor",
    "schedule_cron_expression": "schedule",
    "schedule_expression": "schedule",
    "start_time_offset": "start_offset",
}


class Table:
    """A table at a place of the file.

    Every read returns something of the right type; where the value cannot be used, the problem is noted and
    what is returned does not matter.

    Parameters
    ----------
    values : dict
    path : tuple of str and int
    problems : Problems
    """

    __slots__ = ("path", "problems", "values")

    def __init__(self, values: dict[str, Any], path: Path, problems: Problems) -> None:
        self.values = values
        self.path = path
        self.problems = problems

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def add(self, key: str | None, message: str, fix: str | None = None, *, code: str = "E-CONFIG") -> None:
        """Note a problem of this table, or of a key in it."""
        self.problems.add(self.path if key is None else (*self.path, key), message, fix, code=code)

    def known(self, *keys: str) -> Table:
        """Refuse every other key, naming the nearest of these."""
        for key in self.values:
            if key in keys:
                continue
            lower = key.lower().replace("-", "_")
            close = _FORMERLY.get(lower)
            close = close if close in keys else nearest(key, keys)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(keys)
            if _SECRET.fullmatch(lower):
                named = [k for k in keys if k.startswith("secret_")] or [
                    k for k in keys if k.endswith("_env")
                ]
                fix = "secrets never stand in this file" + (f": use {' or '.join(named)}" if named else "")
            self.add(key, f"unknown key {printable(repr(key), 80)}", fix)
        return self

    def _wrong(self, key: str, expected: str, fix: str | None = None) -> None:
        self.add(key, f"expected {expected}, found {_kind(self.values[key])}", fix)

    def missing(self, key: str, fix: str | None = None) -> None:
        """Note that a key is required and not there."""
        self.add(key, "this key is required and missing", fix)

    def text(self, key: str, *, limit: int = MAX_TEXT, fix: str | None = None) -> str | None:
        """Return the text at `key`, or None where there is none."""
        if key not in self.values:
            return None
        value = self.values[key]
        if not isinstance(value, str):
            self._wrong(key, "text", fix or f'put it in quotes: {key} = "…"')
            return None
        if not value.strip():
            self.add(key, "the text is empty", fix or "leave the key out, or say something")
            return None
        if len(value) > limit:
            self.add(
                key,
                f"the text has {len(value):,} characters, more than the limit of {limit:,}",
                fix or "shorten it",
            )
            return None
        return value

    def required(self, key: str, *, fix: str | None = None) -> str:
        """Return the text at `key`, which must be there; "" where it cannot be used."""
        if key not in self.values:
            self.missing(key, fix)
            return ""
        return self.text(key, fix=fix) or ""

    def choice(self, key: str, options: Collection[str], default: str) -> str:
        """Return the text at `key`, one of `options`."""
        value = self.text(key, fix=f"use one of {', '.join(options)}")
        if value is None:
            return default
        if value not in options:
            close = nearest(value, options)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(options)
            self.add(key, f"unknown value {printable(repr(value), 80)}", fix)
            return default
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """Return the boolean at `key`."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            self._wrong(key, "true or false", "write true or false, without quotes")
            return default
        return value

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return the whole number at `key`, within ``[low, high]``."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(key, "a whole number", f"write a number from {low:,} to {high:,}, without quotes")
            return default
        if not low <= value <= high:
            found = f"{value:,}" if abs(value) < 10**18 else "a much larger one"
            self.add(key, f"expected a number from {low:,} to {high:,}, found {found}", "choose one between")
            return default
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """Return the number at `key`, within ``[low, high]``."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._wrong(key, "a number", f"write a number from {low:g} to {high:g}, without quotes")
            return default
        if not low <= value <= high:  # NaN too
            self.add(
                key,
                f"expected a number from {low:g} to {high:g}, found {_number(value)}",
                "choose one between",
            )
            return default
        return float(value)

    def duration(
        self, key: str, default: timedelta = _NONE, *, low: timedelta = _NONE, high: timedelta = LONGEST
    ) -> timedelta:
        """Return the duration at `key`, within ``[low, high]``."""
        if key not in self.values:
            return default
        example = 'write it like "PT30M" or "30m"'
        value = self.values[key]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.add(key, "the number has no unit", example)
            return default
        text = self.text(key, fix=example)
        if text is None:
            return default
        try:
            found = parse_duration(text)
        except UsageError as error:
            self.problems.take((*self.path, key), error)
            return default
        if not low <= found <= high:
            between = f"expected a duration from {format_duration(low)} to {format_duration(high)}"
            self.add(key, f"{between}, found {printable(text, 40)}", "choose one between")
            return default
        return found

    def moment(self, key: str) -> datetime | None:
        """Return the moment at `key`, UTC: a date with time and zone, a date, or text in RFC 3339."""
        if key not in self.values:
            return None
        value, fix = self.values[key], "write it as 2026-11-23T07:00:00Z"
        try:
            if isinstance(value, str):
                value = datetime.fromisoformat(value.strip())
            if isinstance(value, datetime):
                if value.tzinfo is None:
                    self.add(key, "the time has no zone", fix)
                    return None
                return value.astimezone(UTC)
            if isinstance(value, date):
                return datetime(value.year, value.month, value.day, tzinfo=UTC)
        except (ValueError, OverflowError):
            self.add(key, f"{printable(repr(self.values[key]), 80)} is no time", fix)
            return None
        self._wrong(key, "a time", fix)
        return None

    def name(self, key: str, what: str) -> str | None:
        """Return the name at `key`, in the form that names have."""
        value = self.text(key)
        return value if value is not None and self._named(value, (*self.path, key), what) else None

    def _named(self, value: object, path: Path, what: str) -> bool:
        try:
            check_name(what, value)
        except UsageError as error:
            self.problems.take(path, error)
            return False
        return True

    def place(self, key: str) -> str | None:
        """Return the path or URL at `key`."""
        value = self.text(key)
        return None if value is None else self._placed(value, key)

    def _placed(self, value: str, key: str) -> str | None:
        refused = _refused_place(value)
        if refused is not None:
            self.add(key, *refused)
            return None
        return value

    def places(self, key: str) -> tuple[str, ...]:
        """Return the paths or URLs at `key`, where one may stand alone."""
        return tuple(one for one in self.texts(key, alone=True) if self._placed(one, key) is not None)

    def texts(self, key: str, *, alone: bool = False) -> tuple[str, ...]:
        """Return the texts of the array at `key`, each once; `alone` allows one without brackets."""
        if key not in self.values:
            return ()
        value = self.values[key]
        fix = f'write {key} = ["…", "…"]'
        if isinstance(value, str) and alone:
            one = self.text(key)
            return () if one is None else (one,)
        if not isinstance(value, list):
            self._wrong(key, "an array of texts", fix)
            return ()
        if len(value) > MAX_ITEMS:
            self.add(key, f"has {len(value):,} elements, more than the limit of {MAX_ITEMS:,}", "shorten it")
            return ()
        if not value and key in self.values:
            self.add(key, "the array is empty", "leave the key out, or name something")
        kept: list[str] = []
        for number, one in enumerate(value):
            path = (*self.path, key, number)
            if not isinstance(one, str):
                self.problems.add(path, f"expected text, found {_kind(one)}", "put it in quotes")
            elif not one.strip() or len(one) > MAX_TEXT:
                self.problems.add(
                    path, f"expected text of 1 to {MAX_TEXT:,} characters", "correct or remove it"
                )
            elif one in kept:
                self.problems.add(path, f"{printable(repr(one), 80)} occurs twice", "remove one")
            else:
                kept.append(one)
        return tuple(kept)

    def variable(self, key: str) -> str | None:
        """Return the name of an environment variable at `key`."""
        value = self.text(key)
        # What stands here by mistake may be the secret itself: it is not shown.
        if value is not None and not _VARIABLE.fullmatch(value):
            self.add(
                key,
                "expected the name of an environment variable",
                f'write the name, not the value: {key} = "MY_{key.upper().removesuffix("_ENV")}"',
            )
            return None
        return value

    def tags(self) -> dict[str, str]:
        """Return the table at ``tags``: texts by name."""
        table = self.table("tags")
        if table is None:
            return {}
        if len(table.values) > MAX_TAGS:
            table.add(
                None,
                f"there are {len(table.values):,} tags, more than the limit of {MAX_TAGS}",
                "remove some",
            )
        kept: dict[str, str] = {}
        for key, value in table.values.items():
            if not isinstance(value, str):
                table.add(key, f"expected text, found {_kind(value)}", "put it in quotes")
            elif not 1 <= len(key) <= 128 or len(value) > 256:
                table.add(key, "a tag's name has 1 to 128 characters, its value up to 256", "shorten it")
            else:
                kept[key] = value
        return kept

    def table(self, key: str) -> Table | None:
        """Return the table at `key`, or None where there is none."""
        if key not in self.values:
            return None
        value = self.values[key]
        if not isinstance(value, dict):
            self._wrong(key, "a table", f"write it as [{'.'.join(map(str, (*self.path, key)))}]")
            return None
        return Table(value, (*self.path, key), self.problems)

    def rows(self, key: str) -> list[Table]:
        """Return the tables of the array at `key`."""
        value = self.values.get(key, [])
        path = (*self.path, key)
        if not isinstance(value, list):
            self._wrong(key, "an array of tables", f"write [[{'.'.join(map(str, path))}]] for each of them")
            return []
        if len(value) > MAX_ITEMS:
            self.add(key, f"has {len(value):,} elements, more than the limit of {MAX_ITEMS:,}", "remove some")
            return []
        tables = []
        for number, one in enumerate(value):
            if isinstance(one, dict):
                tables.append(Table(one, (*path, number), self.problems))
            else:
                self.problems.add(
                    (*path, number), f"expected a table, found {_kind(one)}", "write it as { … }"
                )
        return tables

    def named(self, key: str, what: str) -> dict[str, Table]:
        """Return the tables of the section `key` by name, names in their right form and not alike."""
        section = self.table(key)
        if section is None:
            return {}
        kept: dict[str, Table] = {}
        for name in section.values:
            if not section._named(name, (*section.path, name), what):
                continue
            one = section.table(name)
            if one is not None:
                kept[name] = one
        section.alike((name, (*section.path, name)) for name in kept)
        return kept

    def alike(self, names: Iterable[tuple[str, Path]]) -> None:
        """Refuse names that are equal but for the case of their letters: some stores cannot tell them apart."""
        seen: dict[str, str] = {}
        for name, path in names:
            before = seen.get(name.casefold())
            if before is None:
                seen[name.casefold()] = name
                continue
            message = "stands there twice" if before == name else f"differs from {before!r} in case only"
            self.problems.add(path, f"the name {name!r} {message}", "rename or remove one")


def _refused_place(text: str) -> tuple[str, str] | None:
    """Say what is wrong with a path or URL, and what to do about it."""
    if not text.isprintable():
        return f"{printable(repr(text), 80)} holds characters that cannot be seen", "remove them"
    if "://" in text:
        try:
            authority = urlsplit(text).netloc
        except ValueError:
            return "is no URL", "correct what stands between // and /"
        if "@" in authority:
            return "the URL holds credentials", "leave them out: object stores take them from the environment"
        return None
    if text.startswith("~"):
        return f"{printable(repr(text), 80)} begins with ~, which only shells know", "write the whole path"
    if normpath(text).split("/")[0] == "..":
        return (
            f"{printable(repr(text), 80)} leads out of the file's folder",
            "move it below, or write the whole path, from / on",
        )
    return None


def _number(value: float) -> str:
    try:
        return f"{value:g}"
    except OverflowError:
        return "a larger one"


def _kind(value: object) -> str:
    names: dict[type, str] = {dict: "a table", list: "an array", str: "text", bool: "a boolean"}
    if type(value) in names:
        return names[type(value)]
    return "a number" if isinstance(value, (int, float)) else "a date or time"
