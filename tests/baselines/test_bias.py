"""What a baseline of the bias monitor keeps, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from driftline.baselines.analysis import Analysis, FacetResult, MetricValue, Stage, write_analysis
from driftline.baselines.bias import ANALYSIS, CONFIG, STATES, BiasBaseline
from driftline.baselines.index import INDEX
from driftline.baselines.kinds import baseline_of
from driftline.errors import DocumentError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

STAGE = Stage(
    "income",
    ">50K",
    {
        "sex": (FacetResult("Female", (MetricValue("DI", "Disparate Impact (DI)", 0.58),)),),
        "age": (FacetResult("(45, 90]", (MetricValue("DI", "Disparate Impact (DI)", float("inf")),)),),
    },
)
MADE = BiasBaseline(
    "train.csv",
    Analysis(post_training=STAGE),
    b"counts",
    {"label": "income", "positive": [">50K"], "facets": [{"column": "sex"}]},
    {"frozen": {}},
    ("income", "sex"),
    1200,
    created="2026-11-23T00:00:00Z",
    sources=("train.csv",),
    versions={"driftline": "1"},
    notes=("a note",),
)


def test_a_baseline_survives_its_files() -> None:
    read = BiasBaseline.from_files(MADE.files(), file="folder")
    assert replace(read, file=None) == MADE
    assert read.files() == MADE.files()


def test_the_index_comes_last_and_names_every_file() -> None:
    files = MADE.files()
    assert list(files) == [ANALYSIS, STATES, INDEX]


def test_a_saved_baseline_is_found_by_its_kind(tmp_path: Path) -> None:
    MADE.save(tmp_path / "b")
    files = {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    assert isinstance(baseline_of(files, file="b"), BiasBaseline)


def test_a_report_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(UsageError, match="a baseline would overwrite"):
        MADE.save(tmp_path)


def test_it_shows_what_it_is_about() -> None:
    assert repr(MADE) == "<BiasBaseline train.csv: 1,200 rows, 2 groups>"
    assert MADE.facets == (("sex", "Female"), ("age", "(45, 90]"))


def test_an_edited_analysis_is_noted() -> None:
    files = MADE.files()
    files[ANALYSIS] = files[ANALYSIS].replace(b"0.58", b"0.8")
    read = BiasBaseline.from_files(files, file="folder")
    assert read.notes[-1] == "analysis.json was edited after the baseline was made"
    assert read.analysis.post_training is not None
    result = read.analysis.post_training.facet("sex", "Female")
    assert result is not None
    assert result.metrics[0].value == 0.8


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        (STATES, lambda data: data + b"x", "E-BASELINE-DAMAGED: folder/states.arrow"),
        (STATES, None, "states.arrow is missing"),
        (ANALYSIS, None, "there is no analysis.json here"),
        (ANALYSIS, lambda _: b"{}", "E-FIELD: folder/analysis.json"),
        (ANALYSIS, lambda _: b'{"explanations": {}}', "has no bias metrics"),
        (INDEX, lambda data: data.replace(b"1200", b"1300"), "E-BASELINE-DAMAGED: folder/baseline.json"),
        (INDEX, lambda data: data.replace(b'"bias"', b'"attribution"'), "expected one of bias"),
        (INDEX, lambda _: b"{", "E-JSON: folder/baseline.json"),
    ],
)
def test_what_is_wrong_is_named(name: str, change: object, told: str) -> None:
    files = MADE.files()
    if change is None:
        del files[name]
    else:
        files[name] = change(files[name])  # type: ignore[operator]
    with pytest.raises(DocumentError) as caught:
        BiasBaseline.from_files(files, file="folder")
    assert told in str(caught.value)


def test_clarifys_file_alone_is_a_baseline() -> None:
    data = write_analysis(MADE.analysis).encode()
    read = BiasBaseline.from_files({ANALYSIS: data}, file="folder")
    assert (read.mode, read.states, read.settings, read.n_rows) == ("sagemaker", None, {}, 0)
    assert read.digest != MADE.digest
    beside = BiasBaseline.from_files({ANALYSIS: data, CONFIG: b'{"label": "income"}'}, file="folder")
    assert beside.settings == {"label": "income"}


@pytest.mark.parametrize("config", [b"[]", b"{"])
def test_a_malformed_configuration_is_refused(config: bytes) -> None:
    data = write_analysis(MADE.analysis).encode()
    with pytest.raises(DocumentError, match=r"folder/analysis_config\.json"):
        BiasBaseline.from_files({ANALYSIS: data, CONFIG: config}, file="folder")
