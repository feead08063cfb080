"""The compiled loops, ready to call, without importing Numba once they have been compiled on a machine.

Numba takes 0.3 s to import and some 5 s to compile the loops of :mod:`driftline.kernels.native`. So the machine code is
kept: one object file per machine, named by a digest of everything it depends on (the source of the loops, Numba,
llvmlite, the processor and its features), which later processes load through llvmlite alone in a few
hundredths of a second. The object is read only from a folder that belongs to this user and that nobody else can write, and
only when its checksum holds; otherwise it is made anew. Where no folder can be written the loops live as long as the
process.

The calling convention is Numba's own for native functions (an int32 status; a pointer for the result and one
for the exception; each array unpacked into its descriptor), which the digest pins to a Numba release.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.errors import DriftlineError, InternalError
from driftline.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cache_folder", "is_ready", "kernel", "worth_loading"]

_lock = threading.Lock()
_loaded: dict[str, Callable[..., None]] = {}
_keep_alive: list[Any] = []

# Break-even points, from benchmarks/startup: the NumPy twins cost about 60 ns per value more.
WARM_VALUES = 1_500_000
COLD_VALUES = 60_000_000


def cache_folder() -> Path | None:
    """Return the folder of compiled code, or None where there is none that is safe to use.

    ``DRIFTLINE_CACHE_DIR`` if set, else ``driftline`` in ``XDG_CACHE_HOME`` or ``~/.cache``, else a private folder in
    the system's place for temporary files.
    """
    explicit = os.environ.get("DRIFTLINE_CACHE_DIR")
    candidates: list[Path] = []
    if explicit:
        candidates.append(Path(explicit))
    else:
        xdg = os.environ.get("XDG_CACHE_HOME", "")
        if Path(xdg).is_absolute():
            candidates.append(Path(xdg, "driftline"))
        home = os.environ.get("HOME", "")
        if Path(home).is_absolute():
            candidates.append(Path(home, ".cache", "driftline"))
        candidates.append(Path(os.environ.get("TMPDIR", "/tmp"), f"driftline-{os.getuid()}"))  # noqa: S108
    for folder in candidates:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            info = folder.lstat()
        except OSError:
            continue
        private = info.st_uid == os.getuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if stat.S_ISDIR(info.st_mode) and private and os.access(folder, os.W_OK):
            return folder
    return None


def _object_name() -> str:
    from importlib.metadata import version

    import llvmlite.binding as llvm

    what = hashlib.sha256()
    what.update(Path(__file__).with_name("native.py").read_bytes())
    what.update(Path(__file__).read_bytes())
    for part in (
        version("numba"),
        version("llvmlite"),
        llvm.get_default_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    ):
        what.update(part.encode() + b"\0")
    return f"loops-{what.hexdigest()[:32]}.o"


def _read(path: Path) -> bytes | None:
    try:
        if path.lstat().st_uid != os.getuid():
            return None
        data = path.read_bytes()
    except OSError:
        return None
    body, checksum = data[:-32], data[-32:]
    return body if hashlib.sha256(body).digest() == checksum else None


def is_ready() -> bool:
    """Tell whether the loops can be had without compiling."""
    if _loaded:
        return True
    folder = cache_folder()
    return folder is not None and (folder / _object_name()).exists()


def worth_loading(n_values: int | None) -> bool:
    """Tell whether `n_values` (None: unknown, taken as many) repay loading, or compiling, the loops."""
    setting = os.environ.get("DRIFTLINE_ENGINE", "auto")
    if setting == "numpy":
        return False
    if setting == "compiled" or _loaded:
        return True
    if n_values is None or n_values >= COLD_VALUES:
        return True
    return n_values >= WARM_VALUES and is_ready()


def _compile() -> bytes:
    """Compile every loop into one object file."""
    import llvmlite.binding as llvm

    from driftline.kernels.native import KERNELS

    machine = _machine(llvm)
    whole = llvm.parse_assembly(
        # Arrays come without an owner, so the destructor that Numba's epilogue names is never called.
        "define void @NRT_MemInfo_call_dtor(ptr %owner) { ret void }"
    )
    entries: dict[str, tuple[Any, Any]] = KERNELS
    for name, (dispatcher, signature) in entries.items():
        dispatcher.compile(signature)
        result = dispatcher.overloads[signature]
        module = llvm.parse_assembly(result.library.get_llvm_str())
        for function in module.functions:
            if function.is_declaration:
                continue
            if function.name == result.fndesc.llvm_func_name:
                function.name = "driftline_" + name
            else:
                function.linkage = "internal"
        for variable in module.global_variables:
            if not variable.is_declaration:
                variable.linkage = "internal"
        whole.link_in(module)
    # Only the loops stay reachable, so the wrappers for Python callers, and all they need, go.
    for function in whole.functions:
        if not function.is_declaration and not function.name.startswith("driftline_"):
            function.linkage = "internal"
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=0))
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, builder)
    return bytes(machine.emit_object(whole))


def _machine(llvm: Any) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        opt=3,
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        reloc="pic",
        codemodel="jitdefault",
        jit=True,
    )


# A loop that returns nothing still writes a null through its first argument.
_RESULT = ctypes.addressof(_room := ctypes.create_string_buffer(64))


class _Loop:
    """One compiled loop: NumPy arrays and ints in, nothing out."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._function: Any = None

    def __call__(self, *arguments: Any) -> None:
        flat: list[Any] = [_RESULT, _RESULT]
        for a in arguments:
            if isinstance(a, int):
                flat.append(ctypes.c_int64(a))
                continue
            pointer, _ = a.__array_interface__["data"]
            flat += (None, None, a.size, a.itemsize, pointer, *a.shape, *a.strides)
        function = self._function
        if function is None:
            kinds: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]
            for a in arguments:
                if isinstance(a, int):
                    kinds.append(ctypes.c_int64)
                else:
                    kinds += [
                        ctypes.c_void_p,
                        ctypes.c_void_p,
                        ctypes.c_int64,
                        ctypes.c_int64,
                        ctypes.c_void_p,
                    ]
                    kinds += [ctypes.c_int64] * (2 * a.ndim)
            function = self._function = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(self._address)
        if function(*flat):
            raise InternalError("a compiled loop reported an error", code="E-KERNEL")


def _link(body: bytes) -> None:
    import llvmlite.binding as llvm

    machine = _machine(llvm)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(body))
    engine.finalize_object()
    _keep_alive.append(engine)
    for name in ("fold_doubles", "fold_integers", "fold_codes", "fold_texts", "write_masked"):
        address = engine.get_function_address("driftline_" + name)
        if not address:
            raise InternalError(f"the compiled loop {name} is missing", code="E-KERNEL")
        _loaded[name] = _Loop(address)


def kernel(name: str) -> Callable[..., None]:
    """Return a compiled loop by name, loading or compiling all of them at the first call."""
    if not _loaded:
        with _lock:
            if not _loaded:
                _load()
    return _loaded[name]


def _load() -> None:
    folder = cache_folder()
    path = None if folder is None else folder / _object_name()
    body = None if path is None else _read(path)
    if body is None:
        body = _compile()
        if path is not None:
            try:
                write_whole(path, body + hashlib.sha256(body).digest())
            except DriftlineError:
                # A full disk costs the next process the compilation, not this one its result.
                path = None
    _link(body)
