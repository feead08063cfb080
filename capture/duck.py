"""DuckDB within limits, over files of a capture store that are what was written."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.errors import SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftline.capture.manifest import Segment
    from driftline.capture.target import Target

__all__ = ["Duck", "Resources", "opened", "quoted", "reading_files"]

_BATCH = 65_536


@dataclass(frozen=True, slots=True)
class Resources:
    """What a join may take.

    Attributes
    ----------
    memory_bytes : int
        Most memory of DuckDB; what does not fit goes to the temporary folder.
    threads : int
        At least 1; by default the processors at hand, at most 4.
    temporary : path or None
        Folder for what does not fit in memory, and for copies of objects from a store; the system's by default.
    """

    memory_bytes: int = 1 << 30
    threads: int = field(default_factory=lambda: min(4, len(os.sched_getaffinity(0))))
    temporary: str | os.PathLike[str] | None = None


class Duck:
    """DuckDB with its limits, and files where it can read them."""

    def __init__(self, folder: Path, resources: Resources) -> None:
        import duckdb

        self.folder = folder
        self.duckdb = duckdb
        self.connection = duckdb.connect(
            config={
                "memory_limit": f"{resources.memory_bytes}B",
                "threads": resources.threads,
                "temp_directory": str(folder / "spilled"),
                "preserve_insertion_order": False,
            }
        )
        self._links: dict[str, Path] = {}
        self._known: dict[str, str] = {}

    def close(self) -> None:
        """Give back what it holds."""
        self.connection.close()

    def local(self, target: Target, segments: Sequence[Segment]) -> list[str]:
        """Return paths of the files, verified; what lies on an object store is copied.

        The paths lead through the temporary folder: DuckDB would take a ``*`` in the name of somebody's folder for a
        pattern.
        """
        found = []
        for segment in segments:
            path = self._known.get(segment.path)
            if path is None:
                path = self._known[segment.path] = self._fetched(target, segment)
            found.append(path)
        return found

    def _fetched(self, target: Target, segment: Segment) -> str:
        shown = target.shown(segment.path)
        digest = hashlib.sha256()
        try:
            if target.is_local:
                link = self._links.get(target.name)
                if link is None:
                    link = self._links[target.name] = self.folder / f"captures-{len(self._links)}"
                    link.symlink_to(Path(target.name).resolve())
                path = link / segment.path
                with path.open("rb") as file:
                    while chunk := file.read(1 << 20):
                        digest.update(chunk)
            else:
                data = target.read(segment.path)
                digest.update(data)
                path = self.folder / f"{len(self._known):06d}.parquet"
                path.write_bytes(data)
        except FileNotFoundError:
            raise _damaged(shown, "is in the manifest and not there") from None
        except OSError as error:
            raise SourceError(
                f"cannot be read: {error.strerror or error}", code="E-FILE", file=shown
            ) from None
        if digest.hexdigest() != segment.sha256:
            raise _damaged(shown, "is not what was written: its digest is another")
        return str(path)

    def ask(self, query: str) -> Any:
        """Run a query and give its batches as a stream."""
        with self.failing():
            relation: Any = self.connection.sql(query)
            if hasattr(relation, "to_arrow_reader"):
                return relation.to_arrow_reader(_BATCH)
            return relation.fetch_record_batch(_BATCH)

    def number(self, query: str) -> int:
        """Run a query that gives one number."""
        with self.failing():
            row = self.connection.execute(query).fetchall()
        return int(row[0][0] or 0)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Say in our words what DuckDB lacks."""
        try:
            yield
        except self.duckdb.OutOfMemoryException as error:
            raise UsageError(
                f"the labels cannot be joined in the memory that is allowed: {_line(error)}",
                code="E-MEMORY",
                fix="allow more, use fewer threads, or make room in the temporary folder",
            ) from None
        except self.duckdb.Error as error:
            raise SourceError(f"the labels cannot be joined: {_line(error)}", code="E-LABELS") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _folder(resources: Resources) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="driftline-labels-", dir=resources.temporary)
    except OSError as error:
        raise UsageError(
            f"cannot be used: {error.strerror or error}",
            code="E-WRITE",
            file=resources.temporary,
            fix="give a temporary folder that may be written",
        ) from None


@contextmanager
def opened(resources: Resources) -> Iterator[Duck]:
    """Open DuckDB with a folder of its own, which goes with it.

    Raises
    ------
    UsageError
        ``E-RESOURCES`` where it is given too little, ``E-WRITE`` where there is no temporary folder.
    """
    if resources.threads < 1 or resources.memory_bytes < 16 << 20:
        raise UsageError(
            "a join needs at least one thread and 16 MiB", code="E-RESOURCES", fix="give it more"
        )
    with _folder(resources) as folder:
        duck = Duck(Path(folder), resources)
        try:
            yield duck
        finally:
            duck.close()


def _damaged(file: str, message: str) -> SourceError:
    return SourceError(message, code="E-DIGEST", file=file, fix="restore it from a backup")


def reading_files(files: Sequence[str], *more: str) -> str:
    """Return the table function that reads files."""
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"read_parquet([{listed}], {', '.join(('hive_partitioning = false', *more))})"


def quoted(name: str) -> str:
    """Return a name as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'
