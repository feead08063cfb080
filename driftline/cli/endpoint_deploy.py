"""``driftline endpoint deploy``."""

from __future__ import annotations

import click

from driftline.cli.options import as_json
from driftline.cli.workspaces import opened, print_document, reason_option, workspace_option

__all__ = ["command"]


@click.command(name="deploy")
@click.argument("name", metavar="ENDPOINT")
@click.argument("model", metavar="MODEL")
@click.argument("version", metavar="VERSION")
@click.option("--variant", metavar="NAME", help="Variant of the endpoint; AllTraffic by default.")
@click.option("--weight", type=float, metavar="NUMBER", help="Its share of the traffic, in any unit.")
@click.option("--since", metavar="TIME", help="From when on, such as 2026-11-23T07:00Z; now by default.")
@reason_option
@workspace_option
@as_json
def command(
    name: str,
    model: str,
    version: str,
    variant: str | None,
    weight: float | None,
    since: str | None,
    reason: str,
    workspace: str | None,
    json_: bool,
) -> int:
    """Say that an endpoint serves a version from now on.

    VERSION may be an alias: what it stands for now. What the endpoint served before stays known, and reports keep the model
    that made the predictions. Where driftline.toml names a version for the endpoint, change it there, too.

    \b
      driftline endpoint deploy churn-prod churn 4 --reason "passed its review"
    """
    from driftline.capture.event import DEFAULT_VARIANT
    from driftline.capture.window import moment_of

    with opened(workspace) as ws:
        changed = ws.endpoints.deploy(
            name,
            model,
            version,
            variant=variant or DEFAULT_VARIANT,
            weight=weight,
            since=None if since is None else moment_of(since),
            reason=reason,
        )
        served = ws.models.version(model, version).version
    if json_:
        print_document({"endpoint": name, "model": model, "version": served, "changed": changed})
    else:
        click.echo(f"{name} {'serves' if changed else 'serves already'} {model} {served}")
    return 0
