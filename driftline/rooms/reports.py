"""Reports of a workspace: what executions found, as they wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.errors import InputError
from driftline.registry import executions
from driftline.registry.database import RegistryError
from driftline.rooms.room import Room

if TYPE_CHECKING:
    from driftline.registry.executions import Execution
    from driftline.reports.report import Report

__all__ = ["Reports"]


class Reports(Room):
    """``ws.reports``."""

    def load(self, execution: str) -> Report:
        """Read the report of an execution, and see that it is what was registered.

        Parameters
        ----------
        execution : str
            Its id.

        Raises
        ------
        RegistryError
            ``E-NO-EXECUTION``; ``E-NO-REPORT``: the execution has none.
        InputError
            ``E-DIGEST``: files of it are gone, or were changed.
        """
        return self._load(self._read(lambda tx: executions.get(tx, execution)))

    def latest(self, schedule: str) -> Report:
        """Read the report of the newest window that has one.

        Raises
        ------
        RegistryError
            ``E-NO-REPORT``: no run of the schedule has a report yet.
        InputError
            ``E-DIGEST``.
        """
        found = self._read(
            lambda tx: executions.history(
                tx, schedule=schedule, status=executions.FINISHED, newest_only=True, limit=1
            )
        )
        if not found:
            raise RegistryError(
                f"no run of {schedule!r} has a report yet",
                code="E-NO-REPORT",
                fix=f"run it with `driftline monitor run {schedule}`",
            )
        return self._load(found[0])

    def _load(self, execution: Execution) -> Report:
        from driftline.registry.folders import folder_digest
        from driftline.reports.codec import from_json

        if execution.report is None:
            raise RegistryError(
                f"execution {execution.id} has no report: it is {execution.status}",
                code="E-NO-REPORT",
                fix="read its message",
            )
        place = self._house.place
        files = place.files(execution.report)
        where = place.shown(execution.report)
        if "report.json" not in files or folder_digest(files) != execution.report_digest:
            raise InputError(
                "is not what was registered: its digest is another" if files else "is gone",
                code="E-DIGEST",
                file=where,
                fix="restore it from a backup, or run the window again",
            )
        return from_json(files["report.json"], file=f"{where}/report.json")
