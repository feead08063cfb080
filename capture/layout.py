"""Layout: which folders the files of a capture store lie in."""

from __future__ import annotations

from datetime import UTC, datetime

from driftline.capture.event import check_name

__all__ = ["MANIFESTS", "STATE", "folder_of", "manifest_folder"]

STATE = ".driftline"
MANIFESTS = {"events": f"{STATE}/manifest", "labels": f"{STATE}/labels"}
"""Folders of the manifests that are told to other machines, by kind of segment."""


def folder_of(endpoint: str, variant: str, hour: int) -> str:
    """Return the folder of an hour, relative to the captures.

    Parameters
    ----------
    endpoint, variant : str
    hour : int
        Hours since 1970-01-01 UTC.
    """
    moment = datetime.fromtimestamp(hour * 3600, UTC)
    check_name("an endpoint", endpoint)
    check_name("a variant", variant)
    return f"{endpoint}/{variant}/date={moment.date().isoformat()}/hour={moment:%H}"


def manifest_folder(endpoint: str, variant: str, day: int, kind: str = "events") -> str:
    """Return the folder in which the manifests of a day are told to other machines.

    Parameters
    ----------
    endpoint, variant : str
    day : int
        Days since 1970-01-01 UTC.
    kind : {"events", "labels"}
    """
    date = datetime.fromtimestamp(day * 86400, UTC)
    return f"{MANIFESTS[kind]}/{endpoint}/{variant}/date={date.date().isoformat()}"
