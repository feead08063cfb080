"""A small workspace for tests: files that a declaration speaks of, and the declaration."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.configuration import read_configuration
from driftline.plan import known_names
from driftline.registry import audit
from driftline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.configuration import Configuration
    from driftline.plan import Plan

__all__ = ["DECLARED", "Site", "made_site", "training"]

DECLARED = """
[models.churn]
owner = "growth"

[[models.churn.versions]]
version = "3"
artifact = "churn.bin"
trained = { data = "train.csv", job = "train-42", parameters = { depth = 5 } }

[endpoints.churn-prod]
model = "churn"

[baselines.churn]
data = "train.csv"
model = "churn"

[monitors.churn-quality]
endpoint = "churn-prod"
baseline = "churn"
schedule = "cron(0 * ? * * *)"

[monitors.churn-quality.alert]
datapoints_to_alert = 2
evaluation_period = 3

[targets.ops]
kind = "log"
"""


def training(*, seed: int = 1, mean: float = 10.0, n: int = 400) -> str:
    """Return training data as CSV."""
    rng = np.random.default_rng(seed)
    rows = zip(rng.normal(mean, 2.0, n), rng.choice(["a", "b", "c"], n), strict=True)
    return "amount,kind\n" + "".join(f"{amount:.3f},{kind}\n" for amount, kind in rows)


class Site:
    """A workspace, the folder of its files, and short words for what tests do with them."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace = workspace
        self.folder = folder
        (folder / "churn.bin").write_bytes(b"model 3")
        (folder / "train.csv").write_text(training())

    def read(self, text: str = DECLARED) -> Configuration:
        """Read a declaration that stands in the folder."""
        file = self.folder / "driftline.toml"
        file.write_text(text)
        return read_configuration(file, known=known_names(self.workspace.registry))

    def plan(self, text: str = DECLARED, **given: Any) -> Plan:
        return self.workspace.plan(self.read(text), **given)

    def apply(self, text: str = DECLARED, **given: Any) -> Plan:
        return self.workspace.apply(self.read(text), who="ann", **given)

    def written(self) -> int:
        """Return how many entries the audit log has."""
        with self.workspace.registry.read() as tx:
            return audit.head(tx)[0]


def made_site(folder: Path, template: Path, database: str | None = None) -> Site:
    """Make a site from a registry that was made before."""
    folder.mkdir(exist_ok=True)
    if database is None:
        shutil.copy(template, folder / "registry.db")
    return Site(Workspace(folder, database=database), folder)
