"""R7, a proxy between a client and its server, in a process of its own, that can stop forwarding or cut at a bad moment."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

from exam import forks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Proxy", "proxy"]

FORWARD, HOLE, CUT_BEFORE, CUT_AFTER, CUT_ALL = range(5)
_COMMIT = b"COMMIT\0"


class Proxy:
    """A proxy on loopback.

    Attributes
    ----------
    port : int
    """

    def __init__(self, to: int) -> None:
        self._memory = mmap.mmap(-1, 16)
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(listener.getsockname()[1])
        self._pid = forks.start(lambda: self._serve(listener, to))
        listener.close()

    def set(self, mode: int) -> None:
        """Say what becomes of what is sent from now on."""
        self._memory[0] = mode

    @property
    def cuts(self) -> int:
        """How often a connection was cut around a commit."""
        return int(struct.unpack("q", self._memory[8:16])[0])

    def close(self) -> None:
        """End it."""
        forks.kill(self._pid)
        self._memory.close()

    # --- in its own process ---

    def _serve(self, listener: socket.socket, to: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        parent = os.getppid()
        threading.Thread(target=self._end_with, args=(parent,), daemon=True).start()
        while True:
            client, _ = listener.accept()
            threading.Thread(target=self._join, args=(client, to), daemon=True).start()

    @staticmethod
    def _end_with(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    def _join(self, client: socket.socket, to: int) -> None:
        while self._memory[0] == HOLE:
            time.sleep(0.01)
        try:
            server = socket.create_connection(("127.0.0.1", to), timeout=5)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        is_last = False
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [], 0.02)
                mode = self._memory[0]
                if mode == HOLE:
                    time.sleep(0.01)
                    continue
                if mode == CUT_ALL:
                    return
                for one in ready:
                    data = one.recv(1 << 16)
                    if not data:
                        return
                    if one is client:
                        if mode in (CUT_BEFORE, CUT_AFTER) and _COMMIT in data:
                            # One at a time: whoever comes first takes the order away.
                            self._memory[0] = FORWARD
                            self._count()
                            if mode == CUT_BEFORE:
                                return
                            is_last = True
                        server.sendall(data)
                    elif is_last:
                        return  # the server has answered, and nobody hears of it
                    else:
                        client.sendall(data)
        except OSError:
            return
        finally:
            _reset(client)
            server.close()

    def _count(self) -> None:
        self._memory[8:16] = struct.pack("q", self.cuts + 1)


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def proxy(to: int) -> Iterator[Proxy]:
    """Give a proxy that is gone afterwards."""
    made = Proxy(to)
    try:
        yield made
    finally:
        made.close()
