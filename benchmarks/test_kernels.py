"""Times the table of kernels with pytest-benchmark: ``python -m benchmarks`` runs it, and so does pytest by hand.

Processor time of one thread; the first call is told apart, since it may load the compiled loops.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.kernels import CASES, Column

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = int(os.environ.get("DRIFTLINE_BENCH_ROWS", "1000000"))
ROUNDS = int(os.environ.get("DRIFTLINE_BENCH_ROUNDS", "7"))
_made: dict[str, Column] = {}


@pytest.mark.parametrize(
    ("case", "contender"),
    [pytest.param(case, name, id=f"{case.name} / {name}") for case in CASES for name in case.contenders],
)
def test_kernel(benchmark: Any, case: Any, contender: str) -> None:
    if case.name not in _made:
        _made.clear()
        _made[case.name] = case.make(ROWS)
    column = _made[case.name]
    call: Callable[[Column], object] = case.contenders[contender]
    began = time.process_time()
    assert call(column)
    benchmark.extra_info.update(
        case=case.name, contender=contender, rows=ROWS, first_seconds=time.process_time() - began
    )
    benchmark.pedantic(call, args=(column,), rounds=ROUNDS, iterations=1)
