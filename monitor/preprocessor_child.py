"""The program that runs a user's preprocessor file, started by :mod:`driftline.monitor.preprocessor`.

It runs in a process of its own and uses the standard library only, so that the user's handler has the
memory and the import path to itself. It takes its orders from one descriptor, answers on another and writes
the number of the record at hand into shared memory, where the parent still finds it when this process hangs
or is gone.

Frames in both directions are one byte of kind, four bytes of length (big endian) and JSON in which Python's
``NaN``, ``Infinity`` and ``-Infinity`` stand for the non-finite floats.

==== ========= ======================================================================
kind direction content
==== ========= ======================================================================
C    in        settings: ``path``, ``source``, limits; the first frame
B    in        a batch: list of records, each text or an object
H    out       the file is loaded: ``{"confined": true}`` if the kernel refuses processes
R    out       ``[finished, offsets, rows]``: rows and the record in the batch each is of
E    out       a failure; nothing follows
==== ========= ======================================================================
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import select
import struct
import sys
from _thread import stack_size, start_new_thread
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, Any, Never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, TracebackType

MIB = 1024 * 1024
SPARE_BYTES = 64 * MIB
"""Address space beyond the limit, opened only to say that the limit was met."""

ROWS_PER_FRAME = 1024
MAX_FRAME_BYTES = 16 * MIB
HANDLER = "preprocess_handler"
SCALARS = frozenset({int, float, str, bool, type(None)})
TEXT = frozenset({str})
RETURN_HELP = (
    "return a dict of column to value for one row, [] to drop the record, or a list of dicts for several rows"
)


class _RefusedError(Exception):
    """The handler returned something that is not a row; carries what the parent prints.

    `offset` is given where the fault shows only after later records were handled.
    """

    def __init__(
        self, message: str, *, field: str | None = None, fix: str = RETURN_HELP, offset: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.fix = fix
        self.offset = offset


class EventMetadata:
    """When and under which id a request was captured."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.event_id = content.get("eventId")
        self.event_time = content.get("inferenceTime")
        self.custom_attribute = content.get("customAttributes")


class EventData:
    """One side of a captured request: the payload and how it is encoded."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self.encoding = content.get("encoding")
        self.data = content.get("data")
        self.observedContentType = content.get("observedContentType")
        self.mode = content.get("mode")

    def as_dict(self) -> dict[str, Any]:
        """Return the side as it stands in a capture file, with what the handler changed."""
        now = {name: getattr(self, name) for name in ("observedContentType", "mode", "data", "encoding")}
        return {**self._content, **{k: v for k, v in now.items() if v is not None or k in self._content}}


class InferenceRecord:
    """What a handler receives for a captured record; the names are those of SageMaker."""

    def __init__(self, event_dict: dict[str, Any]) -> None:
        self.event_dict = event_dict
        self.event_version = event_dict.get("eventVersion")
        metadata = event_dict.get("eventMetadata")
        self.event_metadata = EventMetadata(metadata) if isinstance(metadata, dict) else None
        captured = event_dict["captureData"]
        self.endpoint_input = self._side(captured, "endpointInput")
        self.endpoint_output = self._side(captured, "endpointOutput")
        self.batch_transform_output = self._side(captured, "batchTransformOutput")
        self.ground_truth = self._side(event_dict, "groundTruthData")

    @staticmethod
    def _side(container: dict[str, Any], key: str) -> EventData | None:
        content = container.get(key)
        return EventData(content) if isinstance(content, dict) else None

    def as_dict(self) -> dict[str, Any]:
        """Return the record as it stands in a capture file, with what the handler changed in its sides."""
        captured = dict(self.event_dict["captureData"])
        result = {**self.event_dict, "captureData": captured}
        for container, key, side in (
            (captured, "endpointInput", self.endpoint_input),
            (captured, "endpointOutput", self.endpoint_output),
            (captured, "batchTransformOutput", self.batch_transform_output),
            (result, "groundTruthData", self.ground_truth),
        ):
            if side is not None:
                container[key] = side.as_dict()
        return result


def is_captured(record: object) -> bool:
    """Tell whether `record` is a captured record rather than a row of a JSON or Parquet file."""
    return isinstance(record, dict) and isinstance(record.get("captureData"), dict)


def flat(row: object) -> dict[str, Any]:
    """Return a copy of `row` with text keys and plain values, in the same order.

    Raises
    ------
    _RefusedError
        If it is not a mapping, is empty, or holds a key or a value that has no place in a table.
    """
    if not isinstance(row, dict):
        raise _RefusedError(f"returned {_kind(row)}")
    if not row:
        raise _RefusedError("returned an empty dict")
    result: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(key, str):
            name = str.__str__(key)
        elif isinstance(key, int) and not isinstance(key, bool):
            # A published example of the original numbers its columns with plain integers.
            name = int.__repr__(key)
        else:
            raise _RefusedError(
                f"returned {_kind(key)} as a key", fix="make every key text, for example str(key)"
            )
        if name in result:
            raise _RefusedError(
                "returned this key twice, as text and as a number", field=name, fix="keep one"
            )
        result[name] = value if type(value) in SCALARS else _plain(name, value)
    return result


def _plain(key: str, value: Any) -> Any:
    for base in (str, int, float):
        if isinstance(value, base):
            # A subclass (numpy.float64, an enumeration) may print itself in its own way.
            return getattr(base, f"__{base.__name__}__")(value)
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        unboxed = value.item()
        if type(unboxed) in SCALARS:
            return unboxed
    raise _RefusedError(
        f"returned {_kind(value)} as a value",
        field=key,
        fix="give numbers, text, True, False or None; spread lists and dicts over several keys",
    )


def _kind(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


class Answer:
    """Rows on their way back, sent in frames of limited size."""

    def __init__(self, descriptor: int, *, sort_keys: bool, whole: bool) -> None:
        self._descriptor = descriptor
        self._pid = os.getpid()
        self._sort_keys = sort_keys
        self._whole = whole
        self._offsets: list[int] = []
        self._rows: list[Any] = []

    def add(self, offset: int, result: Any) -> None:
        """Take what the handler returned for the record at `offset` of the batch.

        Raises
        ------
        _RefusedError
            If it is not a row, several rows, or nothing.
        """
        if type(result) is dict and result and TEXT.issuperset(map(type, result)):
            if SCALARS.issuperset(map(type, result.values())):
                # Copied, since a handler may fill one dict again and again.
                self._append(offset, result.copy())
                return
        elif result is None:
            raise _RefusedError("returned None")
        elif isinstance(result, (list, tuple)):
            for part in result:
                self._append(offset, self._row(part))
            return
        self._append(offset, self._row(result))

    def _row(self, value: Any) -> Any:
        if isinstance(value, InferenceRecord):
            value = value.as_dict()
        if isinstance(value, str) or is_captured(value):
            if not self._whole:
                what = "text" if isinstance(value, str) else "the captured record itself"
                raise _RefusedError(f"returned {what}")
            try:
                return json.loads(json.dumps(value))
            except (TypeError, ValueError, RecursionError) as error:
                raise _RefusedError(f"returned a record that cannot be written as JSON ({error})") from None
        return flat(value)

    def _append(self, offset: int, row: Any) -> None:
        self._offsets.append(offset)
        self._rows.append(row)
        if len(self._rows) >= ROWS_PER_FRAME:
            self.flush(finished=False)

    def flush(self, *, finished: bool) -> None:
        """Send the rows gathered so far; `finished` says that the batch is done."""
        if os.getpid() != self._pid:
            # The handler forked and both sides came back: only the first may answer.
            os._exit(1)
        offsets, rows = self._offsets, self._rows
        self._offsets, self._rows = [], []
        self._send(finished, offsets, rows)

    def _send(self, finished: bool, offsets: list[int], rows: list[Any]) -> None:
        try:
            content = json.dumps(
                [finished, offsets, rows],
                ensure_ascii=False,
                check_circular=False,
                sort_keys=self._sort_keys,
                separators=(",", ":"),
            ).encode()
        except ValueError:
            # A lone surrogate or an integer of thousands of digits: find out whose.
            self._blame(offsets, rows)
            raise
        if len(content) <= MAX_FRAME_BYTES:
            write_frame(self._descriptor, b"R", content)
        elif len(rows) > 1:
            half = len(rows) // 2
            self._send(False, offsets[:half], rows[:half])
            self._send(finished, offsets[half:], rows[half:])
        else:
            raise _RefusedError(
                f"returned a row of {len(content):,} bytes, more than the limit of {MAX_FRAME_BYTES:,}",
                fix="return fewer or shorter values",
                offset=offsets[0],
            )

    def _blame(self, offsets: list[int], rows: list[Any]) -> None:
        for offset, row in zip(offsets, rows, strict=True):
            pairs = row.items() if isinstance(row, dict) else ((None, row),)
            for key, value in pairs:
                try:
                    json.dumps({key or "": value}, ensure_ascii=False).encode()
                except UnicodeEncodeError:
                    problem = "returned text that is not valid Unicode (a lone surrogate)"
                    fix = "clean it with text.encode('utf-8', 'replace').decode()"
                except ValueError as error:
                    problem = f"returned a number that cannot be written ({error})"
                    fix = "return a smaller number"
                else:
                    continue
                # The key itself may be what cannot be printed.
                name = None if key is None else key.encode("utf-8", "backslashreplace").decode()
                raise _RefusedError(problem, field=name, fix=fix, offset=offset)


def read_frames(descriptor: int) -> Iterator[tuple[bytes, bytes]]:
    """Give the frames that arrive on `descriptor` until its other end closes."""
    with open(descriptor, "rb", buffering=MIB, closefd=False) as stream:
        while len(header := stream.read(5)) == 5:
            length = int.from_bytes(header[1:], "big")
            content = stream.read(length)
            if len(content) < length:
                return
            yield header[:1], content


def write_frame(descriptor: int, kind: bytes, content: bytes) -> None:
    """Write one whole frame to `descriptor`."""
    view = memoryview(kind + len(content).to_bytes(4, "big") + content)
    while view:
        view = view[os.write(descriptor, view) :]


class Reporter:
    """Tells the parent what went wrong and ends the process."""

    def __init__(self, descriptor: int, path: str, source: str, memory_bytes: int) -> None:
        self._descriptor = descriptor
        self._path = path
        self._lines = source.splitlines()
        self._memory_bytes = memory_bytes

    def refuse(self, code: str, message: str, offset: int | None, **facts: Any) -> Never:
        """Report a fault that is known by its own words."""
        flush_output()
        content = {"code": code, "message": message, "offset": offset, **facts}
        write_frame(self._descriptor, b"E", json.dumps(content).encode("ascii"))
        os._exit(1)

    def refused(self, offset: int, error: _RefusedError) -> Never:
        """Report a return value that is not a row."""
        self.refuse(
            "E-PREPROCESSOR-RESULT", f"{HANDLER} {error.message}", offset, field=error.field, fix=error.fix
        )

    def raised(self, error: BaseException, offset: int | None) -> Never:
        """Report what the user's code raised, with its own frames of the traceback."""
        release_spare_memory()
        frames = self._frames(error.__traceback__)
        line = frames[-1][1] if frames else None
        fix: str | None = None
        stage = "while the file was loaded" if offset is None else f"in {HANDLER}"
        code = "E-PREPROCESSOR-LOAD" if offset is None else "E-PREPROCESSOR-RAISED"
        if isinstance(error, MemoryError):
            code = "E-PREPROCESSOR-MEMORY"
            message = f"more than {self._memory_bytes // MIB:,} MiB of memory were needed {stage}"
            fix = "hold less in memory or raise the memory limit"
        elif isinstance(error, SyntaxError) and error.filename == self._path:
            code, line, frames = "E-PREPROCESSOR-SYNTAX", error.lineno, []
            message = f"not valid Python: {error.msg}"
        elif isinstance(error, SystemExit):
            message = f"sys.exit({_text(error)}) was called {stage}"
            fix = "raise an exception with a message instead"
        else:
            message = f"{type(error).__name__}: {_text(error)} ({stage})"
            if isinstance(error, ModuleNotFoundError):
                fix = "install the package in the environment that runs driftline"
            elif isinstance(error, PermissionError) and error.errno == 1:
                fix = "a preprocessor may not start processes; install packages beforehand"
        if frames:
            message += "; " + "; ".join(
                f"line {number} in {name}: {self._lines[number - 1].strip()[:120]}"
                if 0 < number <= len(self._lines)
                else f"line {number} in {name}"
                for name, number in frames[-6:]
            )
        self.refuse(code, message, offset, line=line, fix=fix)

    def _frames(self, trace: TracebackType | None) -> list[tuple[str, int]]:
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename == self._path:
                frames.append((code.co_name, trace.tb_lineno))
            trace = trace.tb_next
        return frames


def _text(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except Exception:  # noqa: BLE001 - the user's __str__ may do anything; its type is still worth telling
        return "(its message cannot be shown)"


def flush_output() -> None:
    """Push out what the user's code printed, so that it stands before the failure it explains."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001, S112 - the user may have put anything there, or closed it
            continue


def release_spare_memory() -> None:
    """Lift the soft memory limit to the hard one, so that a failure for want of memory can be told."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def confine(settings: dict[str, Any]) -> bool:
    """Limit this process; tell whether the kernel took the filter on system calls."""
    memory = settings["memory_bytes"]
    seconds = settings["cpu_seconds"]
    for limit, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 256, 256),
        (resource.RLIMIT_FSIZE, 64 * MIB, 64 * MIB),
        (resource.RLIMIT_CPU, seconds, seconds + 5),
        (resource.RLIMIT_AS, memory, memory + SPARE_BYTES),
    ):
        _, ceiling = resource.getrlimit(limit)
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(limit, (soft, hard))
    try:
        # Where the machine runs short of memory, this process goes before any other.
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as stream:  # noqa: PTH123
            stream.write("1000")
    except OSError:
        pass
    return apply_filter(bytes.fromhex(settings["filter"]))


def apply_filter(program: bytes) -> bool:
    """Put a filter on this process's system calls, for good, and give up gaining privileges.

    Parameters
    ----------
    program : bytes
        The filter as the kernel wants it, eight bytes an instruction; empty where there is none.

    Returns
    -------
    bool
        True if the kernel took it.
    """
    try:
        import ctypes
    except ImportError:
        return False
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    no_new_privileges, set_filter, filter_mode = 38, 22, 2
    if prctl(no_new_privileges, 1, None, 0, 0) != 0 or not program:
        return False
    instructions = ctypes.create_string_buffer(program)
    count_and_address = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    header = ctypes.create_string_buffer(count_and_address)
    return bool(prctl(set_filter, filter_mode, ctypes.addressof(header), 0, 0) == 0)


def die_with_parent(descriptor: int) -> None:
    """End this process group as soon as the parent's end of the pipe `descriptor` is closed."""

    def watch() -> None:
        poll = select.poll()
        poll.register(descriptor, 0)  # no event but the hang-up, which is always told
        poll.poll()
        os.killpg(0, 9)

    stack_size(256 * 1024)  # the usual 8 MiB would count against the memory limit
    start_new_thread(watch, ())
    stack_size(0)


class _GivenSource(SourceFileLoader):
    """Loads text that was read elsewhere, and never writes a cache beside the user's file."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the signature is importlib's
        return compile(self._source, self.path, "exec", dont_inherit=True)


def load(path: str, source: str) -> Callable[[Any], Any]:
    """Run the user's file and return its handler, taking one argument.

    Raises
    ------
    _RefusedError
        If there is no handler, or it takes neither one argument nor two.
    BaseException
        Whatever the file raises.
    """
    import random

    # A handler that samples with the random module draws the same records when the run is repeated.
    random.seed(0)
    name = "user_preprocessor"
    loader = _GivenSource(name, path, source)
    module = module_from_spec(ModuleSpec(name, loader, origin=path))
    module.__file__ = path
    sys.modules[name] = module
    loader.exec_module(module)
    handler = getattr(module, HANDLER, None)
    if not callable(handler):
        raise _RefusedError(
            f"defines no function {HANDLER}", fix=f"define {HANDLER}(inference_record), which returns a dict"
        )
    return _with_logger(handler)


def _with_logger(handler: Callable[..., Any]) -> Callable[[Any], Any]:
    import inspect

    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return handler  # built in, such as str.split: only calling it can tell

    def fits(*arguments: object) -> bool:
        try:
            signature.bind(*arguments)
        except TypeError:
            return False
        return True

    positional = [
        p.name
        for p in signature.parameters.values()
        if p.kind in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    ]
    if positional[1:2] != ["logger"] and fits(None):
        return handler
    if not fits(None, None):
        raise _RefusedError(
            f"{HANDLER}{signature} can be called neither with one argument nor with two",
            fix=f"write {HANDLER}(inference_record) or {HANDLER}(inference_record, logger)",
        )
    import logging

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logger = logging.getLogger("preprocessor")
    return lambda record: handler(record, logger)


def serve(
    handler: Callable[[Any], Any],
    frames: Iterator[tuple[bytes, bytes]],
    answer: Answer,
    reporter: Reporter,
    progress: memoryview,
) -> None:
    """Call `handler` for each record of each batch until the parent closes the pipe."""
    n_records = 0
    for _, content in frames:
        offset = 0
        try:
            for offset, record in enumerate(json.loads(content)):
                n_records += 1
                progress[0] = n_records
                answer.add(offset, handler(InferenceRecord(record) if is_captured(record) else record))
            flush_output()
            answer.flush(finished=True)
        except _RefusedError as error:
            reporter.refused(offset if error.offset is None else error.offset, error)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent tells it and the run fails
            reporter.raised(error, offset)


def main(request: int, reply: int, shared: int) -> None:
    """Load the user's file and answer batches, over the given descriptors."""
    for descriptor in (request, reply, shared):
        os.set_inheritable(descriptor, False)
    progress = memoryview(mmap.mmap(shared, 8)).cast("Q")
    frames = read_frames(request)
    settings = json.loads(next(frames)[1])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    path, source = settings["path"], settings["source"]
    sys.argv = [path]
    reporter = Reporter(reply, path, source, settings["memory_bytes"])
    die_with_parent(request)
    confined = confine(settings)
    try:
        handler = load(path, source)
    except _RefusedError as error:
        reporter.refuse("E-PREPROCESSOR-HANDLER", error.message, None, fix=error.fix)
    except BaseException as error:  # noqa: BLE001 - as in serve()
        reporter.raised(error, None)
    flush_output()
    write_frame(reply, b"H", json.dumps({"confined": confined}).encode("ascii"))
    answer = Answer(reply, sort_keys=settings["sort_keys"], whole=settings["whole"])
    serve(handler, frames, answer, reporter, progress)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
    # Exit handlers and threads of the user's file have had their time.
    os._exit(0)
