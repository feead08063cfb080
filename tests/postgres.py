"""A real PostgreSQL server for the tests, started once per session of tests, on loopback, in a folder of its own."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Server", "binary", "server"]


def binary(name: str) -> str:
    """Return the path of a program of the newest PostgreSQL that is installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    if found:
        return str(found[0])
    there = shutil.which(name)
    assert there, "PostgreSQL is not installed; `make test` installs it"
    return there


def _ids() -> dict[str, int]:
    """Return as whom the server runs: it refuses to be root."""
    if os.getuid():
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid}


class Server:
    """A server that listens on loopback."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        ids = _ids()
        if ids:
            os.chown(folder, ids["user"], ids["group"])
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        subprocess.run(
            [binary("initdb"), "-D", self.data, "-U", "driftline", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            env=env,
            cwd=folder,
            **ids,
        )
        self.settings = settings
        self.port = _free_port()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["-p", str(self.port), "-k", str(self.folder), "-h", "127.0.0.1"]
        for setting in (
            "max_connections=200",
            "shared_buffers=64MB",
            "log_min_messages=panic",
            *self.settings,
        ):
            options += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary("postgres"), "-D", self.data, *options],
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                cwd=self.folder,
                **_ids(),
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "PostgreSQL did not start"
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.05)
            else:
                return

    def stop(self, how: str = "fast") -> None:
        """Stop it: ``fast``, or ``immediate`` as in a crash."""
        import signal

        self.process.send_signal(signal.SIGINT if how == "fast" else signal.SIGQUIT)
        self.process.wait(60)

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://driftline@127.0.0.1:{self.port}/{database}"

    def database(self, template: str | None = None) -> str:
        """Make a database of a fresh name, and return its URL."""
        name = f"t{uuid.uuid4().hex[:16]}"
        like = f" TEMPLATE {template}" if template else ""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{like}".encode())
        return self.url(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """Give a server that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="driftline-pg-", dir="/tmp"))
    made = None
    try:
        with (Path(tempfile.gettempdir()) / "driftline-pg.lock").open("a") as turn:
            # Several workers of pytest-xdist would fight over two cores.
            fcntl.flock(turn, fcntl.LOCK_EX)
            made = Server(folder, "fsync=off", "synchronous_commit=off", "full_page_writes=off", *settings)
        yield made
    finally:
        if made is not None:
            made.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
