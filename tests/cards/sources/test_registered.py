"""Registered: a model is found by whatever name it has, on either engine, and by no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from postgres import server

from driftline.cards.sources.registered import find_job, find_model, find_package, with_artifact
from driftline.registry import models
from driftline.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ["Churn model", "50% off_", "a\\b", 'quote " it', "Größe", "顧客", "arn:aws:x/y"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder: Path = tmp_path_factory.mktemp("registered")
    if request.param == "sqlite":
        with Registry.create(folder / "registry.db") as made:
            yield filled(made)
    else:
        with server() as postgres, Registry.create(postgres.database(), root=folder) as made:
            yield filled(made)


def filled(registry: Registry) -> Registry:
    with registry.write("ann") as tx:
        for number, name in enumerate(NAMES):
            models.declare(tx, f"m{number}")
            for version in ("1", "2"):
                models.declare_version(
                    tx,
                    f"m{number}",
                    version,
                    artifacts=[{"uri": f"s3://{name}/{version}"}],
                    training={"job": {"name": f"{name}-{version}", "id": f"id-{number}-{version}"}},
                    origin={
                        "system": "mlflow",
                        "model": name,
                        "ModelPackage": {"ModelPackageArn": f"p:{name}"},
                    },
                    created=number * 10 + int(version),
                )
        models.declare(tx, "put-away")
        models.declare_version(tx, "put-away", "1")
        models.archive(tx, "put-away")
    return registry


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_by_its_name_elsewhere_its_package_job_and_artifact(registry: Registry, number: int) -> None:
    name = NAMES[number]
    with registry.read() as tx:
        found = find_model(tx, name)
        assert found is not None
        assert found[1] is not None
        assert (found[0].name, found[1].version) == (f"m{number}", "2")
        package = find_package(tx, f"p:{name}")
        assert package is not None
        assert (package.model, package.version) == (f"m{number}", "2")
        for job in (f"{name}-1", f"id-{number}-1"):
            made = find_job(tx, job)
            assert made is not None
            assert (made.model, made.version) == (f"m{number}", "1")
        assert [(v.model, v.version) for v in with_artifact(tx, f"s3://{name}/1")] == [(f"m{number}", "1")]


@pytest.mark.parametrize(
    "name", ["Churn", "churn model", "50_ off%", "%", "mlflow", "", "m9", "m0/3", "put-away", "m0/"]
)
def test_by_no_other(registry: Registry, name: str) -> None:
    with registry.read() as tx:
        assert find_model(tx, name) is None
        assert find_package(tx, name) is None
        assert find_job(tx, name) is None
        assert with_artifact(tx, name) == []
