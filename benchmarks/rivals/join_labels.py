"""Join captured rows with their labels, by one of three hands; prints JSON. Run by ``benchmarks/labels.py``.

python join_labels.py driftline|pandas|duckdb FOLDER
"""

import json
import sys
from pathlib import Path


def listed(folder: Path) -> dict[str, list[str]]:
    """Return the files of events and of labels."""
    found: dict[str, list[str]] = json.loads((folder / "files.json").read_text(encoding="utf-8"))
    return found


def with_driftline(folder: Path) -> tuple[int, int, int]:
    """Stream the rows, as a monitoring run does."""
    import pyarrow.compute as pc

    from driftline.capture.labelled import labelled

    n = n_labelled = total = 0
    for batch in labelled(folder / "captures", "churn", 0, 1 << 52).batches():
        n += batch.num_rows
        n_labelled += batch.num_rows - batch["label"].null_count
        total += pc.sum(batch["label"]).as_py() or 0
    return n, n_labelled, total


def with_pandas(folder: Path) -> tuple[int, int, int]:
    """Read everything, sort the labels, keep the last of each id, merge."""
    import pandas as pd

    files = listed(folder)
    events = pd.concat([pd.read_parquet(file) for file in files["events"]], ignore_index=True)
    labels = pd.concat([pd.read_parquet(file) for file in files["labels"]], ignore_index=True)
    last = labels.sort_values(["_label_time", "_imported"]).drop_duplicates("_key", keep="last")
    joined = events.merge(
        last[["_key", "_label_time", "label"]], left_on="_event_id", right_on="_key", how="left"
    )
    return len(joined), int(joined["label"].notna().sum()), int(joined["label"].sum())


def with_duckdb(folder: Path) -> tuple[int, int, int]:
    """Stream the rows of one query."""
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    files = listed(folder)
    query = f"""
        WITH last AS (
            SELECT _key, arg_max(label, (_label_time, _imported)) AS label, max(_label_time) AS _label_time
            FROM read_parquet({files["labels"]}, hive_partitioning = false) GROUP BY _key
        )
        SELECT e.*, last._label_time, last.label
        FROM read_parquet({files["events"]}, hive_partitioning = false) e LEFT JOIN last ON last._key = e._event_id
    """
    n = n_labelled = total = 0
    for batch in pa.RecordBatchReader.from_stream(duckdb.sql(query)):
        n += batch.num_rows
        n_labelled += batch.num_rows - batch["label"].null_count
        total += pc.sum(batch["label"]).as_py() or 0
    return n, n_labelled, total


if __name__ == "__main__":
    hand, place = sys.argv[1:]
    run = {"driftline": with_driftline, "pandas": with_pandas, "duckdb": with_duckdb}[hand]
    print(json.dumps(dict(zip(("rows", "labelled", "sum"), run(Path(place)), strict=True))))
