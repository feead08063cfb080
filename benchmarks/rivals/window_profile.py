"""One process of ``python -m benchmarks.merging``: a window's Profile, merged from what is kept or folded from the rows.

``window_profile.py HOW FOLDER START END`` prints the seconds of the work itself and what came out of it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from driftline.capture.target import target_of
from driftline.monitor.captured import captured_source
from driftline.monitor.keeper import FolderKeeper
from driftline.monitor.kept import captured_profile
from driftline.monitor.scan import scan


def main() -> int:
    """Do it once."""
    how, folder, start, end = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    captures = folder / "captures"
    began = time.perf_counter()
    if how == "fold":
        source = captured_source(captures, "churn", start, end, threads=2)
        assert source is not None
        profile, n_folded = scan(source, threads=2), len(source.sources)
    else:
        keeper = FolderKeeper(target_of(folder / ("fresh" if how == "make" else "kept")))
        kept = captured_profile(captures, "churn", start, end, keeper=keeper, threads=2)
        assert kept.profile is not None
        profile, n_folded = kept.profile, kept.n_folded
    seconds = time.perf_counter() - began
    # 48 bits of the digest, which a double holds.
    told = {
        "inside": seconds,
        "rows": profile.n_rows,
        "digest": int(profile.digest[7:19], 16),
        "folded": n_folded,
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
