"""Overrides: what the user decides about checks, on top of what the baseline suggests.

::

    alpha = 0.001                       # false discovery rate of a run

    [checks.ks]                         # every column
    bound = 0.15

    [checks.psi]                        # switch a check on
    enabled = true

    [columns."Day Mins".checks.ks]      # one column
    bound = 0.3

    [columns.created.checks.freshness]
    bound = 7200                        # seconds

    [checks.row_volume]
    low = 100

Metrics of the other three recipes are decided about likewise; a facet or a feature stands as a column.

::

    [checks.recall]
    tolerance = 0.05                    # how much worse than the baseline it may be

    [columns."sex=Female".checks.bias_di]
    low = 0.8
    high = 1.25
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftline.baselines.constraint import Settings, Severity
from driftline.baselines.metrics import METRICS, checks_of
from driftline.documents import Node, nearest
from driftline.errors import DocumentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from driftline.baselines.constraint import CheckInfo

__all__ = ["ColumnOverrides", "Overrides", "read_overrides", "read_settings"]

# tomllib takes memory with the square of a key's parts. No character is looked at twice, or a long word takes hours.
_DEEP_KEY = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){100}")


@dataclass(frozen=True, slots=True)
class ColumnOverrides:
    """Decisions about one column.

    Attributes
    ----------
    checks : mapping of str to Settings
    ignore : bool
        Leave the column out altogether.
    role : str or None
        ``feature`` or ``identifier``.
    """

    checks: Mapping[str, Settings] = field(default_factory=dict)
    ignore: bool = False
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """Decisions about a run.

    Attributes
    ----------
    alpha : float or None
    checks : mapping of str to Settings
        For every column, and for the data set.
    columns : mapping of str to ColumnOverrides
    """

    alpha: float | None = None
    checks: Mapping[str, Settings] = field(default_factory=dict)
    columns: Mapping[str, ColumnOverrides] = field(default_factory=dict)

    def checked(self, names: Iterable[str], *, file: object = None) -> Overrides:
        """Return these overrides, after making sure that every column they name exists.

        Raises
        ------
        UsageError
            For a column that is not there, with the nearest that is.
        """
        known = list(names)
        there = set(known)
        for name in self.columns:
            if name not in there:
                close = nearest(name, known)
                raise UsageError(
                    "the configuration speaks of a column that neither the baseline nor the data has",
                    code="E-CONFIG",
                    file=file,
                    field=f"columns.{name}",
                    fix=f"did you mean {close!r}?" if close else "remove it",
                )
        return self

    def for_column(self, name: str) -> ColumnOverrides:
        """Return what is decided about `name`."""
        return self.columns.get(name, ColumnOverrides())


def read_overrides(
    given: Mapping[str, Any] | bytes | None, *, file: object = "overrides", recipe: str = "data-quality"
) -> Overrides:
    """Read overrides from a mapping or from TOML.

    Parameters
    ----------
    given : mapping, bytes or None
    file : object
        Name used in errors.
    recipe : str
        Whose checks can be decided about.

    Raises
    ------
    DocumentError
        For malformed TOML, unknown keys or values out of range, naming the field and the nearest known key.
    """
    if given is None:
        return Overrides()
    if isinstance(given, bytes):
        try:
            text = given.decode("utf-8-sig")
            given = None if _DEEP_KEY.search(text) else tomllib.loads(text)
        except UnicodeDecodeError:
            raise DocumentError(
                "not valid UTF-8", code="E-CONFIG", file=file, fix="save it as UTF-8"
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise _not_toml(str(error), file) from None
        except RecursionError:
            given = None
        if given is None:
            raise DocumentError("nests too deeply", code="E-CONFIG", file=file, fix="flatten it")
    if not isinstance(given, Mapping):
        raise UsageError(
            f"expected a mapping or TOML, found an object of type {type(given).__name__}",
            code="E-CONFIG",
            field=str(file),
            fix='give something like {"checks": {"ks": {"bound": 0.2}}}',
        )
    root = Node(dict(given), file).known("alpha", "checks", "columns")
    alpha = None
    if root.has("alpha"):
        alpha = root.number("alpha", low=0.0, high=1.0)
        if alpha in (0.0, 1.0):
            raise root.error("expected a rate above 0 and below 1", key="alpha")
    columns = {}
    checks = checks_of(recipe)
    node = root.get("columns")
    if node is not None:
        for name in node.object():
            inner = node[name].known("checks", "ignore", *(("role",) if recipe == "data-quality" else ()))
            role = inner.choice("role", ("feature", "identifier")) if inner.has("role") else None
            columns[name] = ColumnOverrides(
                read_settings(inner.get("checks"), checks), inner.boolean("ignore", default=False), role
            )
    return Overrides(alpha, read_settings(root.get("checks"), checks), columns)


_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def _not_toml(message: str, file: object) -> DocumentError:
    """Say what the parser says, with the line where lines are looked for."""
    place = _PLACE.search(message)
    line = None if place is None else int(place[1])
    words = message if place is None else f"{message[: place.start()]} at column {place[2]}"
    return DocumentError(f"not TOML: {words}", code="E-CONFIG", file=file, line=line)


def read_settings(node: Node | None, checks: Mapping[str, CheckInfo]) -> dict[str, Settings]:
    """Read settings by check name, of those in `checks`."""
    if node is None:
        return {}
    result = {}
    for name in node.object():
        if name not in checks:
            close = nearest(name, checks)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(checks)
            raise node.error(f"there is no check called {name!r}", fix=fix)
        result[name] = (_metric if name in METRICS else _check)(node[name], checks[name])
    return result


_COMMON = ("enabled", "bound", "low", "high", "evidence", "min_rows", "severity", "why")


def _check(node: Node, info: CheckInfo) -> Settings:
    inner = node.known(*_COMMON)
    name, unit = info.name, info.unit
    top = 1.0 if unit in ("share", "distance") else float("inf")
    bound = inner.number("bound", low=0.0, high=top) if inner.has("bound") else None
    low, high = _range(inner)
    ranged = name in ("numeric_range", "row_volume")
    if not ranged and (low is not None or high is not None):
        raise inner.error(f"{name} has no range", key="low" if low is not None else "high")
    # Whoever gives an exact range, or a bound of everything, means every single value; whoever leaves room means
    # a share, which a few values cannot show.
    evidence = inner.boolean("evidence") if inner.has("evidence") else None
    if evidence is None and ranged and (low is not None or high is not None):
        evidence = False
    if evidence is None and not ranged and unit == "share" and bound is not None:
        evidence = bound < 1.0
    enabled = inner.boolean("enabled") if inner.has("enabled") else None
    gives = bound is not None or low is not None or high is not None
    if enabled and name == "freshness" and bound is None:
        raise inner.error("freshness needs a bound", key="bound", fix="give the greatest age in seconds")
    if enabled and name == "row_volume" and low is None and high is None:
        raise inner.error("row_volume needs a range", key="low", fix="give low, high or both")
    return _settings(inner, enabled, gives, bound=bound, low=low, high=high, evidence=evidence)


def _metric(node: Node, info: CheckInfo) -> Settings:
    """Read what is decided about a metric: a bound, a range, or how much worse than the baseline it may be."""
    inner = node.known(*_COMMON, "tolerance")
    bound = inner.number("bound") if inner.has("bound") else None
    tolerance = inner.number("tolerance", low=0.0) if inner.has("tolerance") else None
    low, high = _range(inner)
    if info.worse != "either" and (low is not None or high is not None):
        key = "low" if low is not None else "high"
        raise inner.error(f"{info.name} has no range", key=key, fix="give a bound or a tolerance")
    if info.worse == "either" and bound is not None and info.default_bound is None:
        raise inner.error(
            f"{info.name} has a range, not a bound", key="bound", fix="give low, high or a tolerance"
        )
    if bound is not None and tolerance is not None:
        raise inner.error("stands beside bound, which needs none", key="tolerance", fix="remove one of them")
    if tolerance is not None and (low is not None or high is not None):
        raise inner.error(
            "stands beside a range, which needs none", key="tolerance", fix="remove one of them"
        )
    gives = any(value is not None for value in (bound, low, high, tolerance))
    return _settings(
        inner,
        inner.boolean("enabled") if inner.has("enabled") else None,
        gives,
        bound=bound,
        low=low,
        high=high,
        evidence=inner.boolean("evidence") if inner.has("evidence") else None,
        tolerance=tolerance,
    )


def _range(inner: Node) -> tuple[float | None, float | None]:
    low = inner.number("low") if inner.has("low") else None
    high = inner.number("high") if inner.has("high") else None
    if low is not None and high is not None and low > high:
        raise inner.error(f"the range is empty: low {low:g} is above high {high:g}")
    return low, high


def _settings(inner: Node, enabled: bool | None, gives: bool, **given: Any) -> Settings:
    return Settings(
        enabled=True if enabled is None and gives else enabled,
        min_rows=inner.integer("min_rows") if inner.has("min_rows") else None,
        severity=Severity(inner.choice("severity", [s.value for s in Severity]))
        if inner.has("severity")
        else None,
        why=inner.text("why") if inner.has("why") else ("set by the user" if gives else None),
        **given,
    )
