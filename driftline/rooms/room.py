"""Room: how a kind of thing in a workspace is reached, one transaction a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.monitor.running import Place
    from driftline.monitor.scheduler import Scheduler
    from driftline.registry.store import Registry, Tx

__all__ = ["House", "Room"]

T = TypeVar("T")


class House(Protocol):
    """What rooms need to know of their workspace."""

    @property
    def registry(self) -> Registry:
        """What exists and what happened."""

    @property
    def place(self) -> Place:
        """Where the files are."""

    def scheduler(self, *, send: bool = True) -> Scheduler:
        """Return a scheduler of it."""


class Room:
    """Things of one kind.

    Parameters
    ----------
    house : House
        The workspace.
    who : str, optional
        Who acts; the person at the terminal where not given.
    """

    def __init__(self, house: House, who: str | None = None) -> None:
        self._house = house
        self._who = who

    def _read(self, action: Callable[[Tx], T]) -> T:
        with self._house.registry.read() as tx:
            return action(tx)

    def _act(self, action: Callable[[Tx], T], reason: str) -> T:
        return self._house.registry.act(action, who=self._who, reason=reason)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._house!r}>"
