"""``driftline lineage diff``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, table, workspace_option

__all__ = ["command"]


@click.command(name="diff")
@click.argument("a", metavar="MODEL")
@click.argument("b", metavar="MODEL")
@workspace_option
@as_json
def command(a: str, b: str, workspace: str | None, json_: bool) -> int:
    """Show what two models have in common, and what not: data, code, image, parameters, metrics.

    \b
      driftline lineage diff models/churn/2 models/churn/3
    """
    from driftline.registry import lineage

    with opened(workspace) as ws, ws.registry.read() as tx:
        found = lineage.diff(tx, a, b)
    if json_:
        print_document(
            {
                "a": found.a.name,
                "b": found.b.name,
                "only_a": [n.name for n in found.only_a],
                "only_b": [n.name for n in found.only_b],
                "shared": [n.name for n in found.shared],
                "parameters": {key: list(pair) for key, pair in found.parameters.items()},
                "metrics": {key: list(pair) for key, pair in found.metrics.items()},
            }
        )
        return 0
    rows = [(n.kind, n.name, "yes", "") for n in found.only_a] + [
        (n.kind, n.name, "", "yes") for n in found.only_b
    ]
    rows += [(n.kind, n.name, "yes", "yes") for n in found.shared]
    for kind, pairs in (("parameter", found.parameters), ("metric", found.metrics)):
        rows += [(kind, key, _shown(one), _shown(two)) for key, (one, two) in pairs.items()]
    table(("kind", "name", found.a.name, found.b.name), rows, fold="name", empty="they are the same")
    return 0


def _shown(value: object) -> str:
    return "" if value is None else str(value)
