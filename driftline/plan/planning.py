"""Planning: what must be done, found out by doing it and undoing it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from driftline.plan.declaring import Declaration, Noting, changed_since, names_of
from driftline.plan.material import Material, prepare, written
from driftline.plan.step import Step, summary
from driftline.registry import baselines, endpoints, models
from driftline.registry.store import Registry, user_name

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from driftline.configuration.specs import Configuration
    from driftline.monitor.running import Place

__all__ = ["Ground", "Plan", "known_names", "plan"]

_MOST_LEFT = 20


class Ground(Protocol):
    """What a plan is for: a workspace."""

    @property
    def registry(self) -> Registry:
        """What exists."""

    @property
    def root(self) -> str:
        """Folder or URL of the workspace."""

    @property
    def place(self) -> Place:
        """Where its files are."""


class _Undone(Exception):  # noqa: N818
    """Everything was tried; now it is undone."""


@dataclass(frozen=True)
class Plan:
    """What must be done so that a workspace is as it is declared.

    Attributes
    ----------
    steps : tuple of Step
        All that is declared, in the order in which it is done.
    left : tuple of (str, str)
        Kind and name of what is there, is not in the file, and stays.
    """

    steps: tuple[Step, ...]
    left: tuple[tuple[str, str], ...]
    workspace: Ground = field(repr=False, compare=False)
    configuration: Configuration = field(repr=False, compare=False)
    material: Material = field(repr=False, compare=False)
    prune: bool = False
    accept_baselines: bool = False

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.action != "none")

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def summary(self) -> str:
        """One line that counts."""
        n = summary(self.steps)
        return (
            f"{n['create']} to create, {n['change']} to change, {n['remove']} to remove, "
            f"{n['unchanged']} unchanged"
        )

    def __str__(self) -> str:
        told = [step for step in self.steps if step.action != "none" or step.why]
        lines = [str(step) for step in told]
        if self.left:
            names = [f"{kind} {name}" for kind, name in self.left[:_MOST_LEFT]]
            more = f", and {len(self.left) - _MOST_LEFT:,} more" if len(self.left) > _MOST_LEFT else ""
            lines.append(f"not in the file, left alone: {', '.join(names)}{more}")
        if lines:
            lines.append("")
        return "\n".join([*lines, self.summary])

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "steps": [step.document() for step in self.steps],
            "summary": summary(self.steps),
            "not_in_file": [{"kind": kind, "name": name} for kind, name in self.left],
        }

    def apply(self, who: str | None = None, reason: str = "") -> tuple[Step, ...]:
        """Do it: the files first, then all that the registry is told, in one transaction.

        Parameters
        ----------
        who : str, optional
            Who acts; the person at the terminal where not given.
        reason : str
            Why, for the audit log.

        Returns
        -------
        tuple of Step
            What was changed.

        Raises
        ------
        UsageError
            ``E-PLAN``: somebody has changed the workspace since the plan was made. Nothing is done then.
        DriftlineError
        """
        if not self:
            return ()
        written(self.workspace.place, self.material)

        def act(tx: Noting) -> None:
            done = Declaration(
                tx,
                self.workspace.root,
                self.configuration,
                self.material,
                prune=self.prune,
                accept=self.accept_baselines,
            ).steps()
            if tuple(step for step in done if step.action != "none") != self.changes:
                raise changed_since()

        _within(self.workspace.registry, act, who, reason)
        return self.changes


def plan(
    workspace: Ground,
    configuration: Configuration,
    *,
    prune: bool = False,
    accept_baselines: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Find out what must be done so that a workspace is as it is declared.

    Parameters
    ----------
    workspace : Workspace
    configuration : Configuration
        Read with the names that the registry knows, see :func:`known_names`.
    prune : bool
        Archive schedules, targets, endpoints and models that are not declared. What is archived is not deleted, and comes
        back when it is declared again.
    accept_baselines : bool
        Accept new versions of baselines, rather than leave them to be looked at.
    progress : callable, optional
        Called with (units done, units in all) while data are read.

    Returns
    -------
    Plan
        Nothing has been changed.

    Raises
    ------
    DriftlineError
        For whatever cannot be done: a file that is not there, an artifact that changed under its version.
    """
    material = prepare(workspace.registry, workspace.place, configuration, progress=progress)
    found: list[Declaration] = []
    steps: list[Step] = []

    def rehearse(tx: Noting) -> None:
        declaration = Declaration(
            tx, workspace.root, configuration, material, prune=prune, accept=accept_baselines
        )
        steps[:], found[:] = declaration.steps(), [declaration]
        raise _Undone

    with suppress(_Undone):
        _within(workspace.registry, rehearse, None, "")
    left = tuple(found[0].left)
    return Plan(tuple(steps), left, workspace, configuration, material, prune, accept_baselines)


def _within(registry: Registry, act: Callable[[Noting], None], who: str | None, reason: str) -> None:
    name = who or user_name()

    def run(connection: sa.Connection) -> None:
        tx = Noting(registry.database, connection, name, reason)
        tx.notes = []
        act(tx)

    registry.database.run(run)


def known_names(registry: Registry) -> dict[str, set[str]]:
    """Return the names that a configuration may use without declaring them.

    Returns
    -------
    dict
        As :func:`driftline.configuration.read_configuration` takes it.
    """
    with registry.read() as tx:
        there = names_of(tx, models.list_models)
        return {
            "models": set(there),
            "versions": {f"{name}/{one.version}" for name in there for one in models.versions(tx, name)},
            "endpoints": set(names_of(tx, endpoints.list_endpoints)),
            "baselines": set(names_of(tx, baselines.list_baselines)),
        }
