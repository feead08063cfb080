"""Options and arguments that make no sense."""

from __future__ import annotations

from bad_input.case import BASELINE, Case, refused, refused_data
from bad_input.making import files, nothing, parquet, table

LIVE = ("check", "live.parquet", "-b", BASELINE, "-o", "out")
SEGMENTED = parquet(lambda: table(5, 2000), "s.parquet")

CASES: list[Case] = [
    refused_data("no-threads", "live.parquet", "?", nothing, "--threads", "0"),
    refused_data("minus-one-thread", "live.parquet", "?", nothing, "--threads", "-1"),
    refused_data("too-many-threads", "live.parquet", "?", nothing, "--threads", "9999999999"),
    refused_data("threads-in-words", "live.parquet", "?", nothing, "--threads", "two"),
    refused_data("threads-variable", "live.parquet", "?", nothing, environment={"DRIFTLINE_THREADS": "0"}),
    refused_data("threads-variable-odd", "live.parquet", "?", nothing, environment={"DRIFTLINE_THREADS": "\u00b2"}),
    refused_data("unknown-format", "live.parquet", "?", nothing, "--format", "parkett"),
    refused_data("unknown-format-far-off", "live.parquet", "?", nothing, "--format", "xlsx"),
    refused_data("format-of-no-name", "live.parquet", "?", nothing, "--format", ""),
    refused_data("wrong-format-asked", "live.parquet", "?", nothing, "--format", "csv"),
    refused_data("wrong-format-asked-parquet", "x.csv", "?", files({"x.csv": b"a\n1\n"}), "--format", "parquet"),
    refused_data("capture-format-of-other-lines", "x.jsonl", "?", files({"x.jsonl": b'{"a": 1}\n'}), "--format", "sagemaker"),
    refused_data("unknown-mode", "live.parquet", "?", nothing, "--compat", "sagemakr"),
    refused_data("mode-of-no-name", "live.parquet", "?", nothing, "--compat", ""),
    refused_data("unknown-option", "live.parquet", "?", nothing, "--thread", "2"),
    refused("unknown-command", ("chekc",), "?", nothing),
    refused("unknown-command-hostile", ("\x1b[31m\nx",), "?", nothing),
    refused("check-without-baseline", ("check", "live.parquet"), "?", nothing),
    refused("check-without-data", ("check", "-b", BASELINE), "?", nothing),
    refused("baseline-without-output", ("baseline", "train.parquet"), "?", nothing),
    refused("option-without-value", ("check", "live.parquet", "-b"), "?", nothing),
    refused("segments-of-an-unknown-column", ("baseline", "train.parquet", "-o", "out", "--by", "knid"), "?", nothing),
    refused("segments-of-no-column", ("baseline", "train.parquet", "-o", "out", "--by", ""), "?", nothing),
    refused("segments-by-a-measure", ("baseline", "s.parquet", "-o", "out", "--by", "amount"), "?", SEGMENTED),
    refused("segments-by-lists", ("baseline", "x.parquet", "-o", "out", "--by", "v"), "?", parquet(lambda: {"v": [[1], [2]], "w": [1, 2]}, "x.parquet")),
    refused("segments-of-a-baseline-without", (*LIVE, "--by", "kind"), "?", nothing),
    refused("segments-in-compat-mode", (*LIVE, "--by", "kind", "--compat", "sagemaker"), "?", nothing),
    refused("baseline-segments-in-compat-mode", ("baseline", "train.parquet", "-o", "out", "--by", "kind", "--compat", "sagemaker"), "?", nothing),
    refused("page-without-name", ("show", "good-report", "--html", ""), "?", nothing),
    refused("unknown-shell", ("completion", "powershell"), "?", nothing),
]
