"""The machine and the versions: what has to travel with a number for it to mean anything."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine", "versions"]

PACKAGES = (
    "driftline",
    "numpy",
    "pyarrow",
    "numba",
    "llvmlite",
    "duckdb",
    "pandas",
    "scipy",
    "fastapi",
    "uvicorn",
    "httptools",
    "uvloop",
)


def machine() -> dict[str, object]:
    """Return processor, processors used, memory, kernel and the load before the run."""
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "processors": os.cpu_count(),
        "processors_used": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30), 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    """Return the name of the processor; a virtual machine often tells no more than its maker and model number."""
    found: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    name = found.get("model name", platform.processor() or "unknown")
    family, model = found.get("cpu family"), found.get("model")
    return f"{name} (family {family}, model {model})" if family and model else name


def versions() -> dict[str, str]:
    """Return the versions of Python and of what is measured."""
    result = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            result[name] = version(name)
        except PackageNotFoundError:
            continue
    return result
