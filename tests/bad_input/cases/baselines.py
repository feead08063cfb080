"""Baselines with missing, damaged, foreign and badly edited files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from bad_input.case import BASELINE, Case, Done, Run, Told, refused, told
from bad_input.making import edited, files, nothing, parquet, table, together

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
    "features": [
        {
            "name": "amount",
            "inferred_type": "Fractional",
            "numerical_statistics": {
                "common": {"num_present": 3, "num_missing": 0},
                "mean": 2.0,
                "sum": 6.0,
                "std_dev": 1.0,
                "min": 1.0,
                "max": 3.0,
            },
        }
    ],
}
SAGEMAKER_CONSTRAINTS = {
    "version": 0.0,
    "features": [
        {
            "name": "amount",
            "inferred_type": "Fractional",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": True},
        }
    ],
}


def _sagemaker(
    constraints: object = SAGEMAKER_CONSTRAINTS, statistics: object | None = SAGEMAKER_STATISTICS
) -> Make:
    found = {"sm/constraints.json": json.dumps(constraints).encode()}
    if statistics is not None:
        found["sm/statistics.json"] = json.dumps(statistics).encode()
    return files(found)


def _statistics_with(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    document = json.loads(json.dumps(SAGEMAKER_STATISTICS))
    change(document)
    return document


SAGEMAKER = ("check", "live.parquet", "-b", "sm", "-o", "out")


def _folder_for(name: str) -> Make:
    def make(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return make


def _profile_of_something_else(folder: Path) -> None:
    (folder / PROFILE).write_bytes((folder / "train.parquet").read_bytes())


CASES: list[Case] = [
    # -- files missing, empty, damaged, swapped
    refused(
        "constraints-missing",
        CHECK,
        "E-BASELINE: baseline: there is no constraints.json here; give the folder that `driftline baseline` wrote, or one with SageMaker's files",
        _without(CONSTRAINTS),
    ),
    refused(
        "statistics-missing",
        CHECK,
        "E-BASELINE: baseline: statistics.json is missing; make the baseline again",
        _without(STATISTICS),
    ),
    refused(
        "profile-missing",
        CHECK,
        "E-BASELINE: baseline: profile.arrow is missing; make the baseline again",
        _without(PROFILE),
    ),
    refused(
        "everything-missing",
        CHECK,
        "E-BASELINE: baseline: there is no constraints.json here; give the folder that `driftline baseline` wrote, or one with SageMaker's files",
        _without(CONSTRAINTS, STATISTICS, PROFILE, INDEX),
    ),
    refused(
        "constraints-empty",
        CHECK,
        "E-JSON: baseline/constraints.json: the document is empty",
        edited(CONSTRAINTS, lambda _: b""),
    ),
    refused(
        "index-empty",
        CHECK,
        "E-JSON: baseline/baseline.json:1: not JSON: <any>",
        edited(INDEX, lambda _: b""),
    ),
    refused(
        "statistics-empty",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/statistics.json: does not match the checksum in baseline.json: it was damaged or replaced; make the baseline again, or restore the file",
        edited(STATISTICS, lambda _: b""),
    ),
    refused(
        "profile-empty",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/profile.arrow: does not match the checksum in baseline.json: it was damaged or replaced; make the baseline again, or restore the file",
        edited(PROFILE, lambda _: b""),
    ),
    refused(
        "constraints-cut-off",
        CHECK,
        "E-JSON: baseline/constraints.json:53: not JSON: <any>",
        edited(CONSTRAINTS, lambda data: data[: len(data) // 2]),
    ),
    refused(
        "index-cut-off",
        CHECK,
        "E-JSON: baseline/baseline.json:17: not JSON: <any>",
        edited(INDEX, lambda data: data[: len(data) // 2]),
    ),
    refused(
        "index-is-a-list",
        CHECK,
        "E-FIELD: baseline/baseline.json: expected an object, found a list",
        edited(INDEX, lambda _: b"[]"),
    ),
    refused(
        "index-is-binary",
        CHECK,
        "E-JSON-ENCODING: baseline/baseline.json:1: byte 0 is not valid UTF-8; save the file as UTF-8",
        edited(INDEX, lambda _: b"\xff\xfe\0"),
    ),
    refused(
        "statistics-changed",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/statistics.json: does not match the checksum in baseline.json: it was damaged or replaced; make the baseline again, or restore the file",
        edited(STATISTICS, lambda data: data.replace(b"1000", b"1001", 1)),
    ),
    refused(
        "profile-bit-flipped",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/profile.arrow: does not match the checksum in baseline.json: it was damaged or replaced; make the baseline again, or restore the file",
        edited(PROFILE, lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:]),
    ),
    refused(
        "profile-of-another-baseline",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/profile.arrow: does not match the checksum in baseline.json: it was damaged or replaced; make the baseline again, or restore the file",
        _profile_of_something_else,
    ),
    refused(
        "profile-is-a-folder",
        CHECK,
        "E-FILE: baseline/profile.arrow: is not a regular file",
        _folder_for(PROFILE),
    ),
    refused(
        "constraints-is-a-folder",
        CHECK,
        "E-FILE: baseline/constraints.json: is not a regular file",
        _folder_for(CONSTRAINTS),
    ),
    refused(
        "index-of-a-newer-schema",
        CHECK,
        "E-FIELD: baseline/baseline.json: schema: expected 'driftline.baseline/v1', found 'driftline.baseline/v9'; upgrade driftline",
        _set(INDEX, "schema", "driftline.baseline/v9"),
    ),
    refused(
        "index-without-schema",
        CHECK,
        "E-FIELD: baseline/baseline.json: schema: this field is required and missing",
        _changed(INDEX, lambda d: d.pop("schema")),
    ),
    refused(
        "index-without-files",
        CHECK,
        "E-FIELD: baseline/baseline.json: files: this field is required and missing",
        _changed(INDEX, lambda d: d.pop("files")),
    ),
    refused(
        "index-that-forgets-the-profile",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/baseline.json: the content is not the one that its id names: it was damaged, or changed after it was written; make the baseline again, or restore the file; constraints.json is the one to edit",
        _changed(INDEX, lambda d: d["files"].pop("profile.arrow")),
    ),
    refused(
        "index-that-forgets-the-statistics",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/baseline.json: the content is not the one that its id names: it was damaged, or changed after it was written; make the baseline again, or restore the file; constraints.json is the one to edit",
        _changed(INDEX, lambda d: d["files"].pop("statistics.json")),
    ),
    refused(
        "index-with-a-file-elsewhere",
        CHECK,
        "E-BASELINE: baseline: ../train.parquet is missing; make the baseline again",
        _changed(INDEX, lambda d: d["files"].update({"../train.parquet": "sha256:0"})),
    ),
    refused(
        "index-with-a-wrong-number-of-rows",
        CHECK,
        "E-BASELINE-DAMAGED: baseline/baseline.json: the content is not the one that its id names: it was damaged, or changed after it was written; make the baseline again, or restore the file; constraints.json is the one to edit",
        _set(INDEX, "n_rows", 999),
    ),
    refused(
        "index-with-text-for-notes",
        CHECK,
        "E-FIELD: baseline/baseline.json: notes: expected a list, found text",
        _set(INDEX, "notes", "x"),
    ),
    refused(
        "index-with-numbers-for-notes",
        CHECK,
        "E-FIELD: baseline/baseline.json: notes[0]: expected text",
        _set(INDEX, "notes", [1, {"a": 2}]),
    ),
    refused(
        "index-with-an-unknown-mode",
        CHECK,
        "E-FIELD: baseline/baseline.json: mode: unknown value 'sagemakr'; did you mean 'sagemaker'?",
        _set(INDEX, "mode", "sagemakr"),
    ),
    refused(
        "segment-without-a-profile",
        CHECK,
        "E-FIELD: baseline/baseline.json: segments.values[0].file: is not among the files of this baseline",
        _set(INDEX, "segments", {"column": "kind", "values": [{"value": "a", "file": "segment-0001.arrow"}]}),
    ),
    # -- edited constraints
    refused(
        "no-features",
        CHECK,
        "E-FIELD: baseline/constraints.json: features: the list of features is empty: nothing could be compared",
        _set(CONSTRAINTS, "features", []),
    ),
    refused(
        "features-missing",
        CHECK,
        "E-FIELD: baseline/constraints.json: features: there is no list of features; give a document that a data-quality baseline wrote",
        _changed(CONSTRAINTS, lambda d: d.pop("features")),
    ),
    refused(
        "feature-without-name",
        CHECK,
        "E-FIELD: baseline/constraints.json: features[0].name: this field is required and missing",
        _changed(CONSTRAINTS, lambda d: d["features"][0].pop("name")),
    ),
    refused(
        "feature-twice",
        CHECK,
        "E-FIELD: baseline/constraints.json: features[3].name: a feature called 'amount' occurred before; remove one of them",
        _changed(CONSTRAINTS, lambda d: d["features"].append(d["features"][0])),
    ),
    refused(
        "feature-renamed",
        CHECK,
        "E-BASELINE: baseline/constraints.json: constraints.json and the profile speak of different columns: 'amuont' is not in the profile; keep one entry per column; to leave a column out, set evaluate_constraints to Disabled",
        _set(CONSTRAINTS, f"{FIRST}.name", "amuont"),
    ),
    refused(
        "feature-removed",
        CHECK,
        "E-BASELINE: baseline/constraints.json: constraints.json and the profile speak of different columns: 'amount' is not here; keep one entry per column; to leave a column out, set evaluate_constraints to Disabled",
        _changed(CONSTRAINTS, lambda d: d["features"].pop(0)),
    ),
    refused(
        "feature-added",
        CHECK,
        "E-BASELINE: baseline/constraints.json: constraints.json and the profile speak of different columns: 'new' is not in the profile; keep one entry per column; to leave a column out, set evaluate_constraints to Disabled",
        _changed(CONSTRAINTS, lambda d: d["features"].append({"name": "new", "inferred_type": "String"})),
    ),
    _constraints(
        "name-is-a-number",
        f"{FIRST}.name",
        7,
        "E-FIELD: baseline/constraints.json: features[0].name: expected text, found a number",
    ),
    _constraints(
        "type-misspelt",
        f"{FIRST}.inferred_type",
        "Fractionl",
        "E-FIELD: baseline/constraints.json: features[0].inferred_type: unknown value 'Fractionl'; did you mean 'Fractional'?",
    ),
    _constraints(
        "completeness-above-one",
        f"{FIRST}.completeness",
        1.5,
        "E-FIELD: baseline/constraints.json: features[0].completeness: expected a number from 0 to 1, found 1.5",
    ),
    _constraints(
        "completeness-negative",
        f"{FIRST}.completeness",
        -0.1,
        "E-FIELD: baseline/constraints.json: features[0].completeness: expected a number from 0 to 1, found -0.1",
    ),
    _constraints(
        "completeness-is-text",
        f"{FIRST}.completeness",
        "0.9",
        "E-FIELD: baseline/constraints.json: features[0].completeness: expected a number, found text",
    ),
    _constraints(
        "completeness-in-per-cent",
        f"{FIRST}.completeness",
        95,
        "E-FIELD: baseline/constraints.json: features[0].completeness: expected a number from 0 to 1, found 95",
    ),
    _constraints(
        "threshold-above-one",
        "monitoring_config.distribution_constraints.comparison_threshold",
        1.01,
        "E-FIELD: baseline/constraints.json: monitoring_config.distribution_constraints.comparison_threshold: expected a number from 0 to 1, found 1.01",
    ),
    _constraints(
        "threshold-is-text",
        "monitoring_config.distribution_constraints.comparison_threshold",
        "high",
        "E-FIELD: baseline/constraints.json: monitoring_config.distribution_constraints.comparison_threshold: expected a number, found text",
    ),
    _constraints(
        "threshold-is-true",
        "monitoring_config.distribution_constraints.comparison_threshold",
        True,
        "E-FIELD: baseline/constraints.json: monitoring_config.distribution_constraints.comparison_threshold: expected a number, found a boolean",
    ),
    _constraints(
        "method-unknown",
        "monitoring_config.distribution_constraints.comparison_method",
        "Robst",
        "E-FIELD: baseline/constraints.json: monitoring_config.distribution_constraints.comparison_method: unknown value 'Robst'; did you mean 'Robust'?",
    ),
    _constraints(
        "switch-misspelt",
        "monitoring_config.evaluate_constraints",
        "enabled",
        "E-FIELD: baseline/constraints.json: monitoring_config.evaluate_constraints: unknown value 'enabled'; did you mean 'Enabled'?",
    ),
    _constraints(
        "own-key-misspelt",
        f"{FIRST}.driftline.chekcs",
        {},
        "E-FIELD: baseline/constraints.json: features[0].driftline: unknown field 'chekcs'; did you mean 'checks'?",
    ),
    _constraints(
        "check-misspelt",
        f"{FIRST}.driftline.checks.completness",
        {"bound": 0.9},
        "E-FIELD: baseline/constraints.json: features[0].driftline.checks: there is no check called 'completness'; did you mean 'completeness'?",
    ),
    _constraints(
        "setting-misspelt",
        f"{FIRST}.driftline.checks.completeness",
        {"buond": 0.9},
        "E-FIELD: baseline/constraints.json: features[0].driftline.checks.completeness: unknown field 'buond'; did you mean 'bound'?",
    ),
    _constraints(
        "bound-negative",
        f"{FIRST}.driftline.checks.ks",
        {"bound": -1},
        "E-FIELD: baseline/constraints.json: features[0].driftline.checks.ks.bound: expected a number from 0 to 1, found -1",
    ),
    _constraints(
        "bound-is-text",
        f"{FIRST}.driftline.checks.ks",
        {"bound": "0.1"},
        "E-FIELD: baseline/constraints.json: features[0].driftline.checks.ks.bound: expected a number, found text",
    ),
    _constraints(
        "range-upside-down",
        f"{FIRST}.driftline.checks.numeric_range",
        {"low": 5, "high": 1},
        "E-FIELD: baseline/constraints.json: features[0].driftline.checks.numeric_range.low: low (5) is above high (1)",
    ),
    _constraints(
        "alpha-zero",
        "driftline.alpha",
        0,
        "E-FIELD: baseline/constraints.json: driftline.alpha: expected a number above 0, found 0; use a small rate such as 0.001",
    ),
    _constraints(
        "alpha-above-one",
        "driftline.alpha",
        2,
        "E-FIELD: baseline/constraints.json: driftline.alpha: expected a number from 0 to 1, found 2",
    ),
    _constraints(
        "own-schema-newer",
        "driftline.schema",
        "driftline.constraints/v9",
        "E-FIELD: baseline/constraints.json: driftline.schema: this driftline reads driftline.constraints/v1, found 'driftline.constraints/v9'; read it with the driftline that wrote it",
    ),
    _constraints(
        "domain-of-numbers",
        "features.2.string_constraints",
        {"domains": ["a", 1]},
        "E-FIELD: baseline/constraints.json: features[2].string_constraints.domains[1]: expected text; write the value in quotation marks",
    ),
    refused(
        "threshold-nan",
        CHECK,
        "E-JSON: baseline/constraints.json:1: NaN is not JSON; write null, or a string where the field allows one",
        _raw("monitoring_config.distribution_constraints.comparison_threshold", "NaN"),
    ),
    refused(
        "threshold-infinite",
        CHECK,
        "E-JSON: baseline/constraints.json:1: the number 1e999 is larger than a double can hold",
        _raw("monitoring_config.distribution_constraints.comparison_threshold", "1e999"),
    ),
    refused(
        "constraints-with-a-comment",
        CHECK,
        "E-JSON: baseline/constraints.json:1: not JSON: <any>",
        edited(CONSTRAINTS, lambda data: data.replace(b"{", b"{ // mine", 1)),
    ),
    refused(
        "constraints-with-a-key-twice",
        CHECK,
        "E-JSON: baseline/constraints.json:2: the key 'version' occurs twice in one object",
        edited(CONSTRAINTS, lambda data: data.replace(b'"version"', b'"version" : 0.0, "version"', 1)),
    ),
    refused(
        "constraints-of-another-table",
        CHECK,
        "E-BASELINE: baseline/constraints.json: constraints.json and the profile speak of different columns: 'x' is not in the profile; keep one entry per column; to leave a column out, set evaluate_constraints to Disabled",
        together(
            files({"other.csv": b"x,y\n1,2\n3,4\n"}),
            files(
                {
                    CONSTRAINTS: json.dumps(
                        {"version": 0.0, "features": [{"name": "x", "inferred_type": "Integral"}]}
                    ).encode()
                }
            ),
        ),
    ),
    told(
        "constraints-edited-by-hand",
        "live.parquet",
        _set(CONSTRAINTS, f"{FIRST}.driftline.checks.ks", {"bound": 0.2, "why": "we know better"}),
        0,
        notes=lambda n: "edited" in n[0],
    ),
    told(
        "features-in-another-order",
        "live.parquet",
        _changed(CONSTRAINTS, lambda d: d["features"].reverse()),
        0,
        violated=[],
    ),
    told(
        "unknown-keys-of-sagemaker",
        "live.parquet",
        _set(CONSTRAINTS, "monitoring_config.enable_comparisons", True),
        0,
        violated=[],
    ),
    # -- the wrong baseline
    Case(
        "baseline-of-another-schema",
        files({"other.csv": b"x,y\n" + b"1,2\n" * 50}),
        (
            _other("other", "other.csv"),
            Run(
                ("check", "live.parquet", "-b", "other", "-o", "report", "--json"),
                Told(
                    1,
                    {
                        "violated": lambda v: (
                            v
                            == [
                                "amount/extra_column",
                                "count/extra_column",
                                "kind/extra_column",
                                "x/missing_column",
                                "y/missing_column",
                            ]
                        )
                    },
                ),
            ),
        ),
    ),
    Case(
        "baseline-of-no-rows",
        parquet(lambda: table(1, 0), "empty.parquet"),
        (
            _other("empty", "empty.parquet"),
            Run(
                ("check", "live.parquet", "-b", "empty", "-o", "report", "--json"),
                Told(4, {"status": "undetermined", "violated": []}),
            ),
        ),
    ),
    Case(
        "baseline-of-one-row",
        parquet(lambda: table(1, 1), "one.parquet"),
        (
            _other("one", "one.parquet"),
            Run(
                ("check", "live.parquet", "-b", "one", "-o", "report", "--json"),
                Told(0, {"violated": [], "undetermined": lambda u: "amount/ks" in u}),
            ),
        ),
    ),
    Case(
        "baseline-of-nulls",
        files({"null.jsonl": b'{"amount": null, "count": null, "kind": null}\n' * 50}),
        (
            _other("null", "null.jsonl"),
            Run(
                ("check", "live.parquet", "-b", "null", "-o", "report", "--json"),
                Told(4, {"status": "undetermined"}),
            ),
        ),
    ),
    Case(
        "files-of-two-baselines", nothing, (_other("other", "drift.parquet"), Run(("show", BASELINE), Done()))
    ),
    # -- SageMaker's files
    told(
        "sagemaker-constraints-alone",
        "live.parquet",
        _sagemaker(statistics=None),
        1,
        baseline="sm",
        violated=lambda v: set(v) == {"count/extra_column", "kind/extra_column"},
    ),
    told(
        "sagemaker-without-sketch",
        "live.parquet",
        _sagemaker(),
        1,
        baseline="sm",
        undetermined=lambda u: "amount/ks" in u,
    ),
    refused(
        "sagemaker-statistics-alone",
        SAGEMAKER,
        "E-BASELINE: sm: there is no constraints.json here; give the folder that `driftline baseline` wrote, or one with SageMaker's files",
        files({"sm/statistics.json": json.dumps(SAGEMAKER_STATISTICS).encode()}),
    ),
    refused(
        "sagemaker-statistics-of-another-table",
        SAGEMAKER,
        "E-BASELINE: sm/statistics.json: statistics.json and constraints.json have no column in common; give the two files of one baseline job",
        _sagemaker(statistics=_statistics_with(lambda d: d["features"][0].update(name="other"))),
    ),
    refused(
        "sagemaker-statistics-without-item-count",
        SAGEMAKER,
        "E-FIELD: sm/statistics.json: dataset.item_count: this field is required and missing",
        _sagemaker(statistics=_statistics_with(lambda d: d["dataset"].pop("item_count"))),
    ),
    refused(
        "sagemaker-statistics-with-text-for-mean",
        SAGEMAKER,
        "E-FIELD: sm/statistics.json: features[0].numerical_statistics.mean: expected a number, found text",
        _sagemaker(
            statistics=_statistics_with(
                lambda d: d["features"][0]["numerical_statistics"].update(mean="high")
            )
        ),
    ),
    refused(
        "sagemaker-statistics-with-negative-count",
        SAGEMAKER,
        "E-FIELD: sm/statistics.json: features[0].numerical_statistics.common.num_present: expected at least 0, found -3",
        _sagemaker(
            statistics=_statistics_with(
                lambda d: d["features"][0]["numerical_statistics"]["common"].update(num_present=-3)
            )
        ),
    ),
    refused(
        "sagemaker-statistics-are-a-list",
        SAGEMAKER,
        "E-FIELD: sm/statistics.json: expected an object, found a list",
        _sagemaker(statistics=[]),
    ),
    refused(
        "sagemaker-constraints-and-statistics-swapped",
        SAGEMAKER,
        "E-FIELD: sm/statistics.json: dataset: this field is required and missing",
        _sagemaker(SAGEMAKER_STATISTICS, SAGEMAKER_CONSTRAINTS),
    ),
    refused(
        "sagemaker-sketch-with-text",
        SAGEMAKER,
        "E-FIELD: sm/statistics.json: features[0].numerical_statistics.distribution.kll.sketch.data[0][0]: expected a number",
        _sagemaker(
            statistics=_statistics_with(
                lambda d: d["features"][0]["numerical_statistics"].update(
                    distribution={
                        "kll": {
                            "buckets": [],
                            "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [["x"]]},
                        }
                    }
                )
            )
        ),
    ),
    refused(
        "sagemaker-buckets-upside-down",
        SAGEMAKER,
        "E-FIELD: sm/statistics.json: features[0].numerical_statistics.distribution.kll.buckets[0]: lower_bound (3) is above upper_bound (1)",
        _sagemaker(
            statistics=_statistics_with(
                lambda d: d["features"][0]["numerical_statistics"].update(
                    distribution={
                        "kll": {
                            "buckets": [{"lower_bound": 3.0, "upper_bound": 1.0, "count": 3.0}],
                            "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[1.0, 2.0, 3.0]]},
                        }
                    }
                )
            )
        ),
    ),
    refused(
        "violations-given-as-baseline",
        SAGEMAKER,
        "E-FIELD: sm/constraints.json: features: there is no list of features; give a document that a data-quality baseline wrote",
        files({"sm/constraints.json": b'{"violations": []}'}),
    ),
    refused(
        "model-quality-constraints",
        SAGEMAKER,
        "E-CONFIG: sm: SageMaker's files do not say which column is the label and which the prediction; give a configuration with problem, label, prediction or probability",
        files(
            {
                "sm/constraints.json": b'{"version": 0.0, "binary_classification_constraints": {"recall": {"threshold": 0.5, "comparison_operator": "LessThanThreshold"}}}'
            }
        ),
    ),
]
