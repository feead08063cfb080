"""Nodes: one for each state of a thing; edges: said once, however often they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from driftline.errors import UsageError
from driftline.registry.lineage_nodes import ensure, link, link_all, newest, whole_digest
from driftline.registry.tables import edges, nodes

if TYPE_CHECKING:
    from driftline.registry.store import Registry, Tx

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def told(tx: Tx) -> list[tuple[str, str, str]]:
    return sorted((e.source, e.target, e.relation) for e in tx.all(sa.select(edges)))


def test_the_same_kind_name_and_digest_are_the_same_node(registry: Registry) -> None:
    with registry.write("ann") as tx:
        first = ensure(tx, "DataSet", "s3://x", uri="s3://x", digest=A)
        again = ensure(tx, "DataSet", "s3://x", digest="A" * 64)
        other = ensure(tx, "GroundTruth", "s3://x", digest=A)
        assert first == again
        assert first.id != other.id
        assert first.id.startswith("DataSet-")
        assert len(tx.all(sa.select(nodes))) == 2


def test_ids_do_not_depend_on_when_and_where(registry: Registry) -> None:
    with registry.write("ann") as tx:
        assert ensure(tx, "DataSet", "x", digest=A).id == "DataSet-e9540c89090ba12c5a49b283d841a04d"


def test_an_overwritten_file_is_a_new_node_derived_from_the_older(registry: Registry) -> None:
    with registry.write("ann") as tx:
        first = ensure(tx, "DataSet", "s3://x", uri="s3://x", digest=A)
        second = ensure(tx, "DataSet", "renamed", uri="s3://x", digest=B)
        assert told(tx) == [(first.id, second.id, "DerivedFrom")]
        assert second.created > first.created
        # It was put back: nothing new.
        assert ensure(tx, "DataSet", "s3://x", digest=A) == first
        assert told(tx) == [(first.id, second.id, "DerivedFrom")]


def test_another_version_at_the_same_place_is_not_derived(registry: Registry) -> None:
    with registry.write("ann") as tx:
        ensure(tx, "Model", "models/m/1", uri="model.bin", digest=A)
        ensure(tx, "Model", "models/m/2", uri="model.bin", digest=B)
        assert told(tx) == []


def test_digests_of_different_algorithms_say_nothing_of_a_change(registry: Registry) -> None:
    with registry.write("ann") as tx:
        ensure(tx, "DataSet", "s3://x", uri="s3://x", digest="mlflow:1234")
        ensure(tx, "DataSet", "s3://x", uri="s3://x", digest=A)
        assert told(tx) == []


def test_without_a_digest_the_newest_state_is_meant(registry: Registry) -> None:
    with registry.write("ann") as tx:
        ensure(tx, "Model", "models/m/1", digest=A)
        second = ensure(tx, "Model", "models/m/1", digest=B)
        assert ensure(tx, "Model", "models/m/1") == second == newest(tx, "Model", "models/m/1")
        assert newest(tx, "Model", "models/m/2") is None


def test_a_digest_that_is_learned_later_is_added(registry: Registry) -> None:
    with registry.write("ann") as tx:
        first = ensure(tx, "Model", "models/m/1", properties={"a": 1})
        second = ensure(tx, "Model", "models/m/1", digest=A, uri="s3://m", properties={"b": True})
        assert (second.id, second.digest, second.uri) == (first.id, A, "s3://m")
        assert second.properties == {"a": 1, "b": True}
        assert newest(tx, "Model", "models/m/1") == second
        assert told(tx) == []


def test_links_are_idempotent_and_sameness_goes_both_ways(registry: Registry) -> None:
    with registry.write("ann") as tx:
        a, b = ensure(tx, "DataSet", "a"), ensure(tx, "DataSet", "b")
        for _ in range(2):
            link(tx, a, b, "ContributedTo")
            link(tx, a.id, b.id, "SameAs")
        assert told(tx) == sorted(
            [(a.id, b.id, "ContributedTo"), (a.id, b.id, "SameAs"), (b.id, a.id, "SameAs")]
        )
        link_all(tx, [])


@pytest.mark.parametrize(
    ("kind", "name", "properties", "message"),
    [
        ("Dataset", "x", {}, "did you mean DataSet?"),
        ("Bicycle", "x", {}, "use one of DataSet"),
        ("DataSet", "", {}, "0 characters"),
        ("DataSet", "x" * 2049, {}, "2,049 characters"),
        ("DataSet", "x", {"a": [1]}, "'a' is neither text nor a number"),
        ("DataSet", "x", {str(i): i for i in range(31)}, "31 properties"),
    ],
)
def test_what_is_no_node_is_refused(
    registry: Registry, kind: str, name: str, properties: dict[str, int], message: str
) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?")) as caught, registry.write("ann") as tx:
        ensure(tx, kind, name, properties=properties)
    assert caught.value.code == "E-LINEAGE"


def test_what_is_no_edge_is_refused(registry: Registry) -> None:
    with registry.write("ann") as tx:
        a, b = ensure(tx, "DataSet", "a"), ensure(tx, "DataSet", "b")
        with pytest.raises(UsageError, match="did you mean DerivedFrom"):
            link(tx, a, b, "derivedfrom")
        with pytest.raises(UsageError, match="to itself"):
            link(tx, a, a, "SameAs")


def test_a_bare_digest_is_sha256() -> None:
    assert whole_digest("B" * 64) == B
    assert whole_digest("mlflow:1") == "mlflow:1"
    assert whole_digest("") is whole_digest(None) is None
