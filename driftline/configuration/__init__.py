"""``driftline.toml``: what a team wants to be there, in one file.

::

    from driftline.configuration import read_configuration

    configuration = read_configuration("driftline.toml")
    for monitor in configuration.monitors.values():
        print(monitor.name, monitor.schedule)

Reading changes nothing anywhere: it gives frozen values with all defaults filled in, or an error that tells
everything that is wrong, with lines. `docs/configuration.md` explains every key.
"""

from __future__ import annotations

from driftline.configuration.problem import ConfigurationError
from driftline.configuration.reading import SECTIONS, read_configuration, read_workspace
from driftline.configuration.specs import (
    AlertSpec,
    BaselineSpec,
    Configuration,
    EndpointSpec,
    HeartbeatSpec,
    ModelSpec,
    MonitorSpec,
    SchedulerSpec,
    TargetSpec,
    TrainedSpec,
    VariantSpec,
    VersionSpec,
    WorkspaceSpec,
)
from driftline.configuration.template import TEMPLATE
from driftline.configuration.writing import to_toml

__all__ = [
    "SECTIONS",
    "TEMPLATE",
    "AlertSpec",
    "BaselineSpec",
    "Configuration",
    "ConfigurationError",
    "EndpointSpec",
    "HeartbeatSpec",
    "ModelSpec",
    "MonitorSpec",
    "SchedulerSpec",
    "TargetSpec",
    "TrainedSpec",
    "VariantSpec",
    "VersionSpec",
    "WorkspaceSpec",
    "read_configuration",
    "read_workspace",
    "to_toml",
]
