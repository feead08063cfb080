"""``driftline capture sink``."""

from __future__ import annotations

import gc
import sys
import time
from typing import Any, Literal

import click

__all__ = ["command"]

_STOP_SECONDS = 4.5
"""Longest time from the signal to the end."""

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}


class Size(click.ParamType[int]):
    """Bytes, such as ``500MB``, ``10GB`` or ``1GiB``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = value.strip().lower().removesuffix("b")
        number = text.rstrip("kmgti")
        unit = text[len(number) :]
        try:
            size = int(float(number) * _UNITS[unit])
        except (ValueError, KeyError, OverflowError):
            self.fail(f"{value!r} is no size; write it as 500MB, 10GB or 1GiB", param, ctx)
        if not 0 < size < 2**62:
            self.fail(f"{value!r} is no size above zero", param, ctx)
        return size


@click.command(name="sink")
@click.argument("captures", metavar="CAPTURES")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8410, show_default=True, type=click.IntRange(0, 65535), help="0 takes any that is free."
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Who may send: a line for each token, TOKEN ENDPOINT,ENDPOINT or TOKEN *. Read again when it changes.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Local folder for what is not sealed yet; needed where CAPTURES is on an object store.",
)
@click.option(
    "--seal-seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0.1, 86400),
    help="How long events lie in the log before they can be read.",
)
@click.option(
    "--pair-seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, 86400),
    help="How long half an event waits for its other half.",
)
@click.option("--disk-budget", type=Size(), metavar="SIZE", help="Most bytes on the disk, such as 10GB.")
@click.option(
    "--when-full",
    default="drop",
    show_default=True,
    type=click.Choice(["drop", "expire"]),
    help="drop refuses what comes, expire removes the oldest hours.",
)
@click.option("--max-body", default="16MiB", show_default=True, type=Size(), help="Largest request.")
@click.option(
    "--max-records",
    default=10_000,
    show_default=True,
    type=click.IntRange(1),
    help="Most records of a request.",
)
@click.option(
    "--max-endpoints",
    default=1000,
    show_default=True,
    type=click.IntRange(1),
    help="Most endpoints and variants that are taken.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
def command(
    captures: str,
    host: str,
    port: int,
    token_file: str | None,
    state: str | None,
    seal_seconds: float,
    pair_seconds: float,
    disk_budget: int | None,
    when_full: Literal["drop", "expire"],
    max_body: int,
    max_records: int,
    max_endpoints: int,
    quiet: bool,
) -> int:
    """Receive captured traffic by HTTP.

    Events are answered when they are on the disk. CAPTURES is a folder, or a prefix of an object store.

    \b
      driftline capture sink captures/
      driftline capture sink captures/ --host 0.0.0.0 --token-file tokens --disk-budget 10GB
    """
    from driftline.capture.captures import Captures, Limits
    from driftline.capture.posted_labels import posted_labels
    from driftline.capture.serve import listening, serve
    from driftline.capture.sink import sink
    from driftline.capture.tokens import Tokens
    from driftline.errors import UsageError, printable

    tokens = None if token_file is None else Tokens(file=token_file)
    if tokens is None and not _is_loopback(host):
        raise UsageError(
            f"listening on {host} lets everybody write who can reach it",
            code="E-TOKEN",
            fix="give --token-file, or listen on 127.0.0.1",
        )
    _more_files()
    opened = listening(host, port)
    try:
        limits = Limits(
            disk_bytes=disk_budget, when_full=when_full, seal_seconds=seal_seconds, pair_seconds=pair_seconds
        )
        store = Captures(captures, state=state, limits=limits)
        application = sink(
            store,
            tokens=tokens,
            labels=posted_labels(store),
            max_body=max_body,
            max_records=max_records,
            max_endpoints=max_endpoints,
        )
    except BaseException:
        opened.close()
        raise
    store.recover(0.0)

    def started() -> None:
        if not quiet:
            shown, number = opened.getsockname()[:2]
            shown = f"[{shown}]" if ":" in shown else shown
            print(f"listening on http://{shown}:{number}, storing in {printable(captures)}", flush=True)  # noqa: T201

    # Records are made and gone by the thousand, and hold no cycles: to look for some so often costs a tenth of the rate.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    asked = None
    try:
        asked = serve(application, opened, started=started)
    finally:
        # What cannot be sealed in this time is sealed at the next start: nothing is lost.
        spent = 0.0 if asked is None else time.monotonic() - asked
        store.close(max(1.0, _STOP_SECONDS - spent))
    if not quiet:
        print("stopped", file=sys.stderr)  # noqa: T201
    return 0


def _is_loopback(host: str) -> bool:
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _more_files() -> None:
    """Allow as many connections as the system lets this process have."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
