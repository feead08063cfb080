"""What ``driftline.toml`` declares, as values: every default filled in, every reference checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from driftline.configuration.duration import format_duration
from driftline.documents import encode
from driftline.files import digest

__all__ = [
    "DEFAULT_ALERT",
    "KINDS",
    "AlertSpec",
    "BaselineSpec",
    "Configuration",
    "EndpointSpec",
    "HeartbeatSpec",
    "ModelSpec",
    "MonitorSpec",
    "SchedulerSpec",
    "Spec",
    "TargetSpec",
    "TrainedSpec",
    "VariantSpec",
    "VersionSpec",
    "WorkspaceSpec",
]

KINDS: Final = ("data-quality", "model-quality", "bias", "attribution")
"""What a baseline or a monitor may look at."""

DEFAULT_ALERT: Final = "default"
"""Name of the alert that every monitor has unless it declares others."""


def _plain(value: Any) -> Any:
    """Return `value` as what JSON has, keys sorted."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in sorted(fields(value), key=lambda f: f.name)}
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


class Spec:
    """What all declarations can do."""

    __slots__ = ()

    def canonical(self) -> dict[str, Any]:
        """Return the declaration as JSON values: keys sorted, defaults filled in, durations in ISO 8601, UTC times."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return plain

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of the canonical JSON: equal for equal declarations, however they were written."""
        return digest(encode(self.canonical()).encode("utf-8"))


@dataclass(frozen=True, slots=True)
class WorkspaceSpec(Spec):
    """Where things are kept.

    Attributes
    ----------
    captures : str
        Folder, relative to the file, or URL of an object store.
    database : str
        ``sqlite``, the URL of a PostgreSQL database without its password, or ``postgresql`` where one of the
        following holds the URL.
    database_env, database_file : str or None
        Environment variable or file that holds the URL.
    """

    captures: str = "captures"
    database: str = "sqlite"
    database_env: str | None = None
    database_file: str | None = None


@dataclass(frozen=True, slots=True)
class TrainedSpec(Spec):
    """How a version of a model came to be.

    Attributes
    ----------
    data : tuple of str
        Paths or URIs of the data it was trained on.
    job, code, image : str or None
        Any name or URI of the training job, the code and the container image.
    parameters : mapping of str to str, int, float or bool
    metrics : mapping of str to float
    """

    data: tuple[str, ...] = ()
    job: str | None = None
    code: str | None = None
    image: str | None = None
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VersionSpec(Spec):
    """One version of a model.

    Attributes
    ----------
    version : str
    artifact : str or None
        Path, relative to the file, or URI.
    artifact_digest : str or None
        ``sha256:<hex>``; ``digest`` in the file.
    created : datetime or None
        UTC.
    description : str or None
    tags : mapping of str to str
    trained : TrainedSpec or None
    """

    version: str
    artifact: str | None = None
    artifact_digest: str | None = None
    created: datetime | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    trained: TrainedSpec | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec(Spec):
    """A model.

    Attributes
    ----------
    name : str
    owner, description : str or None
    risk_rating : str
        ``low``, ``medium``, ``high`` or ``unknown``.
    tags : mapping of str to str
    versions : tuple of VersionSpec
        In the order of the file.
    """

    name: str
    owner: str | None = None
    description: str | None = None
    risk_rating: str = "unknown"
    tags: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[VersionSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantSpec(Spec):
    """What one variant of an endpoint serves.

    Attributes
    ----------
    name : str
    model : str
    version : str or None
        None only where the registry's versions are not known.
    weight : float
        Its part of the traffic is its weight among the weights of all.
    """

    name: str
    model: str
    version: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class EndpointSpec(Spec):
    """An endpoint or a batch job.

    Attributes
    ----------
    name : str
    kind : str
        ``endpoint`` or ``batch``.
    variants : tuple of VariantSpec
        At least one.
    captures : str or None
        Where its captures lie, if not where the workspace says.
    description : str or None
    tags : mapping of str to str
    """

    name: str
    kind: str = "endpoint"
    variants: tuple[VariantSpec, ...] = ()
    captures: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BaselineSpec(Spec):
    """A baseline, to be made from data or taken from a folder.

    Attributes
    ----------
    name : str
    kind : str
        One of :data:`KINDS`.
    data : tuple of str
        Files, patterns or URLs to make it from; empty where `folder` is given.
    folder : str or None
        Driftline's baseline or SageMaker's files, to be taken as they are.
    model : str or None
        What it belongs to.
    by, compat, preprocessor, format : str or None
    header : bool or None
    unique : bool
        These five as the options of ``driftline baseline``.
    settings : mapping
        Of the kinds other than data quality: which column is which; ``monitor/kinds.py`` reads them.
    config : str or None
        A TOML file with them.
    """

    name: str
    kind: str = "data-quality"
    data: tuple[str, ...] = ()
    folder: str | None = None
    model: str | None = None
    by: str | None = None
    compat: str | None = None
    preprocessor: str | None = None
    format: str | None = None
    header: bool | None = None
    unique: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    config: str | None = None


@dataclass(frozen=True, slots=True)
class AlertSpec(Spec):
    """When a monitor's runs become an alarm.

    Attributes
    ----------
    name : str
    datapoints_to_alert, evaluation_period : int
        The alert fires while at least so many of the last so many data points failed.
    count_failed_runs : bool
        Runs that broke are failing data points too; otherwise they are none.
    min_severity : str
        ``warning``: any violation makes a run a failing data point; ``critical``: only a critical one.
    keep_firing : int
        Clean data points in a row that the alert waits for before it is resolved.
    dashboard_indicator : bool
    """

    name: str = DEFAULT_ALERT
    datapoints_to_alert: int = 1
    evaluation_period: int = 1
    count_failed_runs: bool = False
    min_severity: str = "warning"
    keep_firing: int = 0
    dashboard_indicator: bool = True


@dataclass(frozen=True, slots=True)
class MonitorSpec(Spec):
    """A schedule on which an endpoint's captures are held to a baseline.

    Attributes
    ----------
    name, endpoint, baseline, schedule : str
    kind : str
        One of :data:`KINDS`.
    timezone : str
        Name in the IANA time zone database.
    start_offset, end_offset : timedelta or None
        Ends of the window before the scheduled time, negative; None: from the previous scheduled time to this one.
    delay : timedelta
        How long after the end of its window a run waits for late data.
    jitter : timedelta
        Most that a run begins late on purpose, so that schedules which fire together do not start together.
    catch_up : str
        ``all``, ``latest`` or ``skip``: what is done about windows that passed while nothing ran.
    variant : str or None
        None: all of them.
    inputs : str
        ``captured`` or ``labelled``.
    compat, by, preprocessor : str or None
        As the options of ``driftline check``.
    overrides : mapping
        ``alpha``, ``checks`` and ``columns`` as they stand in the file; `driftline.monitor.overrides` reads them.
    enabled, emit_metrics : bool
    revise : bool
        Late data make new revisions of a run,
    revise_for : timedelta
        for so long after the end of its window.
    max_runtime : timedelta
    alert_after_failures, alert_on_no_data : int
        Runs in a row that failed, and that found no data, after which there is an alert; 0: never.
    quarantine_after : int
        Runs in a row that failed, after which the monitor is set aside.
    description : str or None
    tags : mapping of str to str
    alerts : tuple of AlertSpec
        At least one.
    """

    name: str
    endpoint: str
    baseline: str
    schedule: str
    kind: str = "data-quality"
    timezone: str = "UTC"
    start_offset: timedelta | None = None
    end_offset: timedelta | None = None
    delay: timedelta = timedelta(0)
    jitter: timedelta = timedelta(0)
    catch_up: str = "all"
    variant: str | None = None
    inputs: str = "captured"
    compat: str | None = None
    by: str | None = None
    preprocessor: str | None = None
    enabled: bool = True
    emit_metrics: bool = True
    revise: bool = True
    revise_for: timedelta = timedelta(days=7)
    max_runtime: timedelta = timedelta(hours=1)
    alert_after_failures: int = 3
    alert_on_no_data: int = 0
    quarantine_after: int = 10
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    alerts: tuple[AlertSpec, ...] = (AlertSpec(),)


@dataclass(frozen=True, slots=True)
class TargetSpec(Spec):
    """Where events are sent.

    Attributes
    ----------
    name : str
    kind : str
        ``webhook``, ``alertmanager``, ``apprise`` or ``log``.
    url, url_env, url_file : str or None
        The address, or the environment variable or file that holds it; none of them for ``log``.
    secret_env, secret_file : str or None
        Environment variable or file with the key that webhooks are signed with, or the Alertmanager's token.
    events : tuple of str
        Types of events or patterns of them, such as ``alert.opened`` or ``execution.*``; empty: alerts that are
        opened, escalated and resolved.
    severity : str
        ``warning`` or ``critical``: the least that is sent, of events that have a severity.
    models, endpoints : tuple of str
        Only events of these names, or patterns of names; empty: of all.
    allow_private, allow_http : bool
        Whether addresses of the private network, and connections in the clear, are allowed.
    enabled : bool
    """

    name: str
    kind: str
    url: str | None = None
    url_env: str | None = None
    url_file: str | None = None
    secret_env: str | None = None
    secret_file: str | None = None
    events: tuple[str, ...] = ()
    severity: str = "warning"
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    allow_private: bool = False
    allow_http: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class HeartbeatSpec(Spec):
    """An address that is called for as long as the scheduler lives.

    Attributes
    ----------
    url, url_env, url_file : str or None
        Exactly one of them.
    every : timedelta
    allow_private, allow_http : bool
    """

    url: str | None = None
    url_env: str | None = None
    url_file: str | None = None
    every: timedelta = timedelta(minutes=5)
    allow_private: bool = False
    allow_http: bool = False


@dataclass(frozen=True, slots=True)
class SchedulerSpec(Spec):
    """How the scheduler works.

    Attributes
    ----------
    poll : timedelta
        Time between two looks at what is due.
    lease : timedelta
        How long a window belongs to a scheduler that is not heard of.
    workers : int
        Runs at a time.
    stale_after : int
        Windows in a row without a run, after which a monitor counts as silent and raises an alert of its own.
    heartbeat : HeartbeatSpec or None
    """

    poll: timedelta = timedelta(seconds=5)
    lease: timedelta = timedelta(seconds=60)
    workers: int = 1
    stale_after: int = 2
    heartbeat: HeartbeatSpec | None = None


@dataclass(frozen=True, slots=True)
class Configuration(Spec):
    """Everything that a file declares; by name, in the order of the file.

    Attributes
    ----------
    file : str or None
        Where it was read from; no part of what is declared.
    sections : frozenset of str
        The tables that the file has: of the others nothing is said, and what is here are defaults.
    """

    workspace: WorkspaceSpec = field(default_factory=WorkspaceSpec)
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    endpoints: Mapping[str, EndpointSpec] = field(default_factory=dict)
    baselines: Mapping[str, BaselineSpec] = field(default_factory=dict)
    monitors: Mapping[str, MonitorSpec] = field(default_factory=dict)
    targets: Mapping[str, TargetSpec] = field(default_factory=dict)
    scheduler: SchedulerSpec = field(default_factory=SchedulerSpec)
    file: str | None = field(default=None, compare=False)
    sections: frozenset[str] = field(default=frozenset(), compare=False)

    def canonical(self) -> dict[str, Any]:
        """Return all declarations as JSON values, without the name of the file."""
        plain = Spec.canonical(self)
        del plain["file"], plain["sections"]
        return plain

    def place(self, text: str) -> str:
        """Return a path of the file as seen from here: relative ones start at the file's folder; URLs stay.

        Examples
        --------
        >>> Configuration(file="team/driftline.toml").place("train.csv")
        'team/train.csv'
        """
        if "://" in text or self.file is None:
            return text
        # A trailing slash and a pattern's characters stay as they were written.
        return os.path.join(os.path.dirname(self.file), text)  # noqa: PTH118, PTH120
