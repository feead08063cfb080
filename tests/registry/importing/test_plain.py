"""Bring your own: what lies in files is read, what is not said is filled in, and what is missing is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from driftline.errors import InputError, UsageError
from driftline.files import digest
from driftline.registry import audit, endpoints, lineage, models
from driftline.registry.database import RegistryError
from driftline.registry.importing.found import local_path
from driftline.registry.importing.plain import FRAMEWORKS, bring_your_own

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.registry.store import Registry


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "churn.onnx").write_bytes(b"model")
    (folder / "train.csv").write_bytes(b"a,b\n1,2\n")
    os.utime(folder / "churn.onnx", (1_700_000_000, 1_700_000_000))
    return folder


def test_sizes_digests_time_and_framework_are_filled_in(registry: Registry, files: Path) -> None:
    with registry.write("ann") as tx:
        imported = bring_your_own(
            tx,
            model="churn",
            artifacts=[files / "churn.onnx"],
            training_data=[files / "train.csv"],
            owner="ann",
            parameters={"depth": 3},
            metrics={"auc": 0.9},
        )
        version = models.version(tx, "churn", "1")
        data = lineage.data_sets_of(tx, "models/churn/1")
        assert models.get(tx, "churn").owner == "ann"
    assert imported.filled == (
        "version",
        "created",
        "framework",
        "artifacts.digest",
        "artifacts.size",
    )
    assert imported.missing == (
        "description",
        "tags",
        "aliases",
        "training.job",
        "training.experiment",
        "training.code",
        "training.image",
    )
    assert version.artifacts == (
        {
            "name": "churn.onnx",
            "uri": str(files / "churn.onnx"),
            "digest": digest(b"model"),
            "size": 5,
        },
    )
    assert version.created == 1_700_000_000_000_000
    assert version.tags == {"framework": "onnx"}
    assert version.training == {
        "data": [
            {
                "name": "train.csv",
                "uri": str(files / "train.csv"),
                "digest": digest(b"a,b\n1,2\n"),
                "size": 8,
            }
        ],
        "parameters": {"depth": 3},
        "metrics": {"auc": 0.9},
    }
    assert [(node.digest, node.properties["size"]) for node in data] == [(digest(b"a,b\n1,2\n"), 8)]


def test_again_is_the_same_version_and_other_bytes_the_next(registry: Registry, files: Path) -> None:
    with registry.write("ann") as tx:
        first = bring_your_own(tx, model="churn", artifacts=[files / "churn.onnx"])
        before = audit.head(tx)
        again = bring_your_own(tx, model="churn", artifacts=[files / "churn.onnx"])
        assert (again.changed, audit.head(tx)) == (False, before)
        (files / "churn.onnx").write_bytes(b"other")
        other = bring_your_own(tx, model="churn", artifacts=[files / "churn.onnx"])
        with pytest.raises(RegistryError) as caught:
            bring_your_own(tx, model="churn", version="1", artifacts=[files / "churn.onnx"])
    assert [one.versions[0].version for one in (first, again, other)] == ["1", "1", "2"]
    assert caught.value.code == "E-VERSION-CHANGED"


def test_what_was_said_before_is_added_to(registry: Registry, files: Path) -> None:
    with registry.write("ann") as tx:
        given: dict[str, Any] = {"model": "churn", "version": "a", "artifacts": [files / "churn.onnx"]}
        bring_your_own(tx, **given, tags={"x": "1"}, job="j", aliases=["champion"])
        bring_your_own(tx, **given, tags={"y": "2"}, code="abc", endpoint="prod")
        version = models.version(tx, "churn", "champion")
        assert version.tags == {"framework": "onnx", "x": "1", "y": "2"}
        assert version.training == {"job": "j", "code": "abc"}
        assert [one.model for one in endpoints.serving(tx, "prod")] == ["churn"]
        assert [node.name for node in lineage.training_jobs_of(tx, "endpoints/prod")] == ["jobs/j"]


def test_folders_are_read_and_uris_are_only_named(registry: Registry, files: Path) -> None:
    with registry.write("ann") as tx:
        imported = bring_your_own(
            tx,
            model="churn",
            artifacts=[
                files,
                "s3://bucket/weights.bin",
                {"uri": "gs://b/x", "digest": digest(b"x"), "size": 1},
            ],
            created=5,
            tags={"framework": "torch"},
        )
        version = models.version(tx, "churn", "1")
    assert [(a["name"], a["digest"] is not None) for a in version.artifacts] == [
        ("churn.onnx", True),
        ("train.csv", True),
        ("weights.bin", False),
        ("x", True),
    ]
    assert {"artifacts.digest", "artifacts.size"} <= set(imported.missing)
    assert not {"created", "framework", "tags"} & set(imported.filled)


@pytest.mark.parametrize(
    ("item", "error", "code"),
    [
        ("nothing.bin", InputError, "E-FILE"),
        ("empty", InputError, "E-FILE"),
        ({"name": "x"}, UsageError, "E-ARTIFACT"),
        ({"uri": "s3://x", "diggest": "1"}, UsageError, "E-ARTIFACT"),
        ({"uri": "s3://x", "digest": "1"}, UsageError, "E-DIGEST"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_written(
    registry: Registry, tmp_path: Path, item: Any, error: type[Exception], code: str
) -> None:
    (tmp_path / "empty").mkdir()
    given = tmp_path / item if isinstance(item, str) else item
    with pytest.raises(error) as caught, registry.write("ann") as tx:
        bring_your_own(tx, model="churn", artifacts=[given])
    assert getattr(caught.value, "code", None) == code
    with registry.read() as tx:
        assert models.find(tx, "churn") is None


def test_one_text_is_no_list(registry: Registry) -> None:
    with pytest.raises(UsageError, match="expected a list"), registry.write("ann") as tx:
        bring_your_own(tx, model="churn", artifacts="model.bin")


def test_files_of_two_frameworks_say_nothing(registry: Registry, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.pt"):
        (tmp_path / name).write_bytes(b"")
    with registry.write("ann") as tx:
        imported = bring_your_own(tx, model="churn", artifacts=[tmp_path / "a.onnx", tmp_path / "b.pt"])
    assert "framework" in imported.missing
    assert all(end.startswith(".") and end == end.lower() for end in FRAMEWORKS)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/a/b", "/a/b"),
        ("file:///a/b%20c", "/a/b c"),
        ("file:/a/b", "/a/b"),
        ("file://localhost/a", "/a"),
        ("file://elsewhere/a", None),
        ("s3://bucket/a", None),
    ],
)
def test_uris_of_this_machine(uri: str, path: str | None) -> None:
    found = local_path(uri)
    assert (None if found is None else str(found)) == path
