"""SendError: why something did not arrive, and whether trying again can help."""

from __future__ import annotations

from typing import Literal

from driftline.errors import DriftlineError

__all__ = ["Kind", "SendError"]

Kind = Literal[
    "refused", "secret", "resolve", "connect", "tls", "timeout", "network", "answer", "status", "service"
]
"""Where it ended.

=========== ===================================================================================================
refused     the guard does not let it go there
secret      the address or the key is not where the target says
resolve     the name has no address, or nobody said so in time
connect     no connection
tls         no encryption, or a certificate that is not the receiver's
timeout     the receiver took too long
network     the connection broke
answer      what came back is no HTTP, or its headers never end
status      the receiver answered, and did not take it
service     a chat, mail or pager service did not take it
=========== ===================================================================================================
"""


class SendError(DriftlineError, RuntimeError):
    """A notification did not arrive.

    Parameters
    ----------
    kind : str
        One of :data:`Kind`.
    message : str
        What happened. Holds the receiver's host at most, never its path, its query or a key.
    retry_after : float, optional
        Seconds the receiver asks to be left alone.
    permanent : bool, default False
        Trying again cannot help: the receiver or the configuration must change first.
    """

    default_code = "E-SEND"

    def __init__(
        self, kind: Kind, message: str, retry_after: float | None = None, permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.permanent = permanent
