"""Session: which workspace a card is in, and who acts.

Takes the place of SageMaker's session: whatever takes ``sagemaker_session=`` takes ``workspace=`` too, and either may be a
workspace, the path or URL of one, a registry, or None for the usual workspace.
"""

from __future__ import annotations

import importlib
import os
import weakref
from typing import TYPE_CHECKING, Any, Self, TypeVar

from driftline.errors import DriftlineError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.registry.store import Registry, Tx

__all__ = ["Session", "session_of"]

T = TypeVar("T")


class Session:
    """A workspace, and the one who acts in it.

    Parameters
    ----------
    workspace : Workspace, Registry, path, URL or None
        None is the usual workspace, see :func:`driftline.workspace.find_root`. One that is opened here is closed by
        :meth:`close`, at the end of a ``with`` block, or when nothing holds the session any more; one that was open before
        is left to whoever opened it.
    who : str, optional
        Who acts: ``DRIFTLINE_USER``, or the account at this machine, where not given.

    Attributes
    ----------
    registry : Registry
    root : str
        Folder or URL of the workspace.

    Raises
    ------
    UsageError
        ``E-CARD-SESSION``: it is none of these.
    RegistryError
        ``E-NO-REGISTRY``: there is no workspace.

    Examples
    --------
    >>> session = Session("driftline-workspace", who="ann")  # doctest: +SKIP
    """

    def __init__(self, workspace: object = None, *, who: str | None = None) -> None:
        self._who = who
        self._finalizer: weakref.finalize[[], Session] | None = None
        if isinstance(workspace, Session):
            self._held: Any = workspace
            self.registry: Registry = workspace.registry
            self.root: str = workspace.root
            self._who = who or workspace._who
        elif workspace is None or isinstance(workspace, str | os.PathLike):
            opened = importlib.import_module("driftline.workspace").Workspace(workspace)
            # Whoever gave a path never sees the workspace, and cannot close it.
            self._held = opened
            self._finalizer = weakref.finalize(self, opened.close)
            self.registry, self.root = opened.registry, opened.root
        else:
            self._held = workspace
            self.registry, self.root = _registry_in(workspace), str(workspace.root)  # type: ignore[attr-defined]

    @property
    def who(self) -> str:
        """Who acts."""
        if self._who is not None:
            return self._who
        from driftline.registry.store import user_name

        return user_name()

    def read(self, action: Callable[[Tx], T]) -> T:
        """Do something that changes nothing, in a transaction of its own."""
        with _as_of_cards(), self.registry.read() as tx:
            return action(tx)

    def act(self, action: Callable[[Tx], T], reason: str = "") -> T:
        """Do something as a whole, or not at all."""
        with _as_of_cards():
            return self.registry.act(action, who=self.who, reason=reason)

    def close(self) -> None:
        """Close the workspace, where this session opened it."""
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Session({printable(self.root, 200)!r}, who={self.who!r})"


class _as_of_cards:  # noqa: N801
    """Gives errors of the registry the classes that users of the SDK for SageMaker catch."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, DriftlineError):
            from driftline.cards.errors import as_card_error

            other = as_card_error(error)
            if other is not error:
                raise other from None


def session_of(
    sagemaker_session: object = None, workspace: object = None, *, who: str | None = None
) -> Session:
    """Return the session that is meant.

    Parameters
    ----------
    sagemaker_session, workspace : Session, Workspace, Registry, path, URL or None
        Two names for one thing; at most one is given. None is the usual workspace.
    who : str, optional
        Who acts, where not the one the session has.

    Raises
    ------
    UsageError
        ``E-CARD-SESSION``: both are given and differ, or it is no workspace.
    RegistryError
        ``E-NO-REGISTRY``.
    """
    if sagemaker_session is not None and workspace is not None and sagemaker_session is not workspace:
        raise UsageError(
            "sagemaker_session and workspace are two names for one thing, and differ",
            code="E-CARD-SESSION",
            field="workspace",
            fix="give one of them",
        )
    given = sagemaker_session if sagemaker_session is not None else workspace
    if isinstance(given, Session) and who is None:
        return given
    return Session(given, who=who)


def _registry_in(workspace: object) -> Registry:
    from driftline.registry.store import Registry

    if isinstance(workspace, Registry):
        return workspace
    held = getattr(workspace, "registry", None)
    if isinstance(held, Registry) and isinstance(getattr(workspace, "root", None), str):
        return held
    is_cloud = hasattr(workspace, "sagemaker_client") or hasattr(workspace, "boto_session")
    raise UsageError(
        "is a session of SageMaker, where no card of driftline is"
        if is_cloud
        else f"a {printable(type(workspace).__name__, 60)} is no workspace",
        code="E-CARD-SESSION",
        field="sagemaker_session",
        fix="give a driftline Workspace or its path; models of SageMaker come in with driftline model import --sagemaker",
    )
