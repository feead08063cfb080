"""Secrets: where they are kept, and how they stay out of what is shown."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from driftline.errors import InputError
from driftline.files import read_regular
from driftline.monitor.notify.error import SendError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["mask", "origin", "parts_of_url", "read_secret"]

HIDDEN: Final = "***"
MAX_BYTES: Final = 65536
SHORTEST: Final = 6


def read_secret(env: str | None, file: str | None, environ: Mapping[str, str] | None = None) -> str:
    """Return what a variable of the environment and a file hold, without white space around it.

    Parameters
    ----------
    env : str or None
        Name of a variable.
    file : str or None
        Path of a file. Where both are given, both are read, and a line break put between them.
    environ : mapping of str to str, optional
        The environment; that of the process, where it is left out.

    Raises
    ------
    SendError
        ``secret``: one is missing, empty or unreadable.
    """
    texts = []
    if env is not None:
        text = (os.environ if environ is None else environ).get(env, "").strip()
        if not text:
            raise SendError("secret", f"the variable {env} is not set")
        texts.append(text)
    if file is not None:
        try:
            text = read_regular(file, max_bytes=MAX_BYTES).decode("utf-8").strip()
        except InputError as error:
            raise SendError("secret", f"the file {file} {error.message}") from None
        except UnicodeDecodeError:
            raise SendError("secret", f"the file {file} is no UTF-8") from None
        if not text:
            raise SendError("secret", f"the file {file} is empty")
        texts.append(text)
    return "\n".join(texts)


def origin(url: str) -> str:
    """Return what of a URL may be shown: scheme, host and port.

    Examples
    --------
    >>> origin("https://hooks.example.com/services/T0/B0/secret?key=1")
    'https://hooks.example.com/…'
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@]*@)*([^/?#@]*)", url)
    return f"{found[1]}://{found[2]}/…" if found else HIDDEN


def parts_of_url(url: str, *, with_host: bool = False) -> set[str]:
    """Return the parts of a URL that may be secrets: all but scheme, host and port.

    Parameters
    ----------
    url : str
    with_host : bool, default False
        The host is one, too: apprise has tokens there.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return {url}
    found = {url, parts.path, parts.query, parts.fragment, parts.username or "", parts.password or ""}
    found |= set(parts.path.split("/"))
    found |= set(re.split("[&=]", parts.query))
    if with_host:
        found |= {parts.netloc, *re.split("[:@]", parts.netloc)}
    return found


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with the secrets in it replaced by ``***``, as they are or percent-decoded.

    What is shorter than six characters is not replaced: it would be found everywhere.
    """
    spelled = {secret for given in secrets for secret in (given, unquote(given))}
    for secret in sorted(spelled, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text
