"""Prints how cases end, for people: ``python -m bad_input.look [part of a name]`` in ``tests/``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bad_input.cases import ALL
from bad_input.judging import perform
from bad_input.processes import Forks
from bad_input.world import good_files, lay_out


def main(wanted: str) -> None:
    """Perform the cases whose name holds `wanted`, and print every line they end in."""
    with Forks() as forks, tempfile.TemporaryDirectory() as top:
        good = good_files(Path(top) / "good", forks)
        for number, (name, case) in enumerate(ALL.items()):
            if wanted not in name:
                continue
            folder = Path(top) / str(number)
            lay_out(good, folder)
            try:
                ends = perform(case, forks.run, folder)
            except AssertionError as error:
                print(f"** {name}\n{error}\n")
                continue
            for line in dict.fromkeys(ended.err for ended in ends):
                print(f"{name}: {max(e.seconds for e in ends):.2f} s {line.rstrip()}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
