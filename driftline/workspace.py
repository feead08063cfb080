"""Workspace: a folder or URL with everything in it, and the registry that knows it."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.errors import InputError, UsageError
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.configuration.specs import Configuration, WorkspaceSpec
    from driftline.monitor.running import Place
    from driftline.monitor.scheduler import Scheduler
    from driftline.plan import Plan
    from driftline.rooms import (
        Alerts,
        Baselines,
        Cards,
        Endpoints,
        Events,
        Executions,
        Lineage,
        Models,
        Reports,
        Schedules,
    )

__all__ = ["CONFIGURATION", "DATABASE", "DEFAULT", "Workspace", "apply", "find_root", "root_for"]

DEFAULT = "driftline-workspace"
"""Folder of the workspace where nothing else is said."""

CONFIGURATION = "driftline.toml"
DATABASE = "registry.db"


def find_root(given: str | os.PathLike[str] | None = None) -> str:
    """Return where the workspace is.

    Parameters
    ----------
    given : path or URL, optional
        Otherwise ``DRIFTLINE_WORKSPACE``, the current folder where it is a workspace, or ``driftline-workspace`` in it.
    """
    if given is not None:
        text = os.fspath(given)
        if not text:
            raise UsageError("names no workspace", code="E-WORKSPACE", fix="give a folder or a URL")
        return text
    named = os.environ.get("DRIFTLINE_WORKSPACE")
    if named:
        return named
    return "." if _is_workspace(Path()) else DEFAULT


class Workspace:
    """Models, endpoints, captures, baselines, schedules, reports and alerts, kept together.

    Parameters
    ----------
    root : path or URL, optional
        See :func:`find_root`.
    database : str, optional
        URL of the registry's database; otherwise what ``driftline.toml`` in the workspace says, ``DRIFTLINE_DATABASE``,
        or the SQLite file in the folder.
    clock : callable, optional
        See :class:`~driftline.registry.database.Database`.

    Raises
    ------
    RegistryError
        ``E-NO-REGISTRY`` where there is none.

    Examples
    --------
    >>> ws = Workspace("driftline-workspace")  # doctest: +SKIP
    >>> ws.schedules.list()  # doctest: +SKIP
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        *,
        database: str | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.root = _absolute(find_root(root))
        self.registry = Registry.open(_database(self.root, database), root=self.root, clock=clock)

    @classmethod
    def create(
        cls,
        root: str | os.PathLike[str] | None = None,
        *,
        database: str | None = None,
        clock: Callable[[], int] | None = None,
    ) -> Workspace:
        """Make a workspace, or bring the registry of one up to date; what is there stays.

        Raises
        ------
        RegistryError, UsageError
        """
        made = cls.__new__(cls)
        made.root = _absolute(find_root(root))
        made.registry = Registry.create(_database(made.root, database), root=made.root, clock=clock)
        return made

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return "://" not in self.root

    @cached_property
    def captures(self) -> str:
        """Where captures lie, unless an endpoint says otherwise."""
        from driftline.monitor.running import captures_of
        from driftline.registry import settings

        with self.registry.read() as tx:
            stored = settings.get(tx, "workspace") or {}
        return captures_of(self.root, stored.get("captures"))

    def captures_for(self, endpoint: str) -> str:
        """Return where the captures of an endpoint lie; those of one that is not declared, where all do."""
        from driftline.monitor.running import captures_of
        from driftline.registry import endpoints

        with self.registry.read() as tx:
            found = endpoints.find(tx, endpoint)
        return (
            self.captures if found is None or not found.captures else captures_of(self.root, found.captures)
        )

    @property
    def place(self) -> Place:
        """What runs read and write."""
        from driftline.capture.target import target_of
        from driftline.monitor.keeper import FolderKeeper
        from driftline.monitor.running import Place

        return Place(self.root, self.captures, FolderKeeper(target_of(self.root)))

    @cached_property
    def models(self) -> Models:
        """Models and their versions."""
        from driftline.rooms import Models

        return Models(self)

    @cached_property
    def endpoints(self) -> Endpoints:
        """Endpoints and batch jobs, and what they serve."""
        from driftline.rooms import Endpoints

        return Endpoints(self)

    @cached_property
    def baselines(self) -> Baselines:
        """Baselines: versions and proposals."""
        from driftline.rooms import Baselines

        return Baselines(self)

    @cached_property
    def schedules(self) -> Schedules:
        """Schedules: start, stop, run now."""
        from driftline.rooms import Schedules

        return Schedules(self)

    @cached_property
    def executions(self) -> Executions:
        """Executions: what ran."""
        from driftline.rooms import Executions

        return Executions(self)

    @cached_property
    def reports(self) -> Reports:
        """Reports: what executions found."""
        from driftline.rooms import Reports

        return Reports(self)

    @cached_property
    def alerts(self) -> Alerts:
        """Alerts and their rules."""
        from driftline.rooms import Alerts

        return Alerts(self)

    @cached_property
    def cards(self) -> Cards:
        """Model cards: write, review, approve, export, verify."""
        from driftline.rooms import Cards

        return Cards(self)

    @cached_property
    def lineage(self) -> Lineage:
        """Lineage: where things came from, and what they led to."""
        from driftline.rooms import Lineage

        return Lineage(self)

    @cached_property
    def events(self) -> Events:
        """Events: everything that happened."""
        from driftline.rooms import Events

        return Events(self)

    def plan(
        self,
        declared: str | os.PathLike[str] | Configuration | None = None,
        *,
        prune: bool = False,
        accept_baselines: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Plan:
        """Find out what must be done so that everything is as it is declared; nothing is changed.

        Parameters
        ----------
        declared : path or Configuration, optional
            ``driftline.toml`` in the workspace where not given.
        prune, accept_baselines, progress
            See :func:`driftline.plan.plan`.

        Raises
        ------
        DriftlineError
            If a declaration is wrong, or cannot be carried out.
        """
        from driftline.configuration.reading import read_configuration
        from driftline.configuration.specs import Configuration
        from driftline.plan import known_names, plan

        if declared is None:
            if not self.is_local:
                raise UsageError(
                    "no configuration is named, and the workspace is on an object store",
                    code="E-CONFIG",
                    fix="name the file",
                )
            declared = Path(self.root) / CONFIGURATION
        if not isinstance(declared, Configuration):
            declared = read_configuration(declared, known=known_names(self.registry))
        self._refuse_other_database(declared)
        return plan(self, declared, prune=prune, accept_baselines=accept_baselines, progress=progress)

    def apply(
        self,
        declared: str | os.PathLike[str] | Configuration | None = None,
        *,
        prune: bool = False,
        accept_baselines: bool = False,
        who: str | None = None,
        reason: str = "",
    ) -> Plan:
        """Make everything as it is declared.

        Parameters
        ----------
        declared, prune, accept_baselines
            See :meth:`plan`.
        who : str, optional
            Who acts; the person at the terminal where not given.
        reason : str
            Why, for the audit log.

        Returns
        -------
        Plan
            What was done; empty where everything was so already.
        """
        made = self.plan(declared, prune=prune, accept_baselines=accept_baselines)
        made.apply(who, reason)
        self.__dict__.pop("captures", None)
        return made

    def _refuse_other_database(self, declared: Configuration) -> None:
        """Refuse a file that speaks of another database than the one that is open."""
        spec, file = declared.workspace, declared.file
        if file is None or not _names_database(spec) or os.environ.get("DRIFTLINE_DATABASE"):
            return
        if Path(file).absolute().parent == Path(self.root):
            return
        url = _secret(spec, file)
        from driftline.registry.database import Database

        other = Database(url)
        try:
            same = other.name == self.registry.database.name
        finally:
            other.close()
        if not same:
            raise UsageError(
                "names another database than that of the workspace",
                code="E-DATABASE",
                file=file,
                field="workspace.database",
                fix=f"correct it, or {CONFIGURATION} in the workspace",
            )

    def scheduler(self, *, send: bool = True) -> Scheduler:
        """Return a scheduler of this workspace, which also brings what it finds to the model cards.

        Parameters
        ----------
        send : bool
            Also deliver notifications.
        """
        from driftline.monitor.scheduler import Scheduler, Settings
        from driftline.registry import settings

        with self.registry.read() as tx:
            stored = settings.get(tx, "scheduler") or {}
        post = None
        if send:
            from driftline.monitor.post import Post

            post = Post().send_due
        place = self.place

        def fed(registry: Registry, owner: str, *, wait: bool = True) -> int:
            from driftline.cards.feeding import feed

            return feed(registry, place, owner, wait=wait)

        return Scheduler(self.registry, place, Settings.of(stored), post=post, feed=fed)

    def close(self) -> None:
        """Close the registry."""
        self.registry.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Workspace {self.root}>"


def apply(
    file: str | os.PathLike[str] | None = None,
    workspace: str | os.PathLike[str] | None = None,
    *,
    prune: bool = False,
    accept_baselines: bool = False,
    reason: str = "",
) -> Plan:
    """Make everything in a workspace as a file declares it.

    Parameters
    ----------
    file : path, optional
        ``driftline.toml`` in the workspace where not given.
    workspace : path or URL, optional
        See :func:`root_for`.
    prune, accept_baselines, reason
        See :meth:`Workspace.apply`.

    Returns
    -------
    Plan
        What was done.

    Raises
    ------
    DriftlineError
    """
    with Workspace(root_for(file, workspace)) as opened:
        return opened.apply(file, prune=prune, accept_baselines=accept_baselines, reason=reason)


def root_for(
    file: str | os.PathLike[str] | None = None, workspace: str | os.PathLike[str] | None = None
) -> str:
    """Return the workspace that a file is meant for.

    The one that is given, or that ``DRIFTLINE_WORKSPACE`` names; else the file's own folder, where a workspace is; else the
    one that :func:`find_root` finds.
    """
    if workspace is not None or os.environ.get("DRIFTLINE_WORKSPACE") or file is None:
        return find_root(workspace)
    folder = Path(file).absolute().parent
    usual = find_root()
    if _is_workspace(folder) or not _is_workspace(Path(usual)):
        return str(folder)
    return usual


def _is_workspace(folder: Path) -> bool:
    if (folder / DATABASE).is_file():
        return True
    try:
        spec = _declared(folder / CONFIGURATION)
    except InputError:
        return False
    return spec is not None and _names_database(spec)


def _names_database(spec: WorkspaceSpec) -> bool:
    return spec.database != "sqlite" or spec.database_env is not None or spec.database_file is not None


def _absolute(root: str) -> str:
    return root if "://" in root else str(Path(root).absolute())


def _database(root: str, given: str | None) -> str:
    if given:
        return given
    named = os.environ.get("DRIFTLINE_DATABASE")
    if named:
        return named
    if "://" in root:
        raise UsageError(
            "a workspace on an object store needs a database of its own",
            code="E-DATABASE",
            file=root,
            fix="set DRIFTLINE_DATABASE to postgresql://…",
        )
    spec = _declared(Path(root) / CONFIGURATION)
    if spec is None or not _names_database(spec):
        return str(Path(root) / DATABASE)
    return _secret(spec, str(Path(root) / CONFIGURATION))


def _declared(path: Path) -> WorkspaceSpec | None:
    if not path.is_file() or "database" not in path.read_text(encoding="utf-8", errors="replace"):
        return None
    from driftline.configuration.reading import read_workspace

    return read_workspace(path)


def _secret(spec: WorkspaceSpec, file: str) -> str:
    if spec.database_env is not None:
        value = os.environ.get(spec.database_env)
        if not value:
            raise InputError(
                f"the environment variable {spec.database_env} is not set",
                code="E-DATABASE",
                file=file,
                field="workspace.database_env",
                fix="set it to postgresql://…",
            )
        return value
    if spec.database_file is not None:
        from driftline.files import read_regular

        path = Path(file).parent / spec.database_file
        return read_regular(path, max_bytes=4096).decode("utf-8").strip()
    return spec.database
