"""Writing a configuration back as TOML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from driftline.capture.event import DEFAULT_VARIANT
from driftline.configuration.duration import format_duration
from driftline.configuration.specs import AlertSpec, SchedulerSpec, WorkspaceSpec

if TYPE_CHECKING:
    from driftline.configuration.specs import (
        Configuration,
        EndpointSpec,
        ModelSpec,
        MonitorSpec,
        Spec,
        VersionSpec,
    )

__all__ = ["to_toml"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100


def to_toml(configuration: Configuration) -> str:
    """Write a configuration as TOML that reads back as an equal one.

    What is as it would be anyway is left out. Comments of the file it was read from are not kept.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    str
        Sections in the order of the documentation, names in the order given; "" for an empty configuration.

    Examples
    --------
    >>> from driftline.configuration import read_configuration
    >>> print(to_toml(read_configuration(b'targets.ops = {kind = "log", severity = "critical", enabled = true}')))
    [targets.ops]
    kind = "log"
    severity = "critical"
    <BLANKLINE>
    """
    tables: list[str] = []
    if configuration.workspace != WorkspaceSpec():
        _emit(tables, ("workspace",), _workspace(configuration.workspace))
    for model in configuration.models.values():
        _emit(tables, ("models", model.name), _model(model))
    for endpoint in configuration.endpoints.values():
        _emit(tables, ("endpoints", endpoint.name), _endpoint(endpoint))
    for baseline in configuration.baselines.values():
        _emit(tables, ("baselines", baseline.name), _changed(baseline))
    for monitor in configuration.monitors.values():
        _emit(tables, ("monitors", monitor.name), _monitor(monitor))
    for target in configuration.targets.values():
        _emit(tables, ("targets", target.name), _changed(target))
    if configuration.scheduler != SchedulerSpec():
        scheduler = _changed(configuration.scheduler)
        if configuration.scheduler.heartbeat is not None:
            scheduler["heartbeat"] = _changed(configuration.scheduler.heartbeat)
        _emit(tables, ("scheduler",), scheduler)
    return "\n".join(tables)


def _changed(spec: Spec, *, keep: Iterable[str] = ()) -> dict[str, Any]:
    """Return the fields whose values are not their defaults, without the name."""
    found: dict[str, Any] = {}
    for one in fields(spec):  # type: ignore[arg-type]
        value = getattr(spec, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if one.name in keep or (one.name != "name" and value != default):
            found[one.name] = value
    return found


def _workspace(spec: WorkspaceSpec) -> dict[str, Any]:
    found = _changed(spec)
    if spec.database_env is not None or spec.database_file is not None:
        del found["database"]
    return found


def _model(spec: ModelSpec) -> dict[str, Any]:
    found = _changed(spec)
    if spec.versions:
        found["versions"] = [_version(one) for one in spec.versions]
    return found


def _version(spec: VersionSpec) -> dict[str, Any]:
    found = _changed(spec)
    if "artifact_digest" in found:
        found["digest"] = found.pop("artifact_digest")
    if spec.trained is not None:
        found["trained"] = _changed(spec.trained)
    return found


def _endpoint(spec: EndpointSpec) -> dict[str, Any]:
    found = _changed(spec)
    (one, *others) = spec.variants
    del found["variants"]
    if not others and one.name == DEFAULT_VARIANT and one.weight == 1.0:
        served = {"model": one.model} | ({"version": one.version} if one.version is not None else {})
        return served | found
    return {**found, "variants": [_changed(variant, keep=("name",)) for variant in spec.variants]}


def _monitor(spec: MonitorSpec) -> dict[str, Any]:
    found = _changed(spec)
    found.update(found.pop("overrides", {}))
    found.pop("alerts", None)
    (one, *others) = spec.alerts
    if others or one.name != AlertSpec().name:
        found["alerts"] = [_alert(alert, keep=("name",)) for alert in spec.alerts]
    elif one != AlertSpec():
        found["alert"] = _alert(one)
    return found


def _alert(spec: AlertSpec, *, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    # Left out, the period is what is needed to alert.
    return _changed(spec, keep=(*keep, "evaluation_period"))


def _emit(
    tables: list[str], path: tuple[str, ...], values: Mapping[str, Any], *, element: bool = False
) -> None:
    """Add a table with the values that stand in it, then those below it."""
    below = {key: value for key, value in values.items() if _is_below(value)}
    plain = [f"{_key(key)} = {_value(value)}\n" for key, value in values.items() if key not in below]
    # A table that only holds others needs no head; one that holds nothing says by its head that it is there.
    if plain or element or not below:
        name = ".".join(map(_key, path))
        tables.append((f"[[{name}]]\n" if element else f"[{name}]\n") + "".join(plain))
    for key, value in below.items():
        if isinstance(value, Mapping):
            _emit(tables, (*path, key), value)
        else:
            for one in value:
                _emit(tables, (*path, key), one, element=True)


def _is_below(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and any(isinstance(one, Mapping) for one in value)
    )


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _quoted(text)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}


def _quoted(text: str) -> str:
    return '"' + "".join(_character(ch) for ch in text) + '"'


def _character(ch: str) -> str:
    if ch in _ESCAPES:
        return _ESCAPES[ch]
    if ch.isprintable():
        return ch
    # Marks that reverse the reading direction and the like would hide what the file says.
    return f"\\u{ord(ch):04x}" if ord(ch) < 0x10000 else f"\\U{ord(ch):08x}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, timedelta):
        return _quoted(format_duration(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return _quoted(value)
    elements = [_value(one) for one in value]
    line = f"[{', '.join(elements)}]"
    if len(line) <= _WIDTH:
        return line
    return "[\n" + "".join(f"    {one},\n" for one in elements) + "]"
