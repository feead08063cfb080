"""Recorder: what a Python program saw and answered, kept by a call.

::

    recorder = Recorder("captures/", "churn")
    ids = recorder.log(inputs, outputs)

A row is an event. Rows are handed over as a table, so that a million of them cost no million of anything, and all rows
of a call are kept or none.
"""

from __future__ import annotations

import os
import threading
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa

from driftline.capture.captures import Captures
from driftline.capture.event import DEFAULT_VARIANT, MAX_ATTRIBUTES, MAX_ID, MAX_TEXT, check_name, now
from driftline.capture.ids import new_ids
from driftline.capture.recorded import Rows, refused, rows_of
from driftline.capture.tables import META, TEXTUAL
from driftline.capture.window import moment_of
from driftline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Recorder", "log"]


class Recorder:
    """Keeps what a model saw and answered; safe to use from any thread.

    Parameters
    ----------
    captures : Captures, path or URL
    endpoint : str
    variant : str
    model_version : str, optional
    names, output_names : sequence of str
        For inputs and answers that have none, such as arrays.
    options
        Further arguments for :class:`~driftline.capture.captures.Captures` where it is opened here.

    Raises
    ------
    UsageError
        ``E-NAME``, or as :class:`~driftline.capture.captures.Captures`.
    """

    def __init__(
        self,
        captures: Captures | str | os.PathLike[str],
        endpoint: str,
        *,
        variant: str = DEFAULT_VARIANT,
        model_version: str | None = None,
        names: Sequence[str] = (),
        output_names: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self.endpoint = check_name("an endpoint", endpoint)
        self.variant = check_name("a variant", variant)
        self.model_version = model_version
        self.names = tuple(names)
        self.output_names = tuple(output_names)
        self._is_own = not isinstance(captures, Captures)
        self.captures = captures if isinstance(captures, Captures) else Captures(captures, **options)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recorder of {self.endpoint}/{self.variant} in {self.captures.archive.target.name}>"

    def close(self, timeout: float = 10.0) -> bool:
        """Make visible what was logged; a store that was opened here is closed.

        Returns
        -------
        bool
            False if that took longer than `timeout` seconds; what is on the disk is sealed when the store is opened again.
        """
        return self.captures.close(timeout) if self._is_own else self.captures.seal(timeout)

    def log(
        self,
        inputs: Any = None,
        outputs: Any = None,
        ids: Any = None,
        *,
        inference_ids: Any = None,
        times: Any = None,
        model_version: str | None = None,
        attributes: Mapping[str, str] | None = None,
        durable: bool = True,
        timeout: float = 30.0,
    ) -> list[str]:
        """Keep rows and what was answered to them.

        Parameters
        ----------
        inputs, outputs : data, optional
            As many rows of both, see :mod:`driftline.capture.recorded`: a pandas or polars frame, anything of Arrow, a dict
            of columns or of one row's values, a list of dicts, an array, or a single value.
        ids : sequence of str, optional
            Event ids, one a row and no two the same, by which a repeated call is recognised and ground truth may come;
            random ones otherwise. Whole numbers and UUIDs become text.
        inference_ids : sequence of str or None, optional
            The caller's own ids.
        times : sequence or single value, optional
            When the model was asked: datetimes with a time zone, text in ISO 8601, NumPy's times (as UTC), or microseconds
            since 1970-01-01 UTC. Now, by default.
        model_version : str, optional
            Instead of the recorder's.
        attributes : mapping of str to str, optional
            The same for all rows.
        durable : bool
            Return when the rows are on the disk. Otherwise they are handed over; where there is no room they are counted as
            dropped, and they are lost if the process is killed within some milliseconds.
        timeout : float
            Seconds to wait for the disk.

        Returns
        -------
        list of str
            Event ids, one a row.

        Raises
        ------
        SourceError
            ``E-PAYLOAD`` for values that have no place in a table; nothing is kept then.
        UsageError
            ``E-CAPTURE-FULL`` or ``E-WRITE``, where there is no room or the disk fails; ``E-TIME``.
        """
        sides = {
            "input": None if inputs is None else rows_of(inputs, "input", self.names),
            "output": None if outputs is None else rows_of(outputs, "output", self.output_names),
        }
        n = _n_rows(sides["input"], sides["output"])
        event_ids = new_ids(n) if ids is None else _ids(ids, n, "ids")
        if len(set(event_ids)) != n:
            raise refused("holds the same id twice", "ids")
        callers = (
            [None] * n if inference_ids is None else _ids(inference_ids, n, "inference_ids", may_lack=True)
        )
        version = model_version if model_version is not None else self.model_version
        pairs = _pairs(attributes)
        moments = _moments(times, n)
        if not n:
            return []
        meta: list[Any] = [
            event_ids,
            np.zeros(n, np.int32),
            moments,
            np.full(n, now()),
            [
                "both"
                if inputs is not None and outputs is not None
                else "input"
                if inputs is not None
                else "output"
            ]
            * n,
            callers,
            [version] * n,
            [pairs] * n,
        ]
        table = _table([pa.array(v, field.type) for v, field in zip(meta, META, strict=True)], sides)
        if durable:
            self.captures.write_table(self.endpoint, self.variant, table, timeout)
        else:
            self.captures.put_table(self.endpoint, self.variant, table)
        return [name for name in event_ids if name is not None]


def _n_rows(inputs: Rows | None, outputs: Rows | None) -> int:
    if inputs is None and outputs is None:
        raise refused("there are neither inputs nor outputs")
    if inputs is None or outputs is None:
        return (inputs or outputs or Rows(0, ())).n
    if inputs.n != outputs.n:
        raise refused(
            f"there are {inputs.n:,} rows of inputs and {outputs.n:,} of outputs",
            fix="give as many; an array of one dimension is one row of inputs, reshape(-1, 1) makes it a column",
        )
    return inputs.n


def _table(meta: Sequence[pa.Array], sides: Mapping[str, Rows | None]) -> pa.Table:
    """Put the columns of both sides beside what is known of the events; see ``seal.py`` for their names."""
    arrays: list[Any] = list(meta)
    fields = list(META)
    taken = set(META.names)
    for side, rows in sides.items():
        for column in rows.columns if rows is not None else ():
            name = column.name if column.name not in taken else f"{side}.{column.name}"
            while name in taken:
                name += "_"
            taken.add(name)
            arrays.append(column.values)
            fields.append(pa.field(name, column.values.type, metadata=TEXTUAL if column.is_textual else None))
    return pa.table(arrays, schema=pa.schema(fields, META.metadata))


def _ids(ids: Any, n: int, what: str, *, may_lack: bool = False) -> list[str | None]:
    listed = [ids] if isinstance(ids, (str, int, UUID)) else _list(ids, what)
    if len(listed) != n:
        raise refused(f"there are {n:,} rows and {len(listed):,} {what}")
    out: list[str | None] = []
    for value in listed:
        if value is None and may_lack:
            out.append(None)
            continue
        is_number = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        name = str(value) if is_number or isinstance(value, (str, UUID)) else ""
        if not 0 < len(name) <= MAX_ID or not _is_text(name):
            raise refused(f"{value!r:.80} is no id", what, f"give text of 1 to {MAX_ID} characters")
        out.append(name)
    return out


def _is_text(value: object) -> bool:
    """Tell whether it is text without half of a surrogate pair."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _list(values: Any, what: str) -> list[Any]:
    if hasattr(values, "to_pylist"):
        return list(values.to_pylist())
    try:
        return list(values)
    except TypeError:
        raise refused(f"is a {type(values).__name__}", what, "give a list") from None


def _pairs(attributes: Mapping[str, str] | None) -> list[tuple[str, str]] | None:
    if not attributes:
        return None
    if len(attributes) > MAX_ATTRIBUTES:
        raise refused(f"are more than {MAX_ATTRIBUTES}", "attributes")
    for key, value in attributes.items():
        if not _is_text(key) or not _is_text(value) or max(len(key), len(value)) > MAX_TEXT:
            raise refused(
                "is no attribute", f"attributes.{key}", f"give text of at most {MAX_TEXT} characters"
            )
    return list(attributes.items())


def _moments(times: Any, n: int) -> Any:
    if times is None:
        return np.full(n, now())
    if isinstance(times, (str, int, date)):  # a datetime is a date
        return np.full(n, moment_of(times))
    if isinstance(times, np.datetime64):
        times = np.full(n, times)
    if isinstance(times, np.ndarray) and times.dtype.kind == "M":
        if np.isnat(times).any():
            raise UsageError("a time is missing", code="E-TIME", field="times")
        listed: Any = times.astype("datetime64[us]").astype(np.int64).ravel()
    else:
        listed = [_moment(value) for value in _list(times, "times")]
    if len(listed) != n:
        raise refused(f"there are {n:,} rows and {len(listed):,} times")
    return listed


def _moment(value: Any) -> int:
    return moment_of(value.item() if isinstance(value, np.integer) else value)


_recorders: dict[tuple[str, str, str], Recorder] = {}
_guard = threading.Lock()


def log(
    inputs: Any = None,
    outputs: Any = None,
    ids: Any = None,
    *,
    captures: str | os.PathLike[str],
    endpoint: str,
    variant: str = DEFAULT_VARIANT,
    **facts: Any,
) -> list[str]:
    """Keep rows in a store that stays open until the process ends, see :meth:`Recorder.log`.

    Parameters
    ----------
    inputs, outputs, ids
        As for :meth:`Recorder.log`.
    captures : path or URL
    endpoint, variant : str
    facts
        The other arguments of :meth:`Recorder.log`.

    Returns
    -------
    list of str
        Event ids, one a row.

    Raises
    ------
    SourceError, UsageError
        As :class:`Recorder` and :meth:`Recorder.log`.
    """
    place = os.fspath(captures)
    key = (place if "://" in place else os.path.abspath(place), endpoint, variant)  # noqa: PTH100
    with _guard:
        recorder = _recorders.get(key)
        if recorder is None:
            others = (
                held.captures for held in _recorders.values() if held.captures.archive.target.name == key[0]
            )
            recorder = Recorder(next(others, key[0]), endpoint, variant=variant)
            _recorders[key] = recorder
    return recorder.log(inputs, outputs, ids, **facts)


def _in_child() -> None:
    global _guard
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_in_child)
