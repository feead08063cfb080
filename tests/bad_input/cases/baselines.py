"""Baselines with missing, damaged, foreign and badly edited files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from bad_input.case import BASELINE, Case, Done, Refused, Run, Told, refused, told, undetermined
from bad_input.making import csv_bytes, edited, files, nothing, parquet, parquet_bytes, table, together

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bad_input.case import Make

CHECK = ("check", "live.parquet", "-b", BASELINE, "-o", "out")
CONSTRAINTS = f"{BASELINE}/constraints.json"
INDEX = f"{BASELINE}/baseline.json"
STATISTICS = f"{BASELINE}/statistics.json"
PROFILE = f"{BASELINE}/profile.arrow"


def _changed(name: str, change: Callable[[Any], None]) -> Make:
    """Change a document by its content."""

    def edit(data: bytes) -> bytes:
        document = json.loads(data)
        change(document)
        return json.dumps(document).encode("utf-8", "surrogatepass")

    return edited(name, edit)


def _set(name: str, path: str, value: object) -> Make:
    """Put a value at a dotted path; steps that are numbers count in lists."""

    def change(document: Any) -> None:
        *steps, last = path.split(".")
        for step in steps:
            document = document[int(step)] if step.isdigit() else document.setdefault(step, {})
        document[last] = value

    return _changed(name, change)


def _raw(path: str, value: str) -> Make:
    """Put text that json.dumps would not write in the place of a value."""

    def edit(data: bytes) -> bytes:
        document = json.loads(data)
        *steps, last = path.split(".")
        inner = document
        for step in steps:
            inner = inner[int(step)] if step.isdigit() else inner.setdefault(step, {})
        inner[last] = "@@"
        return json.dumps(document).replace('"@@"', value).encode()

    return edited(CONSTRAINTS, edit)


def _without(*names: str) -> Make:
    def make(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return make


def _copied(source: str, target: str) -> Make:
    def make(folder: Path) -> None:
        shutil.copyfile(folder / source, folder / target)

    return make


def _constraints(name: str, path: str, value: object, line: str) -> Case:
    return refused(name, CHECK, line, _set(CONSTRAINTS, path, value))


def _other(name: str, data: str, *options: str) -> Run:
    return Run(("baseline", data, "-o", name, *options), Done())


FIRST = "features.0"
SAGEMAKER_STATISTICS = {
    "version": 0.0,
    "dataset": {"item_count": 3},
    "features": [{"name": "amount", "inferred_type": "Fractional", "numerical_statistics": {"common": {"num_present": 3, "num_missing": 0}, "mean": 2.0, "sum": 6.0, "std_dev": 1.0, "min": 1.0, "max": 3.0}}],
}
SAGEMAKER_CONSTRAINTS = {
    "version": 0.0,
    "features": [{"name": "amount", "inferred_type": "Fractional", "completeness": 1.0, "num_constraints": {"is_non_negative": True}}],
}


def _sagemaker(constraints: object = SAGEMAKER_CONSTRAINTS, statistics: object | None = SAGEMAKER_STATISTICS) -> Make:
    found = {"sm/constraints.json": json.dumps(constraints).encode()}
    if statistics is not None:
        found["sm/statistics.json"] = json.dumps(statistics).encode()
    return files(found)


def _statistics_with(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    document = json.loads(json.dumps(SAGEMAKER_STATISTICS))
    change(document)
    return document


SAGEMAKER = ("check", "live.parquet", "-b", "sm", "-o", "out")

CASES: list[Case] = [
    # -- files missing, empty, damaged, swapped
    refused("constraints-missing", CHECK, "?", _without(CONSTRAINTS)),
    refused("statistics-missing", CHECK, "?", _without(STATISTICS)),
    refused("profile-missing", CHECK, "?", _without(PROFILE)),
    refused("everything-missing", CHECK, "?", _without(CONSTRAINTS, STATISTICS, PROFILE, INDEX)),
    refused("constraints-empty", CHECK, "?", edited(CONSTRAINTS, lambda _: b"")),
    refused("index-empty", CHECK, "?", edited(INDEX, lambda _: b"")),
    refused("statistics-empty", CHECK, "?", edited(STATISTICS, lambda _: b"")),
    refused("profile-empty", CHECK, "?", edited(PROFILE, lambda _: b"")),
    refused("constraints-cut-off", CHECK, "?", edited(CONSTRAINTS, lambda data: data[: len(data) // 2])),
    refused("index-cut-off", CHECK, "?", edited(INDEX, lambda data: data[: len(data) // 2])),
    refused("index-is-a-list", CHECK, "?", edited(INDEX, lambda _: b"[]")),
    refused("index-is-binary", CHECK, "?", edited(INDEX, lambda _: b"\xff\xfe\0")),
    refused("statistics-changed", CHECK, "?", edited(STATISTICS, lambda data: data.replace(b"1000", b"1001", 1))),
    refused("profile-bit-flipped", CHECK, "?", edited(PROFILE, lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:])),
    refused("profile-of-another-baseline", CHECK, "?", lambda folder: (folder / PROFILE).write_bytes((folder / "train.parquet").read_bytes()) and None),
    refused("profile-is-a-folder", CHECK, "?", lambda folder: ((folder / PROFILE).unlink(), (folder / PROFILE).mkdir()) and None),
    refused("constraints-is-a-folder", CHECK, "?", lambda folder: ((folder / CONSTRAINTS).unlink(), (folder / CONSTRAINTS).mkdir()) and None),
    refused("index-of-a-newer-schema", CHECK, "?", _set(INDEX, "schema", "driftline.baseline/v9")),
    refused("index-without-schema", CHECK, "?", _changed(INDEX, lambda d: d.pop("schema"))),
    refused("index-without-files", CHECK, "?", _changed(INDEX, lambda d: d.pop("files"))),
    refused("index-that-forgets-the-profile", CHECK, "?", _changed(INDEX, lambda d: d["files"].pop("profile.arrow"))),
    refused("index-that-forgets-the-statistics", CHECK, "?", _changed(INDEX, lambda d: d["files"].pop("statistics.json"))),
    refused("index-with-a-file-elsewhere", CHECK, "?", _changed(INDEX, lambda d: d["files"].update({"../train.parquet": "sha256:0"}))),
    refused("index-with-a-wrong-number-of-rows", CHECK, "?", _set(INDEX, "n_rows", 999)),
    refused("index-with-text-for-notes", CHECK, "?", _set(INDEX, "notes", "x")),
    refused("index-with-numbers-for-notes", CHECK, "?", _set(INDEX, "notes", [1, {"a": 2}])),
    refused("index-with-an-unknown-mode", CHECK, "?", _set(INDEX, "mode", "sagemakr")),
    refused("segment-without-a-profile", CHECK, "?", _set(INDEX, "segments", {"column": "kind", "values": [{"value": "a", "file": "segment-0001.arrow"}]})),
    # -- edited constraints
    refused("no-features", CHECK, "?", _set(CONSTRAINTS, "features", [])),
    refused("features-missing", CHECK, "?", _changed(CONSTRAINTS, lambda d: d.pop("features"))),
    refused("feature-without-name", CHECK, "?", _changed(CONSTRAINTS, lambda d: d["features"][0].pop("name"))),
    refused("feature-twice", CHECK, "?", _changed(CONSTRAINTS, lambda d: d["features"].append(d["features"][0]))),
    refused("feature-renamed", CHECK, "?", _set(CONSTRAINTS, f"{FIRST}.name", "amuont")),
    refused("feature-removed", CHECK, "?", _changed(CONSTRAINTS, lambda d: d["features"].pop(0))),
    refused("feature-added", CHECK, "?", _changed(CONSTRAINTS, lambda d: d["features"].append({"name": "new", "inferred_type": "String"}))),
    _constraints("name-is-a-number", f"{FIRST}.name", 7, "?"),
    _constraints("type-misspelt", f"{FIRST}.inferred_type", "Fractionl", "?"),
    _constraints("completeness-above-one", f"{FIRST}.completeness", 1.5, "?"),
    _constraints("completeness-negative", f"{FIRST}.completeness", -0.1, "?"),
    _constraints("completeness-is-text", f"{FIRST}.completeness", "0.9", "?"),
    _constraints("completeness-in-per-cent", f"{FIRST}.completeness", 95, "?"),
    _constraints("threshold-above-one", "monitoring_config.distribution_constraints.comparison_threshold", 1.01, "?"),
    _constraints("threshold-is-text", "monitoring_config.distribution_constraints.comparison_threshold", "high", "?"),
    _constraints("threshold-is-true", "monitoring_config.distribution_constraints.comparison_threshold", True, "?"),
    _constraints("method-unknown", "monitoring_config.distribution_constraints.comparison_method", "Robst", "?"),
    _constraints("switch-misspelt", "monitoring_config.evaluate_constraints", "enabled", "?"),
    _constraints("own-key-misspelt", f"{FIRST}.driftline.chekcs", {}, "?"),
    _constraints("check-misspelt", f"{FIRST}.driftline.checks.completness", {"bound": 0.9}, "?"),
    _constraints("setting-misspelt", f"{FIRST}.driftline.checks.completeness", {"buond": 0.9}, "?"),
    _constraints("bound-negative", f"{FIRST}.driftline.checks.ks", {"bound": -1}, "?"),
    _constraints("bound-is-text", f"{FIRST}.driftline.checks.ks", {"bound": "0.1"}, "?"),
    _constraints("range-upside-down", f"{FIRST}.driftline.checks.numeric_range", {"low": 5, "high": 1}, "?"),
    _constraints("alpha-zero", "driftline.alpha", 0, "?"),
    _constraints("alpha-above-one", "driftline.alpha", 2, "?"),
    _constraints("own-schema-newer", "driftline.schema", "driftline.constraints/v9", "?"),
    _constraints("domain-of-numbers", "features.2.string_constraints", {"domains": ["a", 1]}, "?"),
    refused("threshold-nan", CHECK, "?", _raw("monitoring_config.distribution_constraints.comparison_threshold", "NaN")),
    refused("threshold-infinite", CHECK, "?", _raw("monitoring_config.distribution_constraints.comparison_threshold", "1e999")),
    refused("constraints-with-a-comment", CHECK, "?", edited(CONSTRAINTS, lambda data: data.replace(b"{", b"{ // mine", 1))),
    refused("constraints-with-a-key-twice", CHECK, "?", edited(CONSTRAINTS, lambda data: data.replace(b'"version"', b'"version" : 0.0, "version"', 1))),
    refused("constraints-of-another-table", CHECK, "?", together(files({"other.csv": b"x,y\n1,2\n3,4\n"}), files({CONSTRAINTS: json.dumps({"version": 0.0, "features": [{"name": "x", "inferred_type": "Integral"}]}).encode()}))),
    told("constraints-edited-by-hand", "live.parquet", _set(CONSTRAINTS, f"{FIRST}.driftline.checks.ks", {"bound": 0.2, "why": "we know better"}), 0, notes=lambda n: "edited" in n[0]),
    told("features-in-another-order", "live.parquet", _changed(CONSTRAINTS, lambda d: d["features"].reverse()), 0, violated=[]),
    told("unknown-keys-of-sagemaker", "live.parquet", _set(CONSTRAINTS, "monitoring_config.enable_comparisons", True), 0, violated=[]),
    # -- the wrong baseline
    Case("baseline-of-another-schema", files({"other.csv": b"x,y\n" + b"1,2\n" * 50}), (_other("other", "other.csv"), Run(("check", "live.parquet", "-b", "other", "-o", "report", "--json"), Told(1, {"violated": lambda v: v == ["amount/extra_column", "count/extra_column", "kind/extra_column", "x/missing_column", "y/missing_column"]})))),
    Case("baseline-of-no-rows", parquet(lambda: table(1, 0), "empty.parquet"), (_other("empty", "empty.parquet"), Run(("check", "live.parquet", "-b", "empty", "-o", "report", "--json"), Told(4, {"status": "undetermined", "violated": []})))),
    Case("baseline-of-one-row", parquet(lambda: table(1, 1), "one.parquet"), (_other("one", "one.parquet"), Run(("check", "live.parquet", "-b", "one", "-o", "report", "--json"), Told(0, {"violated": [], "undetermined": lambda u: "amount/ks" in u})))),
    Case("baseline-of-nulls", files({"null.jsonl": b'{"amount": null, "count": null, "kind": null}\n' * 50}), (_other("null", "null.jsonl"), Run(("check", "live.parquet", "-b", "null", "-o", "report", "--json"), Told(4, {"status": "undetermined"})))),
    Case("files-of-two-baselines", nothing, (_other("other", "drift.parquet"), Run(("show", BASELINE), Done()))),
    # -- SageMaker's files
    told("sagemaker-constraints-alone", "live.parquet", _sagemaker(statistics=None), 1, baseline="sm", violated=lambda v: set(v) == {"count/extra_column", "kind/extra_column"}),
    told("sagemaker-without-sketch", "live.parquet", _sagemaker(), 1, baseline="sm", undetermined=lambda u: "amount/ks" in u),
    refused("sagemaker-statistics-alone", SAGEMAKER, "?", files({"sm/statistics.json": json.dumps(SAGEMAKER_STATISTICS).encode()})),
    refused("sagemaker-statistics-of-another-table", SAGEMAKER, "?", _sagemaker(statistics=_statistics_with(lambda d: d["features"][0].update(name="other")))),
    refused("sagemaker-statistics-without-item-count", SAGEMAKER, "?", _sagemaker(statistics=_statistics_with(lambda d: d["dataset"].pop("item_count")))),
    refused("sagemaker-statistics-with-text-for-mean", SAGEMAKER, "?", _sagemaker(statistics=_statistics_with(lambda d: d["features"][0]["numerical_statistics"].update(mean="high")))),
    refused("sagemaker-statistics-with-negative-count", SAGEMAKER, "?", _sagemaker(statistics=_statistics_with(lambda d: d["features"][0]["numerical_statistics"]["common"].update(num_present=-3)))),
    refused("sagemaker-statistics-are-a-list", SAGEMAKER, "?", _sagemaker(statistics=[])),
    refused("sagemaker-constraints-and-statistics-swapped", SAGEMAKER, "?", _sagemaker(SAGEMAKER_STATISTICS, SAGEMAKER_CONSTRAINTS)),
    refused("sagemaker-sketch-with-text", SAGEMAKER, "?", _sagemaker(statistics=_statistics_with(lambda d: d["features"][0]["numerical_statistics"].update(distribution={"kll": {"buckets": [], "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [["x"]]}}})))),
    refused("sagemaker-buckets-upside-down", SAGEMAKER, "?", _sagemaker(statistics=_statistics_with(lambda d: d["features"][0]["numerical_statistics"].update(distribution={"kll": {"buckets": [{"lower_bound": 3.0, "upper_bound": 1.0, "count": 3.0}], "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[1.0, 2.0, 3.0]]}}})))),
    refused("violations-given-as-baseline", SAGEMAKER, "?", files({"sm/constraints.json": b'{"violations": []}'})),
    refused("model-quality-constraints", SAGEMAKER, "?", files({"sm/constraints.json": b'{"version": 0.0, "binary_classification_constraints": {"recall": {"threshold": 0.5, "comparison_operator": "LessThanThreshold"}}}'})),
]
