"""Exports: read back by the tools they are for."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from lineage_story import DATA_1, START, digest, tell

from driftline.documents import decode
from driftline.registry import lineage
from driftline.registry import lineage_export as export
from driftline.registry.lineage_nodes import KINDS, RELATIONS, Edge, Node
from driftline.registry.lineage_walks import Graph

with warnings.catch_warnings():
    # Of the libraries themselves, when they are imported.
    warnings.simplefilter("ignore")
    from openlineage.client import event_v2, facet_v2
    from prov import model as prov

if TYPE_CHECKING:
    from driftline.registry.store import Registry


@pytest.fixture
def graph(registry: Registry) -> Graph:
    tell(registry)
    with registry.write("ann") as tx:
        lineage.of_card(tx, "churn", "1", "card", 1, digest(9))
        lineage.of_version(
            tx, "churn", "1", {"job": "train-1", "user": "Ann Ü", "started": "2026-09-01T00:00:00Z"}, []
        )
        return lineage.neighbourhood(tx, "models/churn/1", 20)


def test_our_own_form_says_everything(graph: Graph) -> None:
    text = export.to_json(graph)
    said = decode(text.encode(), file="lineage.json")
    assert said["schema"] == "driftline.lineage/1"
    assert said["truncated"] is False
    for node, one in zip(graph.nodes, said["nodes"], strict=True):
        assert (one["id"], one["kind"], one["name"], one["uri"], one["digest"]) == (
            node.id,
            node.kind,
            node.name,
            node.uri,
            node.digest,
        )
        assert one["properties"] == node.properties
        assert one["created"].endswith("Z")
    assert [Edge(**one) for one in said["edges"]] == list(graph.edges)
    assert export.to_json(graph) == text


# --- PROV -----------------------------------------------------------------------------------------------------------


def read_prov(graph: Graph) -> prov.ProvDocument:
    return prov.ProvDocument.deserialize(content=export.to_prov_json(graph), format="json")


def test_the_prov_library_reads_all_of_it(graph: Graph) -> None:
    document = read_prov(graph)
    elements = list(document.get_records(prov.ProvElement))
    relations = list(document.get_records(prov.ProvRelation))
    assert len({e.identifier for e in elements}) == len(graph.nodes) + 1  # and the person
    once = [e for e in graph.edges if e.relation != "SameAs" or e.source < e.target]
    assert len(relations) == len(once) + 1
    # What it writes is what it read.
    again = prov.ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert again == document
    assert document.unified() == document


def test_prov_points_back_to_where_things_came_from(graph: Graph) -> None:
    names = {f"node:{node.id}": node.name for node in graph.nodes}
    said = {
        (type(r).__name__, *(names.get(str(value), str(value)) for _, value in r.formal_attributes if value))
        for r in read_prov(graph).get_records(prov.ProvRelation)
    }
    assert {
        ("ProvUsage", "jobs/train-1", "s3://data/train.csv"),
        ("ProvGeneration", "models/churn/1", "jobs/train-1"),
        ("ProvUsage", "deployments/D1", "models/churn/1"),
        ("ProvAssociation", "deployments/D1", "endpoints/churn-prod"),
        ("ProvGeneration", "reports/RUN1", "executions/RUN1"),
        ("ProvDerivation", "alerts/ALERT1", "reports/RUN1"),
        ("ProvUsage", "executions/RUN1", "baselines/churn/1"),
        ("ProvDerivation", "baselines/churn/1", "train-copy.csv"),
        ("ProvInfluence", "cards/card/1", "models/churn/1"),
        ("ProvAssociation", "jobs/train-1", "user:Ann_20__dc_"),
    } <= said
    windows = [one for one in said if one[0] == "ProvAttribution"]
    assert len(windows) == 3
    assert {one[2] for one in windows} == {"endpoints/churn-prod"}
    assert len([one for one in said if one[0] == "ProvAlternate"]) == 1


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_edge_there_can_be_is_read_by_the_prov_library(relation: str) -> None:
    nodes = tuple(
        Node(f"{kind}-{n}", kind, f"{kind}/{n}", None, None, {"size": 1, "x": True}, 0)
        for kind in KINDS
        for n in (0, 1)
    )
    edges = tuple(Edge(a.id, b.id, relation) for a in nodes for b in nodes if a is not b)
    relations = list(read_prov(Graph(nodes, edges)).get_records(prov.ProvRelation))
    assert len(relations) == len(edges) // (2 if relation == "SameAs" else 1)


# --- OpenLineage ----------------------------------------------------------------------------------------------------

FACETS = {
    "nominalTime": facet_v2.nominal_time_run.NominalTimeRunFacet,
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "datasetType": facet_v2.dataset_type_dataset.DatasetTypeDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet,
    "dataQualityAssertions": facet_v2.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
}


def facets(said: dict[str, Any]) -> dict[str, Any]:
    """Build the facets with the classes of OpenLineage's client, which refuse what they do not know."""
    made = {}
    for name, one in said.items():
        content = {key: value for key, value in one.items() if not key.startswith("_")}
        if name == "dataQualityAssertions":
            assertion = facet_v2.data_quality_assertions_dataset.Assertion
            content["assertions"] = [assertion(**a) for a in content["assertions"]]
        made[name] = FACETS[name](**content)
        assert one["_schemaURL"] == FACETS[name]._get_schema()
        assert one["_producer"]
    return made


def event_of(said: dict[str, Any]) -> event_v2.RunEvent:
    job = said["job"]
    return event_v2.RunEvent(
        eventType=event_v2.RunState(said["eventType"]),
        eventTime=said["eventTime"],
        run=event_v2.Run(runId=said["run"]["runId"], facets=facets(said["run"]["facets"])),
        job=event_v2.Job(namespace=job["namespace"], name=job["name"], facets=facets(job["facets"])),
        inputs=[
            event_v2.InputDataset(
                namespace=one["namespace"],
                name=one["name"],
                facets=facets(one["facets"]),
                inputFacets=facets(one.get("inputFacets", {})),
            )
            for one in said["inputs"]
        ],
        outputs=[
            event_v2.OutputDataset(namespace=one["namespace"], name=one["name"], facets=facets(one["facets"]))
            for one in said["outputs"]
        ],
        producer=said["producer"],
    )


def test_the_openlineage_client_takes_every_event(registry: Registry, graph: Graph) -> None:
    from openlineage.client.serde import Serde

    with registry.read() as tx:
        events = export.to_openlineage(graph, export.results_of(tx, graph))
    assert len(events) == len(graph.of_kind("TrainingJob", "Execution")) == 5
    for said in events:
        written = json.loads(Serde.to_json(event_of(said)))
        assert written["schemaURL"] == said["schemaURL"]
        assert written["run"]["runId"] == said["run"]["runId"]
        assert [one["name"] for one in written["inputs"]] == [one["name"] for one in said["inputs"]]
    assert len({said["run"]["runId"] for said in events}) == 5


def test_an_execution_says_what_it_looked_at_and_what_it_found(registry: Registry, graph: Graph) -> None:
    with registry.read() as tx:
        events = export.to_openlineage(graph, export.results_of(tx, graph), namespace="prod")
    runs = [said for said in events if said["job"]["name"] == "schedules/churn-quality"]
    assert [said["eventType"] for said in runs] == ["COMPLETE"] * 3
    said = min(runs, key=lambda one: one["eventTime"])
    assert said["eventTime"] == "2026-09-21T15:00:01Z"
    assert said["run"]["facets"]["nominalTime"]["nominalStartTime"] == "2026-09-21T14:00:00Z"
    window = next(one for one in said["inputs"] if one["name"].startswith("windows/"))
    assert (window["namespace"], window["facets"]["version"]["datasetVersion"]) == ("prod", digest(1000))
    assert window["inputFacets"]["dataQualityMetrics"]["rowCount"] == 9
    # What could not be judged is not asserted.
    assert window["inputFacets"]["dataQualityAssertions"]["assertions"] == [
        {
            "assertion": "drift",
            "success": False,
            "column": "age",
            "severity": "error",
            "expected": "0.1",
            "actual": "0.4",
        },
        {"assertion": "missing", "success": True, "column": "plan", "expected": "0.0", "actual": "0.0"},
    ]
    assert [one["name"] for one in said["outputs"]] == ["reports/RUN0"]
    assert START


def test_data_sets_are_named_as_openlineage_names_them(graph: Graph) -> None:
    events = export.to_openlineage(graph)
    job = next(said for said in events if said["job"]["name"] == "jobs/train-1")
    places = {(one["namespace"], one["name"]): one["facets"] for one in job["inputs"]}
    assert places["s3://data", "train.csv"]["version"]["datasetVersion"] == DATA_1
    assert ("driftline", "abc123") in places
    assert [(one["namespace"], one["name"]) for one in job["outputs"]] == [("s3://models", "churn/1.onnx")]


@pytest.mark.parametrize(
    ("status", "word"),
    [("FAILED", "FAIL"), ("Stopped", "ABORT"), ("FINISHED", "COMPLETE"), (None, "COMPLETE")],
)
def test_what_failed_is_not_complete(status: str | None, word: str) -> None:
    node = Node(
        "TrainingJob-1", "TrainingJob", "jobs/1", None, None, {} if status is None else {"status": status}, 0
    )
    assert [said["eventType"] for said in export.to_openlineage(Graph((node,), ()))] == [word]


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://bucket/a/b.csv", ("s3://bucket", "a/b.csv")),
        ("s3://bucket", ("s3://bucket", "/")),
        ("file:///data/x.csv", ("file", "/data/x.csv")),
        ("data/x.csv", ("ours", "data/x.csv")),
    ],
)
def test_uris_become_namespace_and_name(uri: str, place: tuple[str, str]) -> None:
    data = Node("DataSet-1", "DataSet", uri, uri, None, {}, 0)
    job = Node("TrainingJob-1", "TrainingJob", "jobs/1", None, None, {}, 0)
    graph = Graph((job, data), (Edge(data.id, job.id, "ContributedTo"),))
    (said,) = export.to_openlineage(graph, namespace="ours")
    assert [(one["namespace"], one["name"]) for one in said["inputs"]] == [place]
