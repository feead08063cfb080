"""Decode a Parquet file and throw it away: the least that anybody who uses pyarrow must spend."""

import sys

import pyarrow.parquet as pq

pq.read_table(sys.argv[1])
