"""``driftline card export``, ``apply`` and ``verify``: cards as files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]

ANN = {"DRIFTLINE_USER": "ann"}
BOB = {"DRIFTLINE_USER": "bob"}


def document(done: Any) -> Any:
    assert done.err == ""
    return json.loads(done.out)


@pytest.mark.parametrize(
    ("ending", "begin"),
    [("pdf", b"%PDF-"), ("html", b"<!doctype html>"), ("json", b"{"), ("toml", b"schema ="), ("md", b"+++")],
)
def test_the_ending_says_the_format(run: Run, world: Path, ending: str, begin: bytes) -> None:
    done = run("card", "export", "churn-card", "-o", f"out/card.{ending}")
    assert (done.code, done.out, done.err) == (0, f"out/card.{ending}\n", "")
    data = (world / "out" / f"card.{ending}").read_bytes()
    assert data.lower().startswith(begin.lower())
    again = run("card", "export", "churn-card@2", "--format", ending, "-o", "out")
    assert again.out == f"out/churn-card-v2.{ending}\n"
    assert (world / "out" / f"churn-card-v2.{ending}").read_bytes() == data


def test_what_another_format_has_no_place_for_is_listed(run: Run, world: Path) -> None:
    run(
        "card",
        "edit",
        "churn-card",
        "--set",
        "extensions.metric_rationale=cost",
        "--unset",
        "extensions.data",
    )
    done = run("card", "export", "churn-card", "--format", "sagemaker")
    assert done.out == "churn-card-v3.sagemaker.json\n"
    assert done.err == "left out: extensions.metric_rationale\n"
    done = run("card", "export", "churn-card", "--format", "cyclonedx", "--plain", "--json")
    told = document(done)
    assert told["file"] == "churn-card-v3.cdx.json"
    assert any(one.startswith("business_details") or "purpose" in one for one in told["lost"])
    made = run("card", "export", "churn-card", "--format", "cyclonedx", "-o", "-")
    assert json.loads(made.out)["bomFormat"] == "CycloneDX"
    assert made.err == ""


def test_an_export_that_cannot_be_written_is_one_line(run: Run, world: Path) -> None:
    (world / "file").write_text("")
    done = run("card", "export", "churn-card", "-o", "file/card.pdf")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "E-" in done.err


def test_a_card_begins_with_what_another_tool_wrote(run: Run, world: Path) -> None:
    content = {"model_overview": {"model_name": "stars"}, "intended_uses": {"risk_rating": "Low"}}
    answer = {"ModelCardName": "stars", "ModelCardStatus": "Approved", "Content": json.dumps(content)}
    (world / "answer.json").write_text(json.dumps(answer))
    done = run("card", "create", "stars", "--from", "answer.json", "--set", "model_overview.model_owner=ann")
    assert (done.code, done.out, done.err) == (0, "stars, version 1, Draft\n", "")
    shown = document(run("card", "show", "stars", "--json"))["version"]["content"]
    assert shown["model_overview"] == {"model_name": "stars", "model_owner": "ann"}
    (world / "README.md").write_text("---\nlicense: mit\nwidget: [{text: a}]\n---\n# A\n")
    done = run("card", "create", "hub", "--from", "README.md")
    assert done.code == 0
    told = document(run("card", "create", "hub-2", "--from", "README.md", "--json"))
    assert told["lost"] == [line.removeprefix("left out: ") for line in done.err.splitlines()]


def test_what_is_wrong_in_a_file_is_told_with_its_name(run: Run, world: Path) -> None:
    (world / "wrong.json").write_text('{"intended_uses": {"risk_rating": "Hihg"}}')
    done = run("card", "create", "new-card", "--from", "wrong.json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("driftline: E-CARD: wrong.json: intended_uses.risk_rating: ")


def test_a_file_in_git(run: Run, world: Path) -> None:
    run("card", "export", "churn-card", "-o", "card.toml", env=ANN)
    text = (world / "card.toml").read_text()
    (world / "card.toml").write_text(text.replace("Ranks", "Orders"))
    plan = (
        "~ card churn-card, version 2 → 3\n"
        "    changed intended_uses.purpose_of_model: 'Ranks customers' is now 'Orders customers'\n"
        "\n0 to create, 1 to change, 0 unchanged\n"
    )
    done = run("card", "apply", "card.toml", "--dry-run")
    assert (done.code, done.out) == (0, plan)
    done = run("card", "apply", "card.toml")
    assert (done.code, done.out) == (2, plan)
    assert "E-PLAN" in done.err
    assert run("card", "apply", "card.toml", "-y", "--reason", "mr 1", env=ANN).out == f"{plan}applied\n"
    assert run("card", "apply", "card.toml").out == "0 to create, 0 to change, 1 unchanged\n"
    run("card", "edit", "churn-card", "--set", "business_details.line_of_business=Retail", env=BOB)
    (world / "card.toml").write_text(text.replace("Ranks", "Sorts"))
    done = run("card", "apply", "card.toml", "third-card.toml", "-y")
    assert (done.code, done.out) == (2, "")
    assert "E-CARD-CONFLICT: card.toml: " in done.err
    assert "bob wrote version 4" in done.err
    assert "E-NO-CARD" in run("card", "show", "third-card").err
    told = document(run("card", "apply", "third-card.toml", "--yes", "--json"))
    assert (told["applied"], told["summary"]["create"], told["steps"][0]["card"]) == (True, 1, "third-card")


def test_an_exported_chain_is_verified_anywhere(run: Run, world: Path, tmp_path: Path) -> None:
    run("card", "export", "churn-card", "-o", "card.json")
    away = tmp_path / "away"
    away.mkdir()
    data = (world / "card.json").read_bytes()
    (away / "card.json").write_bytes(data)
    done = run("card", "verify", "--document", "card.json", cwd=away)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("churn-card: 2 versions, 3 records, all as they were written; head ")
    whole = json.loads(data)
    for path, value in (
        (("content", "intended_uses", "purpose_of_model"), "Refuses customers"),
        (("content_hash",), "sha256:" + "0" * 64),
        (("version", "author"), "bob"),
        (("version", "status"), "Approved"),
        (("version", "approved_by"), "bob"),
        (("version", "created"), "2020-01-01T00:00:00Z"),
        (("record", "hash"), "0" * 64),
        (("card", "name"), "other"),
        (("provenance",), {}),
        (("chain", "head"), "0" * 64),
        (("chain", "records"), whole["chain"]["records"][:-1]),
    ):
        forged = json.loads(data)
        at = forged
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        (away / "card.json").write_text(json.dumps(forged))
        done = run("card", "verify", "--document", "card.json", cwd=away)
        assert (done.code, done.err) == (1, ""), path
        assert "churn-card" in done.out or "card.json" in done.out, path
    found = document(run("card", "verify", "--document", "card.json", "--json", cwd=away))
    assert found["breaks"]
    (away / "card.json").write_text("{}")
    done = run("card", "verify", "--document", "card.json", cwd=away)
    assert (done.code, done.out) == (1, "card.json: the document is no model card\n")
    (away / "card.json").write_text("{")
    assert "E-JSON" in run("card", "verify", "--document", "card.json", cwd=away).err


def test_a_damaged_store_is_named(run: Run, world: Path) -> None:
    import sqlite3

    database = sqlite3.connect(world / "driftline-workspace" / "registry.db")
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute(
        "UPDATE card_versions SET content = replace(content, 'Lists', 'lists') WHERE version = 1"
    )
    database.commit()
    database.close()
    done = run("card", "verify", "churn-card")
    assert (done.code, done.err) == (1, "")
    assert "churn-card, version 1" in done.out
    assert run("card", "verify").code == 1
    refused = run("card", "show", "churn-card@1")
    assert (refused.code, "E-CARD-DAMAGED" in refused.err) == (2, True)
