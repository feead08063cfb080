"""DuckDB's own profile of a file: extremes, distinct values, mean, deviation and quartiles of every column."""

import json
import sys

import duckdb

connection = duckdb.connect()
connection.execute("SET threads = 2; SET enable_progress_bar = false")
for path in sys.argv[1:]:
    rows = connection.execute("SUMMARIZE SELECT * FROM read_parquet(?)", [path]).fetchall()
    print(json.dumps(rows, default=str))
