"""``driftline card``: the way of a card through the command line, in one process a command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]

ANN = {"DRIFTLINE_USER": "ann"}
BOB = {"DRIFTLINE_USER": "bob"}


@pytest.fixture
def terminal(world: Path) -> Callable[..., tuple[int, str]]:
    """Run a command on a terminal, and type an answer."""

    def start(*arguments: str, answer: str = "", **variables: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "driftline", *arguments],
            cwd=world,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "COLUMNS": "100", "TERM": "dumb", **variables},
        )
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        with suppress(OSError):  # the end of a terminal
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        return process.wait(60), shown.decode().replace("\r\n", "\n")

    return start


def document(done: Any) -> Any:
    assert done.err == ""
    return json.loads(done.out)


def hash_of(run: Run, card: str = "churn-card") -> str:
    found: str = document(run("card", "show", card, "--json"))["card"]["content_hash"]
    return found


def test_from_a_model_to_an_approved_card(run: Run) -> None:
    done = run("card", "archive", "churn-card")
    assert (done.code, done.out) == (0, "churn-card, version 2, Archived\n")
    done = run("card", "create", "second", "--set", "intended_uses.risk_rating=Low", env=ANN)
    assert done.out == "second, version 1, Draft\n"
    done = run("card", "submit", "second", "--reason", "for November", env=ANN)
    assert done.out.startswith("second, version 1, PendingReview, sha256:")
    meant = done.out.split()[-1]
    done = run("card", "approve", "second", "--hash", meant, env=ANN)
    assert (done.code, done.err.partition(":")[0]) == (2, "driftline")
    assert "E-CARD-OWN-TEXT" in done.err
    done = run("card", "approve", "second", "--hash", meant[:20], env=BOB)
    assert (done.code, done.out.splitlines()[-1]) == (0, "second, version 1, Approved")
    listed = document(run("card", "list", "--status", "approved", "--json"))["cards"]
    assert [card["name"] for card in listed] == ["second"]
    done = run("card", "verify", "second")
    assert (done.code, done.out.split(";")[0]) == (
        0,
        "second: 1 version, 3 records, all as they were written",
    )


def test_an_approval_in_a_pipe_names_the_text(run: Run) -> None:
    done = run("card", "approve", "churn-card", env=BOB)
    assert done.code == 2
    assert f"say --hash {hash_of(run)} to approve this text" in done.err
    for wrong in ("sha256:" + "0" * 64, hash_of(run)[:15]):
        done = run("card", "approve", "churn-card", "--hash", wrong, env=BOB)
        assert done.code == 2
        assert "E-CARD-HASH" in done.err or "E-DIGEST" in done.err
    assert document(run("card", "show", "churn-card", "--json"))["card"]["status"] == "PendingReview"


@pytest.mark.parametrize(("answer", "status"), [("y\n", "Approved"), ("n\n", "PendingReview")])
def test_on_a_terminal_it_shows_what_it_is_and_asks(
    terminal: Callable[..., tuple[int, str]], run: Run, answer: str, status: str
) -> None:
    code, shown = terminal("card", "approve", "churn-card", answer=answer, **BOB)
    assert code == 0
    assert hash_of(run) in shown
    assert "Approve this? [y/N]" in shown
    assert document(run("card", "show", "churn-card", "--json"))["card"]["status"] == status


def test_what_is_approved_is_told_against_the_last_approved(run: Run) -> None:
    run("card", "approve", "churn-card", "--hash", hash_of(run), env=BOB)
    run("card", "edit", "churn-card", "--set", "intended_uses.risk_rating=High", env=ANN)
    run("card", "submit", "churn-card", env=ANN)
    done = run("card", "approve", "churn-card", "--hash", hash_of(run), env=BOB)
    assert "since version 2, which is approved:" in done.out
    assert "changed intended_uses.risk_rating: 'Unknown' is now 'High'" in done.out
    versions = document(run("card", "versions", "churn-card", "--json"))["versions"]
    assert [(v["version"], v["status"], v["approved_by"]) for v in versions[:2]] == [
        (3, "Approved", "bob"),
        (2, "Approved", "bob"),
    ]


def test_a_card_is_shown_with_its_monitors(run: Run) -> None:
    done = run("card", "show", "churn-card")
    assert (done.code, done.err) == (0, "")
    assert "Ranks customers" in done.out
    assert "churn-quality" in done.out
    assert "Nothing is said about: " in done.out
    shown = document(run("card", "show", "churn-card@1", "--json"))
    assert shown["version"]["content"]["intended_uses"]["purpose_of_model"] == "Lists customers"
    assert shown["monitors"][0]["schedule"] == "churn-quality"
    assert shown["monitors"][0]["open_alerts"] == 1


def test_hostile_text_is_shown_and_nothing_happens(run: Run) -> None:
    text = '\x1b]0;owned\x07\x1b[2J\u202egnp.exe <script>alert(1)</script> #read("/etc/passwd") | `x` [bold]'
    run("card", "edit", "churn-card", "--set", f"intended_uses.purpose_of_model={text}")
    run("card", "edit", "churn-card", "--set", f"additional_information.custom_details.{text}={text}")
    for call in (("show", "churn-card"), ("diff", "churn-card"), ("versions", "churn-card"), ("list",)):
        done = run("card", *call)
        assert (done.code, done.err) == (0, "")
        assert not set("\x1b\x07\u202e") & set(done.out), call
    shown = run("card", "show", "churn-card").out
    assert "\\x1b]0;owned" in shown
    assert "<script>" in shown
    assert "[bold]" in shown
    found = document(run("card", "show", "churn-card", "--json"))["version"]["content"]
    assert found["intended_uses"]["purpose_of_model"] == text
    assert found["additional_information"]["custom_details"] == {text: text}


def test_what_is_wrong_is_one_line(run: Run) -> None:
    for arguments, told in (
        (("show", "churn-crad"), "did you mean 'churn-card'?"),
        (("show", "churn-card@9"), "E-CARD-VERSION"),
        (("show", "churn-card@newest"), "use a number, latest or approved"),
        (("show", "churn-card@approved"), "no version"),
        (("create", "bad_name"), "E-NAME"),
        (("create", "churn-card"), "E-CARD-EXISTS"),
        (("create", "other", "--model", "chrun"), "did you mean 'churn'?"),
        (("create", "other", "--model", "churn/9"), "E-NO-MODEL"),
        (("create", "other", "--model", "churn"), "churn-card"),
        (("create", "other", "--set", "intended_uses.risk_rating"), "write --set NAME=VALUE"),
        (("create", "other", "--set", "intended_uses.risk_rating=Hgh"), "did you mean 'High'?"),
        (("create", "other", "--set", "model_overvew.model_name=x"), "did you mean 'model_overview'?"),
        (("create", "other", "--format", "toml"), "name it with --from"),
        (("create", "other", "--from", "missing.toml"), "E-FILE"),
        (("edit", "churn-card", "--unset", "business_details"), "E-CARD-PATH"),
        (("edit", "churn-card"), "E-EDITOR"),
        (("reject", "churn-card"), "--reason"),
        (("delete", "churn-card"), "--yes"),
        (("export", "churn-card", "--format", "docx"), "'docx' is not one of"),
        (("check", "churn-card", "--profile", "eu-annex-v"), "E-CARD-PROFILE"),
        (("list", "--approved-before", "soon"), "E-TIME"),
        (("rules", "--everybody", "--reviewer", "ann"), "use one of them"),
        (("verify", "churn-card", "--document", "third-card.toml"), "leave CARD and --workspace out"),
        (("add-evaluation", "churn-card", "a.json", "b.json", "--name", "x"), "--name is for one report"),
        (("policy", "churn-card", "--every", "often"), "E-"),
    ):
        done = run("card", *arguments, env={"VISUAL": None, "EDITOR": None})
        assert (done.code, done.out) == (2, ""), arguments
        assert told in done.err, (arguments, done.err)
        assert done.err.count("\n") == 1, arguments


def test_clone_and_delete(run: Run) -> None:
    done = run("card", "clone", "churn-card@1", "copy")
    assert done.out == "copy, version 1, Draft, from churn-card, version 1\n"
    assert run("card", "delete", "copy", "--yes").out == "copy is deleted\n"
    run("card", "approve", "churn-card", "--hash", hash_of(run), env=BOB)
    refused = run("card", "delete", "churn-card", "--yes")
    assert (refused.code, "E-CARD-KEPT" in refused.err) == (2, True)
    assert run("card", "delete", "churn-card", "--yes", "--force").code == 0
    assert run("card", "verify").out == "0 cards, all as they were written\n"


def test_deleting_asks(terminal: Callable[..., tuple[int, str]], run: Run) -> None:
    code, shown = terminal("card", "delete", "churn-card", answer="n\n")
    assert code == 0
    assert "Delete churn-card, 2 versions? [y/N]" in shown
    assert "nothing was changed" in shown
    assert run("card", "list").out.count("churn-card") == 1


def test_evaluations(run: Run, world: Path) -> None:
    done = run("card", "add-evaluation", "churn-card", "report-drift", "baseline", "--dataset", "s3://x")
    assert done.out == "churn-card, version 3, Draft\n"
    jobs = document(run("card", "show", "churn-card", "--json"))["version"]["content"]["evaluation_details"]
    assert len(jobs) == 2
    assert [job["datasets"] for job in jobs] == [["s3://x"], ["s3://x"]]
    assert run("card", "add-evaluation", "churn-card", "report-drift", "--dataset", "s3://x").out == (
        "nothing was changed\n"
    )
    metrics = {
        "metric_groups": [{"name": "all", "metric_data": [{"name": "auc", "type": "number", "value": 0.9}]}]
    }
    (world / "mine.json").write_text(json.dumps(metrics))
    run("card", "add-evaluation", "churn-card", "mine.json", "--observation", "By hand.")
    jobs = document(run("card", "show", "churn-card", "--json"))["version"]["content"]["evaluation_details"]
    assert jobs[-1] == {"name": "mine", "evaluation_observation": "By hand.", **metrics}
    shown = run("card", "show", "churn-card").out
    assert "auc" in shown
    (world / "odd.json").write_text("{}")
    assert "E-CARD-REPORT" in run("card", "add-evaluation", "churn-card", "odd.json").err


def test_policy_and_rules(run: Run) -> None:
    assert run("card", "policy", "churn-card").out.startswith("evidence: ")
    done = run("card", "policy", "churn-card", "--evaluations", "draft", "--every", "7d")
    assert done.out.endswith("written into a draft, at most every P7D\n")
    assert document(run("card", "rules", "--json")) == {"allow_direct_approval": False, "reviewers": []}
    done = run("card", "rules", "--reviewer", "carla", "--direct")
    assert done.out.splitlines() == [
        "may approve what they did not write: carla",
        "a draft may be approved directly",
    ]
    assert "carla" in run("card", "approve", "churn-card", "--hash", hash_of(run), env=BOB).err
    assert run("card", "rules", "--everybody", "--no-direct").out.startswith(
        "may approve what they did not write: everybody"
    )


def test_check(run: Run) -> None:
    done = run("card", "check", "churn-card")
    assert (done.code, done.err) == (0, "")
    assert "1(a)" in done.out
    assert run("card", "check", "churn-card", "--strict").code == 1
    found = document(run("card", "check", "churn-card", "--profile", "nist-ai-rmf", "--json"))
    assert found["profile"] == "nist-ai-rmf"
    missing = run("card", "check", "churn-card", "--missing").out
    assert " filled " not in missing.partition("\n\n")[2].partition("\n\n")[0]


def test_the_plan_says_who_watches_and_what_nobody_does(run: Run) -> None:
    done = run("card", "plan", "churn-card")
    assert (done.code, done.err) == (0, "")
    assert "churn-quality" in done.out
    assert "2 of 3" in done.out
    assert "not watched: model-quality, bias, attribution" in done.out
    stored = document(run("card", "plan", "churn-card", "--store", "--json"))
    assert (stored["stored"], stored["version"]) == (True, 3)
    assert document(run("card", "plan", "churn-card", "--store", "--json"))["stored"] is False
    assert run("card", "plan", "churn-card", "--store").out.endswith("the card has this plan already\n")


def test_schemas_are_schemas(run: Run) -> None:
    for arguments in ((), ("--extensions",)):
        found = document(run("card", "schema", *arguments))
        assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_list_is_chosen_from(run: Run) -> None:
    run("card", "create", "risky", "--set", "intended_uses.risk_rating=High", "--tag", "team=growth", env=ANN)
    for arguments in (("--risk", "high"), ("risk",), ("--tag", "team=growth"), ("--tag", "team")):
        names = [card["name"] for card in document(run("card", "list", *arguments, "--json"))["cards"]]
        assert names == ["risky"], arguments
    assert run("card", "list", "--status", "archived").out == "no cards\n"
    run("card", "approve", "churn-card", "--hash", hash_of(run), env=BOB)
    assert run("card", "list", "--approved-before", "30d").out == "no cards\n"
    assert "churn-card" in run("card", "list", "--approved-before", "2100-01-01").out
