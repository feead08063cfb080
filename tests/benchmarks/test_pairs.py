from __future__ import annotations

import operator
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.pairs import (
    BenchmarkError,
    Command,
    Contender,
    Spread,
    Usage,
    environment,
    measure,
    once,
    paired,
    race,
    read_through,
)

ROOT = Path(__file__).parents[2]


def python(code: str, **settings: object) -> Command:
    return Command((sys.executable, "-S", "-c", code), **settings)  # type: ignore[arg-type]


def test_processor_time_is_that_of_the_process() -> None:
    used = measure(python("import time\nwhile time.process_time() < 0.2: pass"))
    assert 0.2 <= used.cpu < 1.0
    assert used.wall >= 0.15


def test_peak_is_the_largest_resident_set() -> None:
    # 200 MiB is more than what any test run holds itself.
    size = 200 << 20
    used = measure(python(f"x = bytearray({size}); x[::4096] = b'1' * len(x[::4096]); del x"))
    assert size < used.peak < 10 * size


def test_failure_says_what_the_process_said() -> None:
    with pytest.raises(BenchmarkError, match=r"status 3:\nno such luck"):
        measure(python("import sys; sys.stderr.write('no such luck'); sys.exit(3)"))


def test_program_that_is_not_there() -> None:
    with pytest.raises(BenchmarkError, match="cannot be started"):
        measure(Command(("/nowhere/at/all",)))


def test_told_quantities_come_from_the_last_line() -> None:
    used = measure(python("print('hello'); print('{\"first\": 2.0, \"warm\": 0.5}')", tells=True))
    assert used.told == {"first": 2.0, "warm": 0.5}
    assert used.quantity("warm") == 0.5
    assert used.quantity("wall") == used.wall


@pytest.mark.parametrize("printed", ["", "none of that", "[1]"])
def test_silence_where_something_should_be_told(printed: str) -> None:
    with pytest.raises(BenchmarkError, match="printed no measurements"):
        measure(python(f"print({printed!r})", tells=True))


def test_fresh_things_are_gone_when_the_process_starts(tmp_path: Path) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    (folder / "old").touch()
    file.touch()
    code = f"import os, sys; sys.exit(os.path.exists({str(folder)!r}) or os.path.exists({str(file)!r}))"
    measure(python(code, fresh=(folder, file)))
    assert not folder.exists()


def test_everybody_gets_two_threads_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_ENGINE", "numpy")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    found = environment({"DRIFTLINE_THREADS": "1"})
    assert "DRIFTLINE_ENGINE" not in found
    assert "PYTHONPATH" not in found
    assert (found["DRIFTLINE_THREADS"], found["OMP_NUM_THREADS"]) == ("1", "2")


def test_contenders_run_in_turn_after_one_round_to_warm_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    contenders = [Contender(n, (python(f"open({str(log)!r}, 'a').write({n!r})"),)) for n in "AB"]
    lines: list[str] = []
    found = race(contenders, 2, told=lines.append)
    assert log.read_text() == "ABABAB"
    assert {name: len(used) for name, used in found.items()} == {"A": 2, "B": 2}
    assert [line.partition(": ")[0] for line in lines] == ["to warm up"] * 2 + ["round 1 of 2"] * 2 + [
        "round 2 of 2"
    ] * 2


def test_several_processes_add_up_but_their_memory_does_not() -> None:
    total = Usage(1.0, 2.0, 30.0) + Usage(0.5, 0.25, 20.0, {"first": 1.0})
    assert total == Usage(1.5, 2.25, 30.0, {"first": 1.0})


def test_job_of_two_processes_runs_both(tmp_path: Path) -> None:
    log = tmp_path / "log"
    once(Contender("job", tuple(python(f"open({str(log)!r}, 'a').write({n!r})") for n in "12")))
    assert log.read_text() == "12"


def test_comparison_is_round_by_round() -> None:
    slow = [Usage(2.0, 0, 0), Usage(30.0, 0, 0), Usage(4.0, 0, 0)]
    fast = [Usage(1.0, 0, 0), Usage(10.0, 0, 0), Usage(4.0, 0, 0)]
    assert paired(slow, fast, "wall", operator.truediv) == Spread(1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match="shorter"):
        paired(slow, fast[:2], "wall", operator.truediv)


def test_usage_survives_json() -> None:
    used = Usage(1.25, 2.5, 4096.0, {"first": 0.5})
    assert Usage.of_json(used.to_json()) == used


def test_reading_through_takes_any_size(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(3 << 20))
    read_through([file])
    with pytest.raises(FileNotFoundError):
        read_through([tmp_path / "missing"])


def test_measuring_process_stays_small() -> None:
    # A child is never reported smaller than its parent, so whoever measures must not load what is measured.
    heavy = {"numpy", "pyarrow", "pandas", "scipy", "duckdb", "driftline"}
    code = f"import sys, benchmarks.__main__; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
