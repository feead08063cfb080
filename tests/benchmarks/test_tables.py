from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.goals import GOALS
from benchmarks.pairs import BenchmarkError
from benchmarks.results import ALONE, KEPT, PARTS, PUBLISHED_ROUNDS, header, load, rounds_of, save
from benchmarks.tables import inserted, sections

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.fixture
def kept() -> dict[str, dict[str, Any]]:
    return load(KEPT)


def test_page_is_what_the_results_give(kept: dict[str, dict[str, Any]]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == inserted(page, sections(kept)), "run `python -m benchmarks --render`"


def test_page_has_every_part_and_every_goal(kept: dict[str, dict[str, Any]]) -> None:
    assert tuple(kept) == (*PARTS, *ALONE)
    goals = sections(kept)["goals"]
    assert all(f"| {goal.what} |" in goals for goal in GOALS)
    assert "not measured" not in goals


def test_kept_ratios_are_those_of_the_rounds(kept: dict[str, dict[str, Any]]) -> None:
    rounds = rounds_of(kept["processes"])
    for name, contest in kept["processes"]["contests"].items():
        subject, *rivals = rounds[name]
        assert contest["ratios"].keys() == set(rivals)
        for rival in rivals:
            for quantity in contest["quantities"]:
                values = sorted(
                    a.quantity(quantity) / b.quantity(quantity)
                    for a, b in zip(rounds[name][subject], rounds[name][rival], strict=True)
                )
                found = contest["ratios"][rival][quantity]
                assert (found["least"], found["greatest"]) == pytest.approx(
                    (values[0], values[-1]), rel=1e-2, abs=1e-4
                )
                assert values[0] - 1e-4 <= found["median"] <= values[-1] + 1e-4


def test_results_say_what_they_were_taken_with(kept: dict[str, dict[str, Any]]) -> None:
    for document in kept.values():
        assert document["machine"].keys() >= {"processor", "processors_used", "memory_gib", "load_before"}
        assert document["versions"].keys() >= {
            "python",
            "driftline",
            "numpy",
            "pyarrow",
            "duckdb",
            "pandas",
            "scipy",
        }
        assert document["scale"] > 0
    assert kept["processes"]["rows"].keys() == {"W1", "W2", "W3", "W4"}
    assert all(
        size > 0 for contest in kept["processes"]["contests"].values() for size in contest["files"].values()
    )


def _as(documents: dict[str, dict[str, Any]], *, sample: bool) -> dict[str, dict[str, Any]]:
    changed = copy.deepcopy(documents)
    for document in changed.values():
        document["sample"] = sample
    return changed


def test_sample_is_marked_and_never_judged(kept: dict[str, dict[str, Any]]) -> None:
    made = sections(_as(kept, sample=True))
    assert all("A sample, not a measurement" in text for text in made.values())
    assert "met" not in made["goals"]
    assert "missed" not in made["goals"]


def test_losses_stand_beside_wins(kept: dict[str, dict[str, Any]]) -> None:
    slow = _as(kept, sample=False)
    assert "A sample" not in "".join(sections(slow).values())
    for used in slow["processes"]["contests"]["w1-snappy"]["rounds"]["driftline check"]:
        used["wall"] *= 1000
    for used in slow["processes"]["contests"]["w1-zstd"]["rounds"]["driftline check"]:
        used["wall"] /= 1000
    rows = {line.split(" | ")[0]: line for line in sections(slow)["goals"].splitlines()}
    assert rows["| W1 snappy, whole process / `read_table` process"].endswith("| **missed** |")
    assert rows["| W1 zstd, whole process / `read_table` process"].endswith("| goal met |")


def test_accuracy_is_judged_by_the_worst_column(kept: dict[str, dict[str, Any]]) -> None:
    wrong = _as(kept, sample=False)
    next(iter(wrong["accuracy"]["columns"].values()))["rank"] = 0.42
    row = next(line for line in sections(wrong)["goals"].splitlines() if line.startswith("| Quantiles"))
    assert "**42.0%**" in row
    assert row.endswith("| **missed** |")


def test_part_that_was_not_measured_is_left_out(kept: dict[str, dict[str, Any]]) -> None:
    made = sections({"kernels": kept["kernels"]})
    assert made.keys() == {"goals", "kernels"}
    assert "not measured" in made["goals"]


def test_page_and_results_must_fit() -> None:
    page = "<!-- benchmarks: goals -->\nold\n<!-- benchmarks: end -->\n"
    assert (
        inserted(page, {"goals": "new"}) == "<!-- benchmarks: goals -->\n\nnew\n\n<!-- benchmarks: end -->\n"
    )
    with pytest.raises(BenchmarkError, match="places"):
        inserted(page, {"goals": "new", "kernels": "more"})


def test_small_scales_and_few_rounds_are_samples() -> None:
    assert header("kernels", scale=0.1, rounds=PUBLISHED_ROUNDS)["sample"]
    assert header("kernels", scale=1.0, rounds=PUBLISHED_ROUNDS - 1)["sample"]
    assert not header("kernels", scale=1.0, rounds=PUBLISHED_ROUNDS)["sample"]


def test_results_survive_the_file(tmp_path: Path) -> None:
    document = header("kernels", scale=1.0, rounds=5) | {"rows": 10, "kernels": []}
    save(tmp_path, document)
    assert load(tmp_path) == {"kernels": document}


def test_other_schema_is_refused(tmp_path: Path) -> None:
    save(tmp_path, {"schema": "driftline.benchmarks/v0", "part": "kernels"})
    with pytest.raises(BenchmarkError, match="measure again"):
        load(tmp_path)
