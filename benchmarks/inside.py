"""Seconds inside a process, the first call and the calls after it told apart. Run by ``contests.py``, prints JSON.

python inside.py scan FILE BASELINE REPEATS
python inside.py read_table FILE REPEATS
"""

import json
import sys
import time
from collections.abc import Callable


def timed(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """Return the seconds of the first call, and of the best of the others."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - began)
        # What was read goes before the next call begins, or two tables would stand in memory.
        del result
    return {"first": seconds[0], "warm": min(seconds[1:])}


def scanning(path: str, baseline: str) -> Callable[[], object]:
    """Return a call that folds every row, the way `check` does."""
    from driftline.capture.open import open_source
    from driftline.monitor.kinds import load_baseline
    from driftline.monitor.scan import scan

    profile = load_baseline(baseline).profile
    assert profile is not None
    return lambda: scan(open_source(path), limits=profile.limits, like=profile)


def reading(path: str) -> Callable[[], object]:
    """Return a call that decodes the file."""
    import pyarrow.parquet as pq

    return lambda: pq.read_table(path)


if __name__ == "__main__":
    what, *names, repeats = sys.argv[1:]
    call = scanning(*names) if what == "scan" else reading(*names)
    print(json.dumps(timed(call, int(repeats))))
