"""How a baseline of model quality, bias or attribution looks in a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.baselines.protocol import AnyBaseline

__all__ = ["print_metrics_baseline", "print_saved_metrics_baseline"]

MOST_ROWS = 200

_WHAT = {"model-quality": "model quality", "bias": "bias", "attribution": "feature attribution"}


def print_saved_metrics_baseline(baseline: AnyBaseline, folder: str) -> None:
    """Say in a few lines what was learnt and where it lies."""
    n = sum(1 for _ in _rows(baseline))
    click.echo(f"{_title(baseline)} ({n:,} {'value' if n == 1 else 'values'})")
    for note in baseline.notes:
        click.echo(f"note: {printable(note, 400)}")
    shown = printable(folder, 300)
    click.echo(f"written to {shown}; look at it with: driftline show {shown}")


def print_metrics_baseline(baseline: AnyBaseline) -> None:
    """Print the values that live data will be held to."""
    from rich.console import Console
    from rich.table import Table

    from driftline.reports.wording import plural

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 100)
    made = f", made {printable(baseline.created, 40)}" if baseline.created else ""
    console.print(_title(baseline) + made, markup=False)
    for note in baseline.notes:
        console.print(f"note: {printable(note, 400)}", markup=False)
    rows = list(_rows(baseline))
    table = Table(box=None, pad_edge=False, show_header=True)
    for head in ("of", "metric", "value"):
        table.add_column(head, justify="right" if head == "value" else "left", overflow="fold")
    for row in rows[:MOST_ROWS]:
        table.add_row(*(_plain(cell) for cell in row))
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(f"and {plural(len(rows) - MOST_ROWS, 'more value')}", markup=False)


def _title(baseline: AnyBaseline) -> str:
    from driftline.reports.wording import plural

    label = printable(baseline.label, 200)
    rows = f": {plural(baseline.n_rows, 'row')}" if baseline.n_rows else ""
    return f"baseline of {_WHAT[baseline.recipe]}, {label}{rows}"


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(printable(text, 120))


def _rows(baseline: AnyBaseline) -> Iterator[tuple[str, str, str]]:
    """Give what each value is of, which metric it is, and the value, from the documents that people may edit."""
    from driftline.documents import decode

    files = baseline.files()
    if baseline.recipe == "model-quality":
        yield from _thresholds(decode(files["constraints.json"], file="constraints.json"))
        return
    analysis = decode(files["analysis.json"], file="analysis.json")
    if baseline.recipe == "bias":
        yield from _bias(analysis)
    else:
        yield from _attributions(analysis)


def _thresholds(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    from driftline.baselines.metrics import METRICS

    for section, metrics in document.items():
        if section.endswith("_constraints") and isinstance(metrics, dict):
            for name, one in metrics.items():
                title = METRICS[name].title if name in METRICS else name
                yield (
                    section.removesuffix("_constraints").replace("_", " "),
                    title,
                    _number(one.get("threshold")),
                )


def _bias(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for section in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for name, values in (document.get(section) or {}).get("facets", {}).items():
            for one in values:
                for metric in one.get("metrics", ()):
                    value = metric.get("value")
                    told = _number(value) if value is not None else str(metric.get("error") or "none")
                    yield f"{name}={one.get('value_or_threshold')}", str(metric.get("description")), told


def _attributions(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    explained = (document.get("explanations") or {}).get("kernel_shap") or {}
    for label, one in explained.items():
        values = one.get("global_shap_values") or {}
        for name, value in sorted(values.items(), key=lambda item: -abs(item[1])):
            yield str(label), str(name), _number(value)


def _number(value: Any) -> str:
    from driftline.reports.wording import number

    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
