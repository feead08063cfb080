"""Baselines of a workspace: versions, proposals, and the files behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.registry import baselines, lineage
from driftline.registry.database import RegistryError
from driftline.rooms.room import Room

if TYPE_CHECKING:
    import builtins
    import os
    from collections.abc import Mapping

    from driftline.baselines.protocol import AnyBaseline as Files
    from driftline.registry.baselines import Baseline
    from driftline.registry.store import Tx

__all__ = ["Baselines"]


class Baselines(Room):
    """``ws.baselines``."""

    def list(
        self, *, model: str | None = None, after: str | None = None, limit: int = 100
    ) -> builtins.list[Baseline]:
        """Return the newest version of each baseline, by name."""
        return self._read(lambda tx: baselines.list_baselines(tx, model=model, after=after, limit=limit))

    def get(self, name: str, version: int | None = None) -> Baseline:
        """Return a version; the current one where none is named.

        Raises
        ------
        RegistryError
            ``E-NO-BASELINE``, ``E-NO-BASELINE-VERSION``, ``E-NO-CURRENT-BASELINE``.
        """
        return self._read(
            lambda tx: baselines.current(tx, name) if version is None else baselines.get(tx, name, version)
        )

    def versions(self, name: str) -> builtins.list[Baseline]:
        """Return all versions, the newest last."""
        return self._read(lambda tx: baselines.history(tx, name))

    def proposals(self, *, limit: int = 100) -> builtins.list[Baseline]:
        """Return what waits for somebody to decide, the oldest first."""
        return self._read(lambda tx: baselines.proposals(tx, limit=limit))

    def load(self, name: str, version: int | None = None) -> Files:
        """Read the files of a version, the current one where none is named, and see that they are what was registered.

        Raises
        ------
        InputError
            ``E-BASELINE``, ``E-DIGEST``.
        RegistryError
        """
        found = self.get(name, version)
        return self._house.place.baseline(found.path, found.digest)

    def propose(
        self,
        name: str,
        baseline: Files | str | os.PathLike[str],
        *,
        kind: str | None = None,
        model: str | None = None,
        accept: bool = False,
        reason: str = "",
    ) -> Baseline:
        """Propose a baseline as the next version; the first one counts at once.

        Parameters
        ----------
        name : str
        baseline : Baseline or path
            What :func:`driftline.baseline` made, or the folder of one, or of SageMaker's files.
        kind : str, optional
            Needed only where SageMaker's file is of two kinds.
        model : str, optional
        accept : bool
            Let it take the place of the current one at once.
        reason : str

        Returns
        -------
        Baseline
            The version that these files are.

        Raises
        ------
        DriftlineError
        """
        from driftline.monitor.kinds import load_baseline
        from driftline.registry.baseline_diff import diff_between
        from driftline.registry.folders import baseline_path, folder_digest

        made = (
            load_baseline(baseline, kind=kind)
            if isinstance(baseline, str) or hasattr(baseline, "__fspath__")
            else baseline
        )
        kind = made.recipe
        files = made.files()
        digest = folder_digest(files)
        versions = self._versions(name)
        there = next((v for v in versions if v.digest == digest and v.state in ("current", "proposed")), None)
        if there is not None:
            return self.accept(name, there.version, reason=reason) if accept else there
        before = next((one for one in versions if one.state == "current"), None)
        number = versions[-1].version + 1 if versions else 1
        path = baseline_path(name, number, digest)
        old = None if before is None else self._house.place.baseline(before.path, before.digest)
        diff = diff_between(old, made)
        model = model or (None if before is None else before.model)
        # Whoever applies a file later must see that this version is not what the file gave.
        spec: Mapping[str, Any] = {
            "kind": kind,
            "by_hand": True,
            "data": [{"uri": source} for source in made.sources],
        }

        def act(tx: Tx) -> Baseline:
            current = baselines.find_current(tx, name)
            if current != before:
                raise RegistryError(
                    f"another version of {name!r} has become current meanwhile",
                    code="E-BASELINE-STATE",
                    fix="propose it again",
                )
            written = baselines.propose(
                tx,
                name,
                kind=kind,
                path=path,
                digest=digest,
                model=model,
                spec=spec,
                diff=diff,
                accept=accept or before is None,
            )
            lineage.of_baseline(tx, name, written.version, written.path, written.digest, spec["data"], model)
            return written

        self._house.place.write(path, files)
        return self._act(act, reason)

    def _versions(self, name: str) -> builtins.list[Baseline]:
        try:
            return self.versions(name)
        except RegistryError as error:
            if error.code != "E-NO-BASELINE":
                raise
            return []

    def accept(self, name: str, version: int, *, reason: str = "") -> Baseline:
        """Make a proposed version the current one."""
        return self._act(lambda tx: baselines.accept(tx, name, version), reason)

    def reject(self, name: str, version: int, *, reason: str = "") -> Baseline:
        """Turn a proposed version down."""
        return self._act(lambda tx: baselines.reject(tx, name, version), reason)
