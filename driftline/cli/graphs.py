"""What the commands about lineage share: options, and how a graph is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from driftline.cli.streams import print_json
from driftline.cli.workspaces import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftline.registry.lineage import Graph, Node
    from driftline.registry.store import Tx

__all__ = ["node_rows", "print_graph", "walk_options"]

FORMATS = ("text", "json", "prov", "openlineage")


def walk_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--depth``, ``--kind``, ``--limit`` and ``--format``."""
    for option in (
        click.option(
            "--json", "form", flag_value="json", help="As one JSON object; the same as --format json."
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            default="text",
            show_default=True,
            help="For people, as JSON, as PROV-JSON of the W3C, or as events of OpenLineage.",
        ),
        click.option(
            "--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="Most nodes."
        ),
        click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only these, such as DataSet."),
        click.option("--depth", type=click.IntRange(1, 50), help="So many steps; 10 by default, 2 around."),
    ):
        function = option(function)
    return function


def node_rows(nodes: Any) -> list[tuple[str, str, str]]:
    """Return nodes as rows for people."""

    def where(node: Node) -> str:
        digest = "" if node.digest is None else f"{node.digest[:19]}…"
        return node.uri or digest

    return [(node.kind, node.name, where(node)) for node in nodes]


def print_graph(tx: Tx, graph: Graph, form: str) -> None:
    """Print a graph: as a list for people, or as a document."""
    from driftline.registry import lineage_export

    if form == "json":
        print_json(lineage_export.to_json(graph))
    elif form == "prov":
        print_json(lineage_export.to_prov_json(graph))
    elif form == "openlineage":
        events = lineage_export.to_openlineage(graph, lineage_export.results_of(tx, graph))
        print_json("\n".join(json.dumps(event) for event in events))
    else:
        table(("kind", "name", "where"), node_rows(graph.nodes), fold="where", empty="nothing")
        if graph.truncated:
            click.echo("and more: choose with --kind, or raise --limit")
