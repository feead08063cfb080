"""Walks: what they reach, where they end, and that they stay quick as runs pile up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from lineage_story import DATA_1, HOUR, START, Story, tell

from driftline.errors import UsageError
from driftline.registry import lineage_walks as walks
from driftline.registry.database import RegistryError
from driftline.registry.lineage_nodes import KINDS, ensure, link_all
from driftline.registry.store import Registry
from driftline.registry.tables import edges, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.registry.lineage_walks import Graph


def names(graph: Graph) -> set[str]:
    return {node.name for node in graph.nodes}


@pytest.fixture
def story(registry: Registry) -> Story:
    return tell(registry)


def test_from_an_alert_up_to_the_training_data(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        graph = walks.ascendants(tx, "alerts/ALERT1")
    assert {
        "reports/RUN1",
        "executions/RUN2",
        "endpoints/churn-prod",
        "deployments/D1",
        "deployments/D2",
        "models/churn/1",
        "models/churn/2",
        "jobs/train-1",
        "s3://data/train.csv",
        "baselines/churn/1",
        "train-copy.csv",
    } <= names(graph)
    assert "reports/RUN0" not in graph
    by_id = {node.id: node.name for node in graph.nodes}
    told = {(by_id[e.source], by_id[e.target], e.relation) for e in graph.edges}
    assert ("deployments/D1", "endpoints/churn-prod", "AssociatedWith") in told
    assert ("reports/RUN1", "alerts/ALERT1", "ContributedTo") in told
    assert ("jobs/train-2", "models/churn/2", "Produced") in told


def test_a_window_leads_only_to_what_was_served_in_it(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        first = walks.ascendants(tx, "executions/RUN0", kinds=["Model", "Endpoint"])
        last = walks.ascendants(tx, "executions/RUN2", kinds=["Model"])
        down = walks.descendants(tx, "models/churn/2", kinds=["Execution"])
        endpoint = walks.descendants(tx, "endpoints/churn-prod", kinds=["Execution"])
    assert names(first) - {"executions/RUN0"} == {"models/churn/1", "endpoints/churn-prod"}
    assert names(last) - {"executions/RUN2"} == {"models/churn/2"}
    assert names(down) - {"models/churn/2"} == {"executions/RUN2"}
    assert len(endpoint.of_kind("Execution")) == 3


def test_both_does_not_bring_in_what_only_shares_an_image(registry: Registry, story: Story) -> None:
    with registry.write("ann") as tx:
        image = walks.find(tx, "trainer:1")
        job, other = ensure(tx, "TrainingJob", "jobs/else"), ensure(tx, "Model", "models/else/1")
        link_all(tx, [(image, job, "ContributedTo"), (job, other, "Produced")])
        narrow = walks.both(tx, "models/churn/1")
        wide = walks.neighbourhood(tx, "models/churn/1", max_depth=4)
    assert {"trainer:1", "deployments/D1", "executions/RUN0", "reports/RUN0"} <= names(narrow)
    assert "models/else/1" not in narrow
    assert "models/churn/2" not in narrow
    assert "models/else/1" in wide


def test_depth_kinds_times_and_properties_narrow_what_is_given(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        assert names(walks.ascendants(tx, "models/churn/1", 0)) == {"models/churn/1"}
        assert names(walks.ascendants(tx, "models/churn/1", 1)) == {"models/churn/1", "jobs/train-1"}
        start = walks.find(tx, "models/churn/1")
        later = walks.descendants(tx, start, created=(start.created + 1_000_000_000, None))
        assert names(later) == {"models/churn/1"}
        earlier = walks.descendants(tx, start, created=(None, start.created + 1_000_000_000))
        assert len(earlier.nodes) > 5
        for properties, wanted in (
            ({"schedule": "churn-quality"}, {"executions/RUN0", "executions/RUN1"}),
            ({"schedule": "churn"}, set()),
            ({"schedule": "x", "until": "never", "variant": "AllTraffic"}, {"deployments/D1"}),
        ):
            found = walks.descendants(tx, start, properties=properties)
            assert names(found) - {"models/churn/1"} == wanted


def test_a_limit_keeps_the_nearest_and_says_so(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        whole = walks.descendants(tx, "models/churn/1")
        for limit in range(1, len(whole.nodes)):
            part = walks.descendants(tx, "models/churn/1", limit=limit)
            assert part.nodes == whole.nodes[:limit]
            assert part.truncated
            ids = {node.id for node in part.nodes}
            assert part.edges == tuple(e for e in whole.edges if {e.source, e.target} <= ids)
        exact = walks.descendants(tx, "models/churn/1", limit=len(whole.nodes))
    assert not exact.truncated
    assert exact == whole


def test_circles_end(registry: Registry) -> None:
    with registry.write("ann") as tx:
        a, b, c = (ensure(tx, "DataSet", name) for name in "abc")
        link_all(tx, [(a, b, "DerivedFrom"), (b, c, "DerivedFrom"), (c, a, "DerivedFrom")])
        for walk in (walks.ascendants, walks.descendants, walks.both, walks.neighbourhood):
            assert names(walk(tx, "a", 100)) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_depth": 101}, "depth"),
        ({"max_depth": -1}, "depth"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"kinds": ["Modell"]}, "did you mean Model"),
    ],
)
def test_what_makes_no_sense_is_refused(registry: Registry, given: dict[str, Any], message: str) -> None:
    with registry.write("ann") as tx:
        ensure(tx, "DataSet", "a")
        with pytest.raises(UsageError, match=message):
            walks.ascendants(tx, "a", **given)


def test_people_name_things_in_many_ways(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        model = walks.find(tx, "models/churn/1")
        assert walks.find(tx, model.id) == model
        assert walks.find(tx, "s3://models/churn/1.onnx") == model
        assert model.digest is not None
        assert walks.find(tx, model.digest) == walks.find(tx, model.digest[7:]) == model
        assert walks.find(tx, "models/churn").name == "models/churn/2"
        assert [node.name for node in walks.find_all(tx, "models/churn/")] == [
            "models/churn/2",
            "models/churn/1",
        ]
        assert walks.find(tx, "alerts/ALERT1").kind == "Alert"
        assert walks.find(tx, " endpoints/churn-prod ").kind == "Endpoint"
        # The newest of all that lay there.
        assert walks.find(tx, "s3://data/train.csv").digest != DATA_1
        assert {node.digest for node in walks.find_all(tx, "s3://data/train.csv")} > {DATA_1}


def test_a_digest_may_be_cut_short_where_that_is_clear(registry: Registry) -> None:
    with registry.write("ann") as tx:
        first = ensure(tx, "DataSet", "a", digest="sha256:" + "ab" * 32)
        ensure(tx, "DataSet", "b", digest="sha256:" + "abababcd" * 8)
        assert walks.find(tx, "ababababab") == walks.find(tx, "sha256:ababababab") == first
        with pytest.raises(RegistryError, match="2 digests begin with") as caught:
            walks.find(tx, "ababab")
        assert caught.value.code == "E-AMBIGUOUS"
        with pytest.raises(RegistryError, match="knows nothing"):
            walks.find(tx, "ab%bab")


@pytest.mark.parametrize(
    ("ref", "near"),
    [
        ("models/chrun/1", "models/churn/1"),
        ("endpoints/churn-prd", "endpoints/churn-prod"),
        ("churn-prod", "endpoints/churn-prod"),
        ("ALERT1", "alerts/ALERT1"),
        ("zzz", None),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest(
    registry: Registry, story: Story, ref: str, near: str | None
) -> None:
    with registry.read() as tx, pytest.raises(RegistryError) as caught:
        walks.find(tx, ref)
    assert caught.value.code == "E-NO-NODE"
    assert caught.value.fix is not None
    assert (f"did you mean {near}?" == caught.value.fix) if near else "a URI, a digest" in caught.value.fix


def test_wildcards_in_names_are_letters(registry: Registry) -> None:
    with registry.write("ann") as tx:
        ensure(tx, "Model", "models/a_b/1")
        ensure(tx, "Model", "models/axb/1")
        assert [node.name for node in walks.find_all(tx, "models/a_b")] == ["models/a_b/1"]


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry.create(tmp_path_factory.mktemp("small") / "registry.db") as made:
        yield made


def closure(pairs: set[tuple[int, int]], kinds: list[str], start: int, depth: int) -> set[int]:
    """The slow, obvious walk down."""
    level, found = {start}, {start}
    for n in range(depth):
        level = {b for a, b in pairs if a in level and (n == 0 or kinds[a] != "Endpoint")}
        found |= level
    return found


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=8),
    draws=st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20),
    depth=st.integers(0, 9),
)
def test_walks_reach_what_the_obvious_walk_reaches(
    small: Registry, kinds: list[str], draws: set[tuple[int, int]], depth: int
) -> None:
    pairs = {(a, b) for a, b in draws if a != b and max(a, b) < len(kinds)}
    with small.write("ann") as tx:
        tx.execute(sa.delete(edges))
        tx.execute(sa.delete(nodes))
        made = [ensure(tx, kind, f"things/{n}") for n, kind in enumerate(kinds)]
        link_all(tx, [(made[a], made[b], "ContributedTo") for a, b in pairs])
        down = walks.descendants(tx, made[0], depth)
        up = walks.ascendants(tx, made[0], depth)
        together = walks.both(tx, made[0], depth)
    backwards = {(b, a) for a, b in pairs}
    assert names(down) == {f"things/{n}" for n in closure(pairs, kinds, 0, depth)}
    assert names(up) == {f"things/{n}" for n in closure(backwards, kinds, 0, depth)}
    assert names(together) == names(up) | names(down)
    ids = {node.id for node in together.nodes}
    assert {(e.source, e.target) for e in together.edges} == {
        (made[a].id, made[b].id) for a, b in pairs if {made[a].id, made[b].id} <= ids
    }


# --- scale ----------------------------------------------------------------------------------------------------------


def test_walks_use_the_indexes_and_read_no_whole_table(registry: Registry) -> None:
    with registry.write("ann") as tx:
        made = [
            {"id": f"DataSet-{n:032x}", "kind": "DataSet", "name": f"d/{n}", "properties": {}, "created": n}
            for n in range(20_000)
        ]
        joined = [
            {"source": made[n // 2]["id"], "target": made[n]["id"], "relation": "DerivedFrom", "created": 0}
            for n in range(1, len(made))
        ]
        tx.execute(sa.insert(nodes), made)
        tx.execute(sa.insert(edges), joined)
    if not registry.database.is_sqlite:
        with registry.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
    with registry.read() as tx:
        for direction in ("up", "down"):
            query = walks.query_of(
                [str(made[-1]["id"])], direction, 10, None, 1000, is_sqlite=tx.database.is_sqlite
            )
            text = str(
                query.compile(
                    tx.connection, compile_kwargs={"literal_binds": True, "render_postcompile": True}
                )
            )
            explain = "EXPLAIN QUERY PLAN " if tx.database.is_sqlite else "EXPLAIN "
            plan = "\n".join(
                str(tuple(row)) for row in tx.connection.exec_driver_sql(explain + text.replace("%", "%%"))
            )
            for table in ("nodes", "edges"):
                assert f"SCAN {table}" not in plan, plan
                assert f"Seq Scan on {table}" not in plan, plan
            assert ("ix_edges_target" if direction == "up" else "edges") in plan
        assert len(walks.ascendants(tx, "d/19999", 100).nodes) == 16
        top = walks.descendants(tx, "d/1", 10)
        assert (len(top.nodes), top.truncated) == (1000, True)


def test_a_window_read_anew_is_derived_from_what_it_was(registry: Registry, story: Story) -> None:
    from lineage_story import add_execution, digest

    from driftline.registry import lineage

    with registry.write("ann") as tx:
        again = add_execution(tx, "RUN0B", 0, revision=2, input_digest=digest(7))
        lineage.of_execution(tx, again)
        graph = walks.ascendants(tx, "executions/RUN0B", kinds=["CaptureWindow"])
    assert [node.digest for node in graph.of_kind("CaptureWindow")] == [digest(7), digest(1000)]
    assert {edge.relation for edge in graph.edges} == {"DerivedFrom", "ContributedTo"}
    assert START % HOUR == 0
