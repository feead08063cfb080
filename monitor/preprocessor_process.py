"""Process: the child that runs a user's preprocessor, with its limits, its pipes and its end.

It knows about bytes, time and death, and nothing about records. The parent must survive whatever the child
does: it never waits for one pipe while another fills, believes no length that the child announces, keeps
only the tail of what the child prints, and ends the child with its whole process group.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

from driftline.errors import printable

__all__ = ["GarbledError", "Process", "StalledError", "system_call_filter"]

MIB = 1024 * 1024
MAX_FRAME_BYTES = 20 * MIB  # the child keeps to 16
PIPE_BYTES = MIB
LOG_BYTES = 64 * 1024
LOG_LINES = 20
POLL_SECONDS = 0.25

_SINGLE_THREADED = (
    "ARROW_IO_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
)

# Numbers of the system calls, by architecture: audit code; setsid, setpgid; fork, vfork; clone.
_CALLS: dict[str, tuple[int, tuple[int, ...], tuple[int, ...], int]] = {
    "x86_64": (0xC000003E, (112, 109), (57, 58), 56),
    "aarch64": (0xC00000B7, (157, 154), (), 220),
}
_CLONE3 = 435
_CLONE_THREAD = 0x00010000
_X32_BIT = 0x40000000


def system_call_filter(machine: str, *, allow_processes: bool) -> bytes:
    """Write the filter that refuses new processes and a change of process group.

    A refused call fails with ``EPERM``, which Python shows as PermissionError. Threads stay possible.
    ``clone3`` passes its flags in memory, where a filter cannot look; told that it does not exist, libc
    uses ``clone``.

    Parameters
    ----------
    machine : str
        Architecture as in ``os.uname().machine``.
    allow_processes : bool
        Refuse only to leave the process group, so that one signal reaches all processes.

    Returns
    -------
    bytes
        A classic BPF program for ``seccomp``, eight bytes an instruction; empty for an architecture not
        known here.
    """
    if machine not in _CALLS or struct.calcsize("P") != 8 or sys.byteorder != "little":
        return b""
    audit, always, processes, clone = _CALLS[machine]
    load, equal, at_least, has_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    permit, refuse, absent = 0x7FFF0000, 0x00050001, 0x00050026  # allow; EPERM; ENOSYS
    # Operation, jump if true, jump if false, operand. Data: number at 0, architecture at 4, arguments at 16.
    program = [(load, 0, 0, 4), (equal, 1, 0, audit), (give, 0, 0, refuse), (load, 0, 0, 0)]
    if machine == "x86_64":
        # The x32 calls share the audit code and would pass under other numbers.
        program += [(at_least, 0, 1, _X32_BIT), (give, 0, 0, refuse)]
    for number in always if allow_processes else (*always, *processes):
        program += [(equal, 0, 1, number), (give, 0, 0, refuse)]
    if not allow_processes:
        program += [(equal, 0, 1, _CLONE3), (give, 0, 0, absent)]
        program += [
            (equal, 0, 3, clone),
            (load, 0, 0, 16),
            (has_bit, 1, 0, _CLONE_THREAD),
            (give, 0, 0, refuse),
        ]
    program.append((give, 0, 0, permit))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


class StalledError(Exception):
    """The process made no progress in time, or took too long in all."""

    def __init__(self, *, total: bool) -> None:
        super().__init__()
        self.total = total


class GarbledError(Exception):
    """The bytes that came back are not frames."""


class Process:
    """The child process with its pipes; knows about bytes, time and death, not about records.

    Parameters
    ----------
    timeout_seconds, max_seconds : float
        Longest wait without progress, and in all.
    program : Path, optional
        What the child runs; the one for preprocessors, where it is left out.
    """

    def __init__(self, timeout_seconds: float, max_seconds: float, program: Path | None = None) -> None:
        self.closed = False
        self._timeout_seconds = timeout_seconds
        self._max_seconds = max_seconds
        self._poll_seconds = min(POLL_SECONDS, timeout_seconds / 4, max_seconds / 4)
        self._waited = 0.0
        self._n_read = 0
        self._seen = (0, 0)
        self._seen_at = 0.0
        self._hung_up = False
        self._outgoing: deque[memoryview] = deque()
        self._incoming = bytearray()
        self._log = bytearray()
        self._resources = contextlib.ExitStack()
        theirs: list[int] = []
        try:
            self._folder = tempfile.mkdtemp(prefix="driftline-preprocessor-")
            self._resources.callback(_remove, self._folder)
            # A socket, since writing to a pipe without a reader may raise SIGPIPE in the caller's process.
            self._request, child_side = socket.socketpair()
            self._resources.callback(self._request.close)
            theirs.append(child_side.detach())
            self._reply = self._pipe(theirs)
            self._log_end = self._pipe(theirs)
            # Read by pread, never mapped: a child that cut it short would take its reader down with SIGBUS.
            self._shared = os.memfd_create("driftline-progress")
            self._resources.callback(os.close, self._shared)
            os.truncate(self._shared, 8)
            request_end, reply_end, log_write = theirs
            for_child = (request_end, reply_end, self._shared)
            self._child = subprocess.Popen(  # noqa: S603 - our own program; nothing of it comes from outside
                [
                    sys.executable,
                    "-sPB",
                    str(program or Path(__file__).with_name("preprocessor_child.py")),
                    *(str(descriptor) for descriptor in for_child),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log_write,
                stderr=log_write,
                pass_fds=for_child,
                cwd=self._folder,
                env=_environment(self._folder),
                start_new_session=True,
                umask=0o077,
            )
        except BaseException:
            self._resources.close()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._request.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._reply, select.POLLIN)
        self._poll.register(self._log_end, select.POLLIN)

    def _pipe(self, theirs: list[int]) -> int:
        """Make a pipe for the child to write; keep its reading end and add the other to `theirs`."""
        ours, other = os.pipe()
        self._resources.callback(os.close, ours)
        theirs.append(other)
        os.set_blocking(ours, False)
        try:
            fcntl.fcntl(other, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            return ours  # above this user's allowance; the usual 64 KiB do as well
        return ours

    @property
    def progress(self) -> int:
        """1-based number of the record that the child is at; 0 before the first."""
        return int.from_bytes(os.pread(self._shared, 8, 0), sys.byteorder)

    def send(self, kind: bytes, content: bytes) -> None:
        """Queue a frame, and write as much as goes without waiting."""
        self._outgoing.append(memoryview(kind + len(content).to_bytes(4, "big") + content))
        self._poll.register(self._request, select.POLLOUT)
        self._write()

    def receive(self) -> tuple[bytes, bytes] | None:
        """Wait for the next frame; None when the child is gone or has closed its end.

        Raises
        ------
        StalledError
            If a limit of time is passed.
        GarbledError
            If a frame is announced that is longer than any frame.
        """
        while True:
            if len(self._incoming) >= 5:
                length = int.from_bytes(self._incoming[1:5], "big")
                if length > MAX_FRAME_BYTES:
                    raise GarbledError
                if len(self._incoming) >= 5 + length:
                    frame = bytes(self._incoming[:1]), bytes(self._incoming[5 : 5 + length])
                    del self._incoming[: 5 + length]
                    return frame
            if self._hung_up:
                return None
            self._wait()

    def _wait(self) -> None:
        started = time.monotonic()
        events = self._poll.poll(self._poll_seconds * 1000)
        for descriptor, _ in events:
            if descriptor == self._reply:
                self._read_reply()
            elif descriptor == self._log_end:
                self._read_log()
            else:
                self._write()
        if not events and self._peek() is not None:
            # A process that the child started may hold the pipe open; nobody will answer any more.
            self._hung_up = True
        # Reading counts as waiting: a handler that prints for ever hangs too.
        self._waited += time.monotonic() - started
        seen = self.progress, self._n_read
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._waited
        elif self._waited - self._seen_at > self._timeout_seconds:
            raise StalledError(total=False)
        if self._waited > self._max_seconds:
            raise StalledError(total=True)

    def _write(self) -> None:
        try:
            while self._outgoing:
                view = self._outgoing[0]
                sent = self._request.send(view, socket.MSG_NOSIGNAL)
                if sent < len(view):
                    self._outgoing[0] = view[sent:]
                else:
                    self._outgoing.popleft()
        except BlockingIOError:
            return
        except OSError:
            # The child is gone; the end of its answers will say so.
            self._outgoing.clear()
        self._poll.unregister(self._request)

    def _read_reply(self) -> None:
        chunk = os.read(self._reply, PIPE_BYTES)
        self._incoming += chunk
        self._n_read += len(chunk)
        if not chunk:
            self._hung_up = True

    def _read_log(self) -> bool:
        try:
            chunk = os.read(self._log_end, LOG_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            if not self.closed:
                self._poll.unregister(self._log_end)
            return False
        self._log += chunk
        if len(self._log) > 2 * LOG_BYTES:
            del self._log[:-LOG_BYTES]
        return True

    def log_tail(self) -> tuple[str, ...]:
        """Return the last lines that came over the log pipe."""
        lines = bytes(self._log[-LOG_BYTES:]).decode("utf-8", "replace").splitlines()
        return tuple(printable(line, 500) for line in lines[-LOG_LINES:])

    def _peek(self) -> int | None:
        """Tell how the child ended, as subprocess spells it, without reaping it; None while it runs."""
        try:
            result = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 0  # somebody else in this program has reaped it
        if result is None:
            return None
        return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status

    def ending(self) -> int | None:
        """Tell how the child ended; None if it still runs a second after it stopped to answer."""
        deadline = time.monotonic() + 1.0
        while (status := self._peek()) is None and time.monotonic() < deadline:
            time.sleep(0.002)
        return status

    def close(self) -> None:
        """Kill the process group, keep the end of the log, and give everything back."""
        if self.closed:
            return
        self.closed = True
        # Before the child is reaped its number cannot be given to another group.
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._child.kill()
        self._child.wait()
        for _ in range(1 + PIPE_BYTES // LOG_BYTES):
            if not self._read_log():
                break
        self._resources.close()


def _environment(folder: str) -> dict[str, str]:
    """Return all the variables that the child sees; none is the caller's."""
    return {
        "HOME": folder,
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",  # an arena of 64 MiB per thread would count against the memory limit
        "PATH": os.defpath,
        "PYTHONHASHSEED": "0",
        "TMPDIR": folder,
        "TZ": "UTC",
        **dict.fromkeys(_SINGLE_THREADED, "1"),
    }


def _remove(folder: str) -> None:
    """Remove `folder`, also where the user's code took away the permission; leave what cannot be removed."""
    shutil.rmtree(folder, ignore_errors=True)
    if not Path(folder).exists():
        return
    with contextlib.suppress(OSError):
        Path(folder).chmod(0o700)
        for parent, names, _ in os.walk(folder):
            for path in (Path(parent, name) for name in names):
                if not path.is_symlink():  # chmod would follow it out of the folder
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
