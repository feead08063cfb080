"""Tables in Markdown, made from results and from nothing else, and their places in a page."""

from __future__ import annotations

import math
import operator
import re
import statistics
from typing import TYPE_CHECKING, Any

from benchmarks.goals import GOALS, Accuracy, Goal, Rate, compare, verdict
from benchmarks.pairs import BenchmarkError, Spread, Usage, paired
from benchmarks.results import rounds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Documents = Mapping[str, Mapping[str, Any]]

__all__ = ["attribution", "inserted", "quality", "sections"]

MIB = float(1 << 20)
_MARKED = re.compile(r"(<!-- benchmarks: (?P<name>[a-z]+) -->\n).*?(<!-- benchmarks: end -->)", re.DOTALL)

_UNITS = {"": "", "x": " ×", "s": " s", "/s": "/s", "MiB": " MiB", "%": "%", "e": ""}


def sections(documents: Documents) -> dict[str, str]:
    """Return the generated parts of the page by name.

    Parameters
    ----------
    documents : mapping
        What :func:`benchmarks.results.load` gave.
    """
    made = {"goals": _goals(documents)}
    if "processes" in documents:
        made["processes"] = _processes(documents["processes"])
    if "accuracy" in documents:
        made["accuracy"] = _accuracy(documents["accuracy"])
    if "kernels" in documents:
        made["kernels"] = _kernels(documents["kernels"])
    if "sinking" in documents:
        made["sinking"] = _sinking(documents["sinking"])
    if "serving" in documents:
        made["serving"] = _serving(documents["serving"])
    if "merging" in documents:
        made["merging"] = _merging(documents["merging"])
    if "quality" in documents:
        made["quality"] = quality(documents["quality"])
    if "attribution" in documents:
        made["attribution"] = attribution(documents["attribution"])
    return made


def _merging(document: Mapping[str, Any]) -> str:
    rows = []
    for window, one in document["windows"].items():
        for name, rounds in one["usages"].items():
            row = [window, name]
            for quantity, scale in (("inside", 1.0), ("wall", 1.0), ("cpu", 1.0), ("peak", MIB)):
                row.append(_number(statistics.median(r[quantity] for r in rounds) / scale))
            for quantity in ("inside", "cpu"):
                found = one["ratios"][quantity]
                told = (
                    f"{_number(found['median'])} ({_number(found['least'])} to {_number(found['greatest'])})"
                )
                row.append(told if name == "merged" else "–")
            rows.append(row)
    head = (
        "window",
        "",
        "inside, s",
        "wall, s",
        "processor, s",
        "peak, MiB",
        "merged / folded, inside",
        "processor",
    )
    first, sizes = document["first"], document["bytes"]
    end = (
        f"Keeping all {document['hours']} hours for the first time takes {_number(first['cpu'])} s of processor time; "
        f"what is kept is {_number(sizes['kept'] / MIB)} MiB beside {_number(sizes['captures'] / MIB)} MiB of captures."
    )
    return "\n\n".join((_conditions(document), _table(head, rows, left=2), end))


_QUALITY = {"first": 1.0, "warm": 1.0, "processor": 1.0, "peak": MIB}


def quality(document: Mapping[str, Any]) -> str:
    """Return what ``python -m benchmarks.quality_and_bias`` measured."""
    rows = []
    for name, rounds in document["usages"].items():
        row = [name]
        row += [_number(statistics.median(r[q] for r in rounds) / scale) for q, scale in _QUALITY.items()]
        against = document["ratios"].get(name, {}).get("pandas read_parquet", {})
        for found in against.values():
            least, middle, greatest = (_number(found[key]) for key in ("least", "median", "greatest"))
            row.append(f"{middle} ({least} to {greatest})")
        rows.append(row + ["–"] * (8 - len(row)))
    head = (
        "process",
        "first call, s",
        "later calls, s",
        "processor, a later call, s",
        "peak, MiB",
        "first / pandas'",
        "later / pandas'",
        "processor / pandas'",
    )
    oracle, fairlearn = document["slow"]["scikit-learn"], document["slow"]["fairlearn"]
    subject = next(iter(document["usages"].values()))
    warm = statistics.median(used["warm"] for used in subject)
    whole = oracle["once"] + document["bootstraps"] * oracle["a_bootstrap"]
    scaled = fairlearn["seconds"] * document["rows"] / fairlearn["rows"]
    end = (
        f"scikit-learn takes {_number(oracle['once'])} s for eleven metrics of the {document['rows']:,} rows, and "
        f"{_number(oracle['a_bootstrap'])} s for each of the {document['repeated']} row bootstraps that were run; with "
        f"{document['bootstraps']} of them, **extrapolated**, {_number(whole)} s: {_number(whole / warm)} times as long "
        "as one pass with 1,000 replicates. "
        f"fairlearn takes {_number(fairlearn['seconds'])} s for seven metrics by facet and group, without intervals, on "
        f"{fairlearn['rows']:,.0f} rows; for all of them, **extrapolated**, {_number(scaled)} s, "
        f"{_number(scaled / warm)} times as long."
    )
    return "\n\n".join((_conditions(document), _table(head, rows), end))


def attribution(document: Mapping[str, Any]) -> str:
    """Return what ``python -m benchmarks.attribution`` measured."""
    rows = []
    for name, found in document["models"].items():
        row = [name]
        for key in ("driftline", "shap", "model", "outside"):
            row.append(_number(statistics.median(r[key] for r in found["rounds"]) * 1000))
        for ratio in found["ratios"].values():
            least, middle, greatest = (_number(ratio[key]) for key in ("least", "median", "greatest"))
            row.append(f"{middle} ({least} to {greatest})")
        row += [f"{_number(found['errors'][key] * 100)} %" for key in ("driftline", "shap")]
        rows.append(row)
    head = (
        "model",
        "driftline, ms a row",
        "shap",
        "the model alone",
        "driftline outside the model",
        "shap / driftline",
        "shap / the model alone: the limit",
        "driftline / the model alone",
        "error, driftline",
        "error, shap",
    )
    end = (
        f"Processor time, one thread; medians of {document['rounds']} rounds of {document['rows'] // document['rounds']} "
        "rows, ratios within a round. The error is the mean absolute error over the mean absolute attribution, over "
        f"{document['judged']} rows with the same budget, for the probability of the linear model and the margin of the "
        "trees."
    )
    return "\n\n".join((_conditions(document), _table(head, rows), end))


def inserted(page: str, made: Mapping[str, str]) -> str:
    """Return a page with its marked places filled anew.

    Raises
    ------
    BenchmarkError
        If a place and a section do not belong together.
    """
    places = [match["name"] for match in _MARKED.finditer(page)]
    if sorted(places) != sorted(made):
        raise BenchmarkError(f"the page has places for {sorted(places)}, the results fill {sorted(made)}")
    return _MARKED.sub(lambda match: f"{match[1]}\n{made[match['name']]}\n\n{match[3]}", page)


def _number(value: float) -> str:
    """Return three significant digits, without an exponent while there is a short form."""
    if value == 0.0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4:
        return f"{value:.1e}"
    return f"{value:,.{max(0, 2 - size)}f}"


def _shown(value: float, unit: str) -> str:
    scaled = value / MIB if unit == "MiB" else value * 100 if unit == "%" else value
    if unit == "e" and scaled:
        return f"{scaled:.1e}"
    return _number(scaled) + _UNITS[unit]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Return a table; the first `left` columns hold words, the others numbers."""
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "|".join("---" if i < left else "---:" for i in range(len(head))) + "|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _conditions(document: Mapping[str, Any]) -> str:
    """Return what has to be known about a part's numbers."""
    m, v = document["machine"], document["versions"]
    packages = ", ".join(f"{name} {number}" for name, number in v.items())
    text = (
        f"{m['processor']}, {m['architecture']}, {m['processors_used']} processors used of {m['processors']}, "
        f"{m['memory_gib']:g} GiB, {m['system']}; {packages}; taken {document['taken']}; "
        f"load before the run {m['load_before']:g}."
    )
    return _warning(document) + text if document["sample"] else text


def _warning(document: Mapping[str, Any]) -> str:
    return (
        f"> **A sample, not a measurement**: scale {document['scale']:g}, {document['rounds']} rounds. "
        "It shows the form of the table; the numbers say nothing about driftline.\n\n"
    )


def _goals(documents: Documents) -> str:
    samples = [document for document in documents.values() if document["sample"]]
    rounds = rounds_of(documents["processes"]) if "processes" in documents else {}
    columns = documents.get("accuracy", {}).get("columns", {})
    rates = {part: documents.get(part, {}).get("rates", []) for part in ("sinking", "serving")}
    rows = []
    for goal in GOALS:
        sign = "≥" if goal.at_least else "≤"
        step = "–" if goal.first_step is None else f"{sign} {_bound(goal.first_step, goal.unit)}"
        if isinstance(goal.source, Accuracy):
            found = _of_errors(goal.source, columns)
        elif isinstance(goal.source, Rate):
            found = _of_rates(goal.source.name, rates[goal.source.part])
        else:
            found = compare(goal.source, rounds)
        row = [goal.what, step, f"{sign} {_bound(goal.goal, goal.unit)}"]
        if found is None:
            rows.append([*row, "–", "–", "not measured"])
            continue
        judged, least, greatest = found.median, found.least, found.greatest
        spread = f"{_shown(least, goal.unit)} – {_shown(greatest, goal.unit)}"
        rows.append(
            [
                *row,
                f"**{_shown(judged, goal.unit)}**",
                spread,
                "sample" if samples else _verdict(goal, judged),
            ]
        )
    table = _table(("what", "first step", "goal", "measured", "least – greatest", "verdict"), rows)
    return _warning(samples[0]) + table if samples else table


def _bound(value: float, unit: str) -> str:
    """Return a bound as it is written down: no more digits than it has."""
    if unit == "MiB":
        return f"{value:g} MiB"
    if unit == "/s":
        return f"{value:,.0f}/s"
    if unit == "e":
        return f"{value:.0e}"
    return f"{value * 100:g}%" if unit == "%" else f"{value:g}{_UNITS[unit]}"


def _verdict(goal: Goal, value: float) -> str:
    word = verdict(goal, value / MIB if goal.unit == "MiB" else value)
    return "**missed**" if word == "missed" else word


def _of_errors(source: Accuracy, columns: Mapping[str, Mapping[str, float]]) -> Spread | None:
    """Return the least error, the one that is judged, and the greatest."""
    errors = [column[source.error] for column in columns.values()]
    if not errors:
        return None
    judged = max(errors)
    if source.judged == "root mean square":
        inexact = [e for e in errors if e] or [0.0]
        judged = math.sqrt(statistics.fmean(e * e for e in inexact))
    return Spread(min(errors), judged, max(errors))


def _of_rates(name: str, rates: Sequence[Mapping[str, float]]) -> Spread | None:
    told = [found[name] for found in rates if name in found]
    return Spread.of(told) if told else None


_SINKING = {
    "records_per_second": ("acknowledged, records/s", 1.0),
    "cpu_microseconds": ("processor time of the sink, µs a record", 1.0),
    "p99_seconds": ("99 % of the answers within, s", 1.0),
    "sealed_beside_per_second": ("sealed beside it, records/s", 1.0),
    "sealed_after_per_second": ("sealed afterwards, records/s", 1.0),
    "peak": ("peak of the sink, MiB", MIB),
}


def _sinking(document: Mapping[str, Any]) -> str:
    rates = document["rates"]
    rows = []
    for kind, words in (
        ("batch", "batches of 500, 4 connections"),
        ("single", "one a request, 64 connections"),
    ):
        cells = []
        for name, (_, unit) in _SINKING.items():
            found = _of_rates(f"{kind}_{name}", rates)
            cells.append("–" if found is None else _number(found.median / unit))
        rows.append([words, *cells])
    heads = ("records", *(head for head, _ in _SINKING.values()))
    return f"{_conditions(document)}\n\n{_table(heads, rows)}"


_SERVING = {
    "p50": ("half of the answers within, ms", 1e-3),
    "p99": ("99 % within, ms", 1e-3),
    "p999": ("99.9 % within, ms", 1e-3),
    "cpu": ("processor time of the server, µs a request", 1e-6),
    "achieved": ("answered of 1,000 requests/s", 1.0),
    "rate": ("at most, requests/s", 1.0),
}


def _serving(document: Mapping[str, Any]) -> str:
    rates = document["rates"]
    rows = []
    for kind, words in (("plain", "without"), ("captured", "with capture"), ("added", "added")):
        cells = []
        for name, (_, unit) in _SERVING.items():
            found = _of_rates(f"{kind}_{name}", rates)
            cells.append("–" if found is None else _number(found.median / unit))
        rows.append([words, *cells])
    heads = ("service", *(head for head, _ in _SERVING.values()))
    return f"{_conditions(document)}\n\n{_table(heads, rows)}"


_HEADS = {
    "wall": ("wall, s", 1.0),
    "cpu": ("CPU, s", 1.0),
    "peak": ("peak, MiB", MIB),
    "first": ("first call, s", 1.0),
    "warm": ("later calls, s", 1.0),
}


def _processes(document: Mapping[str, Any]) -> str:
    rounds = rounds_of(document)
    parts = [_conditions(document)]
    for name, contest in document["contests"].items():
        quantities = contest["quantities"]
        usages = rounds[name]
        subject = next(iter(usages))
        n = len(usages[subject])
        files = "".join(f"; `{file}` {size / MIB:,.1f} MiB" for file, size in contest["files"].items())
        head = [
            "process" if "wall" in quantities else "call",
            *(_HEADS[q][0] for q in quantities),
            *(f"{subject} / it: {_HEADS[q][0].rpartition(',')[0]}" for q in quantities),
        ]
        rows = [
            [
                contender,
                *_medians(used, quantities),
                *_ratios(usages[subject], used, quantities, contender == subject),
            ]
            for contender, used in usages.items()
        ]
        parts.append(f"**{contest['title']}** ({n} rounds{files})\n\n{_table(head, rows)}")
    return "\n\n".join(parts)


def _medians(used: Sequence[Usage], quantities: Sequence[str]) -> list[str]:
    return [_number(Spread.of(u.quantity(q) for u in used).median / _HEADS[q][1]) for q in quantities]


def _ratios(
    subject: Sequence[Usage], used: Sequence[Usage], quantities: Sequence[str], same: bool
) -> list[str]:
    if same:
        return ["–"] * len(quantities)
    cells = []
    for q in quantities:
        spread = paired(subject, used, q, operator.truediv)
        cells.append(f"{_number(spread.median)} ({_number(spread.least)} – {_number(spread.greatest)})")
    return cells


def _accuracy(document: Mapping[str, Any]) -> str:
    heads = {
        "n": "values",
        "ks_true": "KS, exact",
        "ks": "KS, error",
        "ks_stated": "KS, stated bound",
        "rank": "quantile rank, error",
        "distinct": "distinct, error",
        "mean": "mean, error",
        "deviation": "deviation, error",
    }
    rows = [
        [
            f"`{name}`",
            *(
                f"{errors[key]:,.0f}" if key == "n" else "0" if not errors[key] else f"{errors[key]:.1e}"
                for key in heads
            ),
        ]
        for name, errors in document["columns"].items()
    ]
    return f"{_conditions(document)}\n\n{_table(('column', *heads.values()), rows)}"


def _kernels(document: Mapping[str, Any]) -> str:
    """Return one table for all kinds of column that have the same contenders."""
    cases: dict[str, dict[str, Mapping[str, float]]] = {}
    for found in document["kernels"]:
        cases.setdefault(found["case"], {})[found["contender"]] = found
    groups: dict[tuple[str, ...], list[str]] = {}
    for case, timed in cases.items():
        groups.setdefault(tuple(timed), []).append(case)
    parts = [
        f"{_conditions(document)} {document['rows']:,} values, ns per value, one thread, processor time."
    ]
    for contenders, names in groups.items():
        rows = [
            [name, *(_number(cases[name][c]["least"] / document["rows"] * 1e9) for c in contenders)]
            for name in names
        ]
        parts.append(_table(("column", *contenders), rows))
    return "\n\n".join(parts)
