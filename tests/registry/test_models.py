"""Models and their versions."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import DriftlineError, InputError, UsageError
from driftline.registry import audit, endpoints, models
from driftline.registry.database import RegistryError

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.registry.store import Registry

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def actions(registry: Registry) -> list[str]:
    with registry.read() as tx:
        return [entry.action for entry in audit.entries(tx)]


def test_declaring_again_changes_and_records_nothing(registry: Registry) -> None:
    said: dict[str, Any] = {
        "owner": "growth",
        "description": "é",
        "risk_rating": "high",
        "tags": {"team": "a"},
    }
    with registry.write("ann", "new") as tx:
        assert models.declare(tx, "churn", **said)
        assert not models.declare(tx, "churn", **said)
        assert not models.declare(tx, "churn")
        found = models.get(tx, "churn")
    assert (found.owner, found.description, found.risk_rating, found.tags) == (
        "growth",
        "é",
        "high",
        {"team": "a"},
    )
    assert actions(registry) == ["model.created"]


def test_a_change_records_only_what_changed(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn", owner="growth", tags={"a": "1"})
        assert models.declare(tx, "churn", owner="", tags={"a": "2"})
    with registry.read() as tx:
        entry = list(audit.entries(tx))[-1]
        assert models.get(tx, "churn").owner is None
    assert entry.action == "model.changed"
    assert entry.change == {
        "before": {"owner": "growth", "tags": {"a": "1"}},
        "after": {"owner": None, "tags": {"a": "2"}},
    }


def test_archived_models_are_hidden_until_declared_again(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        assert models.archive(tx, "churn")
        assert not models.archive(tx, "churn")
        assert models.list_models(tx) == []
        assert [m.name for m in models.list_models(tx, archived=True)] == ["churn"]
        assert models.declare(tx, "churn")
        assert not models.restore(tx, "churn")
        assert [m.name for m in models.list_models(tx)] == ["churn"]
    assert actions(registry) == ["model.created", "model.archived", "model.restored"]


def test_a_model_that_is_served_is_not_archived(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(tx, "churn", "1")
        endpoints.declare(tx, "prod")
        endpoints.deploy(tx, "prod", "churn", "1")
        with pytest.raises(RegistryError, match=r"E-MODEL-IN-USE.*prod"):
            models.archive(tx, "churn")
        endpoints.archive(tx, "prod")
        assert models.archive(tx, "churn")


def test_lists_are_filtered_and_paged(registry: Registry) -> None:
    with registry.write("ann") as tx:
        for n in range(7):
            models.declare(
                tx,
                f"m{n}",
                owner="Ärzte" if n % 2 else "growth",
                description=f"100%_{n}",
                tags={"n": f"{n}", "k\"'": "v"},
            )

        def names(**given: Any) -> list[str]:
            return [m.name for m in models.list_models(tx, **given)]

        assert names(limit=3) == ["m0", "m1", "m2"]
        assert names(limit=3, after="m2") == ["m3", "m4", "m5"]
        assert names(owner="Ärzte") == ["m1", "m3", "m5"]
        assert names(text="GROWTH") == ["m0", "m2", "m4", "m6"]
        assert names(text="Ärz") == ["m1", "m3", "m5"]
        assert names(text="ärz") == []
        assert names(text="%_3") == ["m3"]
        assert names(text="_%") == []
        assert names(tag="n=4") == ["m4"]
        assert names(tag="k\"'=v", limit=2) == ["m0", "m1"]
        assert names(tag="n", after="m4") == ["m5", "m6"]
        assert names(tag="none") == names(tag="n=") == []


def test_what_is_not_there_is_named_with_the_nearest(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        with pytest.raises(RegistryError, match=r"E-NO-MODEL.*'chrun'.*did you mean 'churn'"):
            models.get(tx, "chrun")
        with pytest.raises(RegistryError, match="E-NO-VERSION"):
            models.version(tx, "churn", "3")
        with pytest.raises(RegistryError, match="E-NO-MODEL"):
            models.declare_version(tx, "nope", "1")


def test_versions_know_their_artifacts(registry: Registry) -> None:
    artifacts = [{"uri": "models/a.bin", "digest": ONE, "size": 3}, {"uri": "s3://b/c/tokenizer.json"}]
    training = {
        "job": "j1",
        "data": [{"uri": "d.parquet"}],
        "parameters": {"max_tokens": 3, "tokenizer": "x"},
    }
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        given: dict[str, Any] = {
            "artifacts": artifacts,
            "training": training,
            "origin": {"kind": "mlflow"},
            "created": 5,
        }
        assert models.declare_version(tx, "churn", "1", **given)
        assert not models.declare_version(tx, "churn", "1", **given)
        assert not models.declare_version(tx, "churn", "1")
        found = models.version(tx, "churn", "1")
    assert found.artifacts == (
        {"name": "a.bin", "uri": "models/a.bin", "digest": ONE, "size": 3},
        {"name": "tokenizer.json", "uri": "s3://b/c/tokenizer.json", "digest": None, "size": None},
    )
    assert (found.training, found.origin, found.created) == (training, {"kind": "mlflow"}, 5)
    assert actions(registry) == ["model.created", "model.version_created"]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ([{"uri": "a", "digest": TWO}], "another digest"),
        ([{"uri": "a", "name": "other", "digest": TWO}], "another digest"),
        ([{"uri": "elsewhere", "name": "a", "digest": TWO}], "another digest"),
        ([{"uri": "a", "digest": ONE, "size": 4}], "4 bytes, had 3"),
        ([{"uri": "elsewhere", "name": "a"}], "no digest says"),
        ([], "no longer among"),
        ([{"uri": "b", "digest": ONE}], "no longer among"),
    ],
)
def test_versions_never_change_silently(registry: Registry, wanted: list[dict[str, Any]], why: str) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(tx, "churn", "1", artifacts=[{"uri": "a", "digest": ONE, "size": 3}])
        with pytest.raises(RegistryError, match=f"E-VERSION-CHANGED.*{why}.*declare a new version"):
            models.declare_version(tx, "churn", "1", artifacts=wanted)
        assert models.declare_version(tx, "churn", "2", artifacts=wanted)
        assert [v.version for v in models.versions(tx, "churn")] == ["1", "2"]


def test_versions_are_added_to_completed_and_moved(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(tx, "churn", "1", artifacts=[{"uri": "a"}])
        full = [{"uri": "a", "digest": ONE, "size": 3}, {"uri": "b"}]
        assert models.declare_version(tx, "churn", "1", artifacts=full)
        assert not models.declare_version(tx, "churn", "1", artifacts=[{"uri": "a"}, {"uri": "b"}])
        moved = [{"uri": "s3://x/a", "digest": ONE}, {"uri": "b"}]
        assert models.declare_version(tx, "churn", "1", artifacts=moved)
        assert models.version(tx, "churn", "1").artifacts[0] == {
            "name": "a",
            "uri": "s3://x/a",
            "digest": ONE,
            "size": 3,
        }


def test_two_artifacts_do_not_become_one(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare_version(
            tx,
            "churn",
            "1",
            artifacts=[{"uri": "u1", "name": "a", "digest": ONE}, {"uri": "u2", "name": "b", "digest": ONE}],
        )
        with pytest.raises(RegistryError, match="E-VERSION-CHANGED"):
            models.declare_version(tx, "churn", "1", artifacts=[{"uri": "u2", "name": "a", "digest": ONE}])


@pytest.mark.parametrize(
    ("artifact", "code"),
    [
        ({"name": "a"}, "E-ARTIFACT"),
        ({"uri": "a", "sha": "x"}, "E-ARTIFACT"),
        ({"uri": "a", "digest": "md5:1"}, "E-DIGEST"),
        ({"uri": "a", "size": -1}, "E-ARTIFACT"),
        ({"uri": "a", "size": True}, "E-ARTIFACT"),
        ({"uri": "s3://key:hunter2@bucket/a"}, "E-SECRET"),
        ({"uri": "https://host/a?X-Amz-Signature=abc"}, "E-SECRET"),
        ({"uri": "a\0b"}, "E-TEXT"),
    ],
)
def test_bad_artifacts_are_refused(registry: Registry, artifact: dict[str, Any], code: str) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        with pytest.raises(UsageError, match=code):
            models.declare_version(tx, "churn", "1", artifacts=[artifact])
        assert models.versions(tx, "churn") == []


def test_aliases_move(registry: Registry) -> None:
    with registry.write("ann", "better") as tx:
        models.declare(tx, "churn")
        models.declare_version(tx, "churn", "1", aliases=["champion", "old"])
        assert not models.declare_version(tx, "churn", "1", aliases=["old", "champion"])
        assert models.declare_version(tx, "churn", "2", aliases=["champion"])
        assert models.version(tx, "churn", "champion").version == "2"
        assert models.version(tx, "churn", "1").aliases == ("old",)
        assert models.set_alias(tx, "churn", "champion", "1")
        assert not models.set_alias(tx, "churn", "champion", "1")
        assert models.declare_version(tx, "churn", "1", aliases=[])
        with pytest.raises(RegistryError, match="E-NO-VERSION"):
            models.version(tx, "churn", "champion")
        with pytest.raises(RegistryError, match="E-ALIAS"):
            models.set_alias(tx, "churn", "2", "1")
    with registry.read() as tx:
        moves = [e.change for e in audit.entries(tx) if e.action == "model.alias_moved"]
    assert [(m["after"]["alias"], m["before"]["version"], m["after"]["version"]) for m in moves] == [
        ("champion", None, "1"),
        ("old", None, "1"),
        ("champion", "1", "2"),
        ("champion", "2", "1"),
        ("champion", "1", None),
        ("old", "1", None),
    ]


def test_a_file_is_described_by_its_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    assert models.artifact_of(path) == {
        "name": "model.bin",
        "uri": str(path),
        "digest": "sha256:" + hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", "a\0b"):
        with pytest.raises(InputError, match="E-FILE"):
            models.artifact_of(path)


BAD_NAMES = [
    "",
    "a\0b",
    "\ud800",
    "x" * 10_240,
    "a'; DROP TABLE models; --",
    "../x",
    "a/b",
    "é",
    None,
    3,
    b"x",
    ["x"],
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_have_one_answer_on_both_engines(registry: Registry, name: Any) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "m")
        for action in (
            lambda: models.declare(tx, name),
            lambda: models.get(tx, name),
            lambda: models.declare_version(tx, "m", name),
            lambda: models.declare_version(tx, name, "1"),
            lambda: models.version(tx, "m", name),
            lambda: models.set_alias(tx, "m", name, None),
        ):
            with pytest.raises(UsageError, match="E-NAME"):
                action()
    assert actions(registry) == ["model.created"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"owner": "a\0b"}, "E-TEXT"),
        ({"owner": "\udfff"}, "E-TEXT"),
        ({"owner": "x" * 257}, "E-TEXT"),
        ({"description": "x" * 10_240}, "E-TEXT"),
        ({"description": 5}, "E-TEXT"),
        ({"risk_rating": "extreme"}, "E-RISK"),
        ({"tags": {"a": 1}}, "E-TEXT"),
        ({"tags": {1: "a"}}, "E-TEXT"),
        ({"tags": {"a": "\0"}}, "E-TEXT"),
        ({"tags": ["a"]}, "E-TEXT"),
        ({"tags": {str(n): "" for n in range(51)}}, "E-TEXT"),
    ],
)
def test_bad_words_have_one_answer_on_both_engines(
    registry: Registry, said: dict[str, Any], code: str
) -> None:
    with registry.write("ann") as tx:
        with pytest.raises(UsageError, match=code):
            models.declare(tx, "churn", **said)
        assert models.list_models(tx) == []


@pytest.mark.parametrize(
    "said",
    [
        {"training": {"x": float("nan")}},
        {"training": {"x": 10**30}},
        {"training": {"x": {1, 2}}},
        {"training": {"x": "\ud800"}},
        {"origin": {"password": "hunter2"}},
        {"origin": {"apiToken": ["x"]}},
        {"created": -1},
        {"created": 10**30},
        {"created": 1.5},
    ],
)
def test_bad_documents_have_one_answer_on_both_engines(registry: Registry, said: dict[str, Any]) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        with pytest.raises(UsageError, match=r"E-VALUE|E-TEXT|E-SECRET|E-MOMENT") as caught:
            models.declare_version(tx, "churn", "1", **said)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 10_001},
        {"limit": "1"},
        {"after": "\0"},
        {"text": "\ud800"},
        {"tag": "\0"},
        {"owner": 3},
    ],
)
def test_bad_questions_have_one_answer_on_both_engines(registry: Registry, asked: dict[str, Any]) -> None:
    with registry.read() as tx, pytest.raises(DriftlineError, match=r"E-LIMIT|E-TEXT"):
        models.list_models(tx, **asked)


@pytest.mark.parametrize("text", ["' OR 1=1 --", "\\", "%", '"', "'; DROP TABLE models; --"])
def test_statements_in_questions_are_texts(registry: Registry, text: str) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn", owner="x", tags={"a": "b"})
        assert models.list_models(tx, text=text) == []
        assert models.list_models(tx, owner=text) == []
        assert models.list_models(tx, tag=text) == []
        assert models.list_models(tx, tag="a=" + text) == []
        models.declare(tx, "churn", owner=text)
        assert [m.name for m in models.list_models(tx, text=text)] == ["churn"]
        assert [m.name for m in models.list_models(tx, owner=text)] == ["churn"]
