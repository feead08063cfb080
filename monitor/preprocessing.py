"""Preprocessing: the user's preprocessor between the records of a source and its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.capture.formats.sagemaker import unpacked
from driftline.capture.source import Place as RecordPlace
from driftline.monitor.preprocessor import Preprocessor
from driftline.reports.outcome import Place

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from driftline.capture.source import Record

__all__ = ["handler_of", "open_preprocessor"]


def open_preprocessor(path: str | os.PathLike[str], *, sort_keys: bool) -> Preprocessor:
    """Start the process of a preprocessor file.

    Raises
    ------
    InputError, PreprocessorError
        If the file cannot be read, or loaded.
    """
    preprocessor = Preprocessor(path, sort_keys=sort_keys, unpack=_unpack)
    return preprocessor.__enter__()


def handler_of(
    preprocessor: Preprocessor,
) -> Callable[[Iterator[tuple[RecordPlace, Record]]], Iterable[tuple[RecordPlace, Mapping[str, Any]]]]:
    """Return the hook that a source calls with its records."""

    def handler(
        records: Iterator[tuple[RecordPlace, Record]],
    ) -> Iterator[tuple[RecordPlace, Mapping[str, Any]]]:
        placed = (
            (Place(place.file, place.line or 0), record if isinstance(record, str) else dict(record))
            for place, record in records
        )
        for place, row in preprocessor.rows(placed):
            yield RecordPlace(place.source, place.row or None), row

    return handler


def _unpack(record: dict[str, Any] | str) -> Iterator[dict[str, object]]:
    """Turn a record that the handler gave back whole into rows, as without a preprocessor."""
    if isinstance(record, str):
        import csv

        fields = next(csv.reader([record]))
        yield {f"_c{i}": value or None for i, value in enumerate(fields)}
        return
    if "captureData" not in record:
        yield record
        return
    yield from unpacked(record)
