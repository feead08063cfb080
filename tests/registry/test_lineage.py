"""Edges that are made by themselves, and the questions people ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from lineage_story import DATA_1, DATA_2, HOUR, START, Story, digest, tell

from driftline.errors import UsageError
from driftline.registry import lineage
from driftline.registry.database import RegistryError
from driftline.registry.tables import deployments, edges, nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from driftline.registry.lineage import Node
    from driftline.registry.store import Registry, Tx


def names(found: Iterable[Node]) -> list[str]:
    return [node.name for node in found]


def told(tx: Tx) -> set[tuple[str, str, str]]:
    by_id = {row.id: f"{row.kind} {row.name}" for row in tx.all(sa.select(nodes))}
    return {(by_id[e.source], e.relation, by_id[e.target]) for e in tx.all(sa.select(edges))}


@pytest.fixture
def story(registry: Registry) -> Story:
    return tell(registry)


def test_all_that_happened_is_linked(registry: Registry, story: Story) -> None:
    window = "windows/churn-prod/2026-09-21T14:00:00Z/2026-09-21T15:00:00Z"
    with registry.read() as tx:
        found = told(tx)
        assert lineage.find(tx, window).properties["endpoint"] == "churn-prod"
    assert {
        ("DataSet s3://data/train.csv", "ContributedTo", "TrainingJob jobs/train-1"),
        ("Code abc123", "ContributedTo", "TrainingJob jobs/train-1"),
        ("Image trainer:1", "ContributedTo", "TrainingJob jobs/train-1"),
        ("TrainingJob jobs/train-1", "Produced", "Model models/churn/1"),
        ("Model models/churn/1", "ContributedTo", "Deployment deployments/D1"),
        ("Deployment deployments/D1", "AssociatedWith", "Endpoint endpoints/churn-prod"),
        ("Endpoint endpoints/churn-prod", "Produced", f"CaptureWindow {window}"),
        ("Deployment deployments/D1", "ContributedTo", f"CaptureWindow {window}"),
        (f"CaptureWindow {window}", "ContributedTo", "Execution executions/RUN0"),
        ("DataSet train-copy.csv", "ContributedTo", "Baseline baselines/churn/1"),
        ("DataSet train-copy.csv", "SameAs", "DataSet s3://data/train.csv"),
        ("Baseline baselines/churn/1", "ContributedTo", "Execution executions/RUN0"),
        ("Execution executions/RUN0", "Produced", "Report reports/RUN0"),
        ("Report reports/RUN1", "ContributedTo", "Alert alerts/ALERT1"),
        ("DataSet s3://data/train.csv", "DerivedFrom", "DataSet s3://data/train.csv"),
    } <= found
    assert ("Deployment deployments/D2", "ContributedTo", f"CaptureWindow {window}") not in found


def test_telling_again_changes_nothing(registry: Registry, story: Story) -> None:
    with registry.write("ann") as tx:
        before = (told(tx), tx.all(sa.select(nodes).order_by(nodes.c.id)))
        for one in story.executions:
            lineage.of_execution(tx, one)
        lineage.of_alert(tx, "ALERT1", "RUN1")
        for one in ("D1", "D2"):
            lineage.of_deployment(tx, one)
        assert (told(tx), tx.all(sa.select(nodes).order_by(nodes.c.id))) == before


def test_from_an_alert_to_the_training_data_in_one_call(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        found = lineage.training_data_of_alert(tx, "ALERT1")
        assert lineage.training_data_of_alert(tx, "alerts/ALERT1") == found
        with pytest.raises(RegistryError, match="ALERT2"):
            lineage.training_data_of_alert(tx, "ALERT2")
    # Both versions served in its windows; the baseline's copy is no training data.
    assert {(node.name, node.digest) for node in found} == {
        ("s3://data/train.csv", DATA_1),
        ("s3://data/train.csv", DATA_2),
    }


def test_the_model_of_another_time_is_not_behind_an_alert(registry: Registry, story: Story) -> None:
    with registry.write("ann") as tx:
        lineage.of_alert(tx, "ALERT0", "RUN0")
        assert [node.digest for node in lineage.training_data_of_alert(tx, "ALERT0")] == [DATA_1]
        assert names(lineage.training_jobs_of(tx, "alerts/ALERT0")) == ["jobs/train-1"]


def test_ready_questions(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        assert [node.digest for node in lineage.data_sets_of(tx, "models/churn/2")] == [DATA_2]
        assert {node.digest for node in lineage.data_sets_of(tx, "models/churn/2", upstream=True)} == {
            DATA_1,
            DATA_2,
        }
        assert names(lineage.data_sets_of(tx, "baselines/churn")) == ["train-copy.csv"]
        assert set(names(lineage.training_jobs_of(tx, "endpoints/churn-prod"))) == {
            "jobs/train-1",
            "jobs/train-2",
        }
        assert names(lineage.endpoints_of_model(tx, "models/churn/1")) == ["endpoints/churn-prod"]
        assert names(lineage.endpoints_of_model(tx, "models/churn/1", now=True)) == []
        assert names(lineage.endpoints_of_model(tx, "models/churn", now=True)) == ["endpoints/churn-prod"]
        assert set(names(lineage.models_of_endpoint(tx, "endpoints/churn-prod"))) == {
            "models/churn/1",
            "models/churn/2",
        }
        for hour, model in ((0, "models/churn/1"), (1, "models/churn/1"), (2, "models/churn/2")):
            at = START + hour * HOUR
            assert names(lineage.models_of_endpoint(tx, "endpoints/churn-prod", at=at)) == [model]
        assert names(lineage.models_of_endpoint(tx, "endpoints/churn-prod", at=START - 1)) == []
        assert names(lineage.alerts_concerning(tx, DATA_1)) == ["alerts/ALERT1"]


def test_a_digest_means_one_version_of_the_data_and_a_uri_all(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        assert names(lineage.models_trained_on(tx, DATA_1)) == ["models/churn/1"]
        assert names(lineage.models_trained_on(tx, "train-copy.csv")) == ["models/churn/1"]
        assert set(names(lineage.models_trained_on(tx, "s3://data/train.csv"))) == {
            "models/churn/1",
            "models/churn/2",
        }
        assert set(names(lineage.models_trained_on(tx, DATA_1, derived=True))) == {
            "models/churn/1",
            "models/churn/2",
        }
        assert names(lineage.deployed_models_using(tx, DATA_1)) == []
        assert names(lineage.deployed_models_using(tx, DATA_2)) == ["models/churn/2"]


def test_the_difference_of_two_models(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        found = lineage.diff(tx, "models/churn/1", "models/churn/2")
    assert names(found.only_a) == ["jobs/train-1"]
    assert names(found.only_b) == ["jobs/train-2"]
    assert set(names(found.shared)) == {"abc123", "trainer:1"}
    assert [(a.digest, b.digest) for a, b in found.changed] == [(DATA_1, DATA_2)]
    assert found.parameters == {"depth": (3, 5)}
    assert found.metrics == {"auc": (0.8, 1.0)}


def test_a_model_and_itself_do_not_differ(registry: Registry, story: Story) -> None:
    with registry.read() as tx:
        found = lineage.diff(tx, "models/churn/1", "models/churn/1")
    assert (found.only_a, found.only_b, found.changed, found.parameters, found.metrics) == (
        (),
        (),
        (),
        {},
        {},
    )
    assert len(found.shared) == 4


@pytest.mark.parametrize(
    ("question", "ref"),
    [
        (lineage.endpoints_of_model, "endpoints/churn-prod"),
        (lineage.models_of_endpoint, "models/churn/1"),
        (lineage.models_trained_on, "models/churn/1"),
        (lineage.alerts_concerning, "alerts/ALERT1"),
    ],
)
def test_a_question_about_the_wrong_thing_is_refused(
    registry: Registry, story: Story, question: Any, ref: str
) -> None:
    with registry.read() as tx, pytest.raises(UsageError, match="expected a"):
        question(tx, ref)


def test_artifacts_changed_under_a_version_make_a_new_node(registry: Registry) -> None:
    with registry.write("ann") as tx:
        first = lineage.of_version(tx, "m", "1", None, [{"uri": "m.bin", "digest": digest(1), "size": 3}])
        second = lineage.of_version(tx, "m", "1", {}, [{"uri": "m.bin", "digest": digest(2), "size": 4}])
        assert told(tx) == {("Model models/m/1", "DerivedFrom", "Model models/m/1")}
        assert (first.digest, second.digest, second.properties["size"]) == (digest(1), digest(2), 4)


def test_the_digest_of_several_artifacts_is_of_their_names_and_digests(registry: Registry) -> None:
    files = [
        {"name": "a", "uri": "x/a", "digest": digest(1)},
        {"name": "b", "uri": "x/b", "digest": digest(2)},
    ]
    moved = [one | {"uri": "y/" + one["name"]} for one in reversed(files)]
    with registry.write("ann") as tx:
        first = lineage.of_version(tx, "m", "1", None, files)
        assert lineage.of_version(tx, "m", "1", None, moved) == first
        assert first.digest not in (None, digest(1), digest(2))
        assert lineage.of_version(tx, "m", "2", None, [*files, {"name": "c", "uri": "c"}]).digest is None


def test_training_that_nobody_named_still_joins_data_and_model(registry: Registry) -> None:
    with registry.write("ann") as tx:
        lineage.of_version(tx, "m", "1", {"data": ["s3://d"], "code": {"commit": "abc"}}, [])
        assert told(tx) == {
            ("DataSet s3://d", "ContributedTo", "TrainingJob models/m/1/training"),
            ("Code abc", "ContributedTo", "TrainingJob models/m/1/training"),
            ("TrainingJob models/m/1/training", "Produced", "Model models/m/1"),
        }


@pytest.mark.parametrize("item", [{}, "", 3, {"size": 3}])
def test_data_without_a_name_are_refused(registry: Registry, item: object) -> None:
    with pytest.raises(UsageError) as caught, registry.write("ann") as tx:
        lineage.of_version(tx, "m", "1", {"data": [item]}, [])
    assert caught.value.code == "E-LINEAGE"


def test_a_baseline_of_a_version_is_linked_to_it(registry: Registry) -> None:
    with registry.write("ann") as tx:
        lineage.of_baseline(tx, "b", 1, "baselines/b/1", digest(3), [], "m/1")
        made = lineage.of_baseline(tx, "b", 2, "baselines/b/2", digest(4), ["x.csv"], "m")
        assert told(tx) == {
            ("Model models/m/1", "AssociatedWith", "Baseline baselines/b/1"),
            ("DataSet x.csv", "ContributedTo", "Baseline baselines/b/2"),
        }
        assert made.properties["model"] == "m"


def test_a_deployment_that_ended_says_until_when(registry: Registry, story: Story) -> None:
    with registry.write("ann") as tx:
        assert "until" not in lineage.find(tx, "deployments/D2").properties
        tx.execute(sa.update(deployments).where(deployments.c.id == "D2").values(until=START + 9 * HOUR))
        assert lineage.of_deployment(tx, "D2").properties["until"] == "2026-09-21T23:00:00Z"
        with pytest.raises(UsageError, match="no deployment 'D3'"):
            lineage.of_deployment(tx, "D3")


def test_labels_and_cards_have_their_place(registry: Registry, story: Story) -> None:
    with registry.write("ann") as tx:
        lineage.of_execution(tx, "RUN0", ground_truth_digest=digest(77))
        lineage.of_card(tx, "churn", "1", "churn-card", 4, digest(78))
        up = lineage.ascendants(tx, "executions/RUN0", kinds=["GroundTruth"])
        assert [node.digest for node in up.of_kind("GroundTruth")] == [digest(77)]
        down = lineage.descendants(tx, "models/churn/1", 1, kinds=["ModelCard"])
        assert names(down.of_kind("ModelCard")) == ["cards/churn-card/4"]


def test_an_alert_about_a_run_without_a_report_hangs_on_the_run(registry: Registry) -> None:
    with registry.write("ann") as tx:
        lineage.of_alert(tx, "A", "R")
        assert told(tx) == {("Execution executions/R", "ContributedTo", "Alert alerts/A")}


def test_everything_public_is_there() -> None:
    assert all(hasattr(lineage, name) for name in lineage.__all__)
