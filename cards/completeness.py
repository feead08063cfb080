"""Completeness: what a card has of what a profile asks for, what is missing, and where to write it.

It tells what is written apart from what was measured, and says of no card that it complies with anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.facts import claims
from driftline.cards.profile import Profile, load_profile
from driftline.cards.row_judgement import Look, is_something, items_of
from driftline.cards.row_state import ORIGINS, STATES, Found, Missing, Origin, RowState, State
from driftline.cards.validation import Problem
from driftline.documents import nearest
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftline.cards.facts import Facts

__all__ = ["ORIGINS", "SCHEMA", "STATES", "Completeness", "Found", "Missing", "RowState", "check_profile"]

SCHEMA: Final = "driftline.card-completeness/v1"
"""Name and version of the document that :meth:`Completeness.to_document` makes."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What a card has of what a profile asks for.

    Attributes
    ----------
    profile, title, disclaimer, caution : str
    rows : tuple of RowState
        In the order of the profile.
    problems : tuple of Problem
        Attestations of rows that the profile does not have, points in which the post-market plan is out of date, and runs
        of monitors that are named as the origin of numbers and do not exist.
    """

    profile: str
    title: str
    disclaimer: str
    caution: str
    rows: tuple[RowState, ...]
    problems: tuple[Problem, ...]

    @property
    def counts(self) -> dict[State, int]:
        """Rows by state."""
        return {state: sum(row.state == state for row in self.rows) for state in STATES}

    @property
    def figure(self) -> float | None:
        """Share of filled rows among those that are applicable; None where none is."""
        applicable = len(self.rows) - self.counts["not applicable"]
        return self.counts["filled"] / applicable if applicable else None

    @property
    def origins(self) -> dict[Origin, int]:
        """How many of the things found come from where."""
        found = [one.by for row in self.rows for one in row.found]
        return {origin: found.count(origin) for origin in ORIGINS}

    @property
    def headline(self) -> str:
        """The figure in a sentence."""
        counts = self.counts
        applicable = len(self.rows) - counts["not applicable"]
        if not applicable:
            return f"None of the {len(self.rows)} rows is applicable."
        return (
            f"{counts['filled']} of {applicable} applicable rows are filled ({100 * counts['filled'] / applicable:.0f} %), "
            f"{counts['partial']} in part, {counts['missing']} missing; {counts['not applicable']} not applicable."
        )

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON has it; the same card and facts give the same document."""
        figure = self.figure
        return {
            "schema": SCHEMA,
            "profile": self.profile,
            "title": self.title,
            "figure": None if figure is None else round(figure, 4),
            "counts": {**self.counts, "total": len(self.rows)},
            "origins": self.origins,
            "headline": self.headline,
            "disclaimer": self.disclaimer,
            "caution": self.caution,
            "rows": [_row_document(row) for row in self.rows],
            "problems": [{"path": one.path, "what": one.what, "fix": one.fix} for one in self.problems],
        }

    def table(self) -> list[tuple[str, str, str, str, str]]:
        """Return rows of id, title, state, what is there, and what to add; printable text without markup."""
        return [
            (
                _id(row),
                printable(row.title, 200),
                row.state,
                "; ".join(f"{one.path}: {one.says} ({ORIGINS[one.by]})" for one in _shortened(row.found)),
                "; ".join([_reason(row)] * bool(_reason(row)) + [_to_add(one) for one in row.missing]),
            )
            for row in self.rows
        ]

    def to_markdown(self) -> str:
        """Return it as a page in Markdown."""
        lines = [
            f"# {_markup(self.title)}",
            "",
            _markup(self.headline),
            "",
            f"*{_markup(self.disclaimer)}*",
            "",
        ]
        lines += [
            "| row | what is asked for | state | what is there | what to add |",
            "|---|---|---|---|---|",
        ]
        for row, cells in zip(self.rows, self.table(), strict=True):
            shown = [cells[0], f"{cells[1]}: {row.asks}", *cells[2:]]
            lines.append("| " + " | ".join(_markup(cell) for cell in shown) + " |")
        if self.problems:
            lines += ["", "## To be looked at", ""]
            lines += [f"- {_markup(one.path)}: {_markup(one.what)}" for one in self.problems]
        if self.caution:
            lines += ["", _markup(self.caution)]
        return "\n".join(lines) + "\n"


def _row_document(row: RowState) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "asks": row.asks,
        "reference": row.reference,
        "number_verified": row.number_verified,
        "state": row.state,
        "reason": row.reason or None,
        "found": [{"what": one.what, "path": one.path, "says": one.says, "by": one.by} for one in row.found],
        "missing": [
            {"what": one.what, "add": one.add, "because": one.because or None} for one in row.missing
        ],
        "note": row.note or None,
    }


def _id(row: RowState) -> str:
    return printable(row.id, 60) + ("" if row.number_verified else " (number not verified)")


def _reason(row: RowState) -> str:
    reason = f"not applicable: {printable(row.reason, 500)}" if row.state == "not applicable" else ""
    return "; ".join(part for part in (reason, row.note) if part)


def _to_add(one: Missing) -> str:
    return f"{one.what}: {one.add}" + (f" ({one.because})" if one.because else "")


def _shortened(found: tuple[Found, ...]) -> Iterator[Found]:
    seen = set()
    for one in found:
        if one.path not in seen:
            seen.add(one.path)
            yield one


_MARKUP: Final = {ord(ch): "\\" + ch for ch in "\\`*_[]#|~$!"} | {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
}


def _markup(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    # An address would become a link: the colon behind its scheme is written otherwise.
    return printable(text, 4096).translate(_MARKUP).replace("://", "&#58;//")


# --- judging ----------------------------------------------------------------------------------------------------------


def check_profile(
    content: Mapping[str, Any],
    extensions: Mapping[str, Any],
    profile: Profile | str,
    *,
    facts: Facts | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Completeness:
    """Tell what a card has of what a profile asks for.

    Parameters
    ----------
    content, extensions : mapping
    profile : Profile or str
        One of :func:`~driftline.cards.profile.profiles`, or a profile.
    facts : Facts, optional
        What the registry knows; None where there is no registry: what only it can tell counts as missing.
    provenance : mapping, optional
        ``source`` by dotted path, as a version of a card has it.

    Returns
    -------
    Completeness

    Raises
    ------
    UsageError
        ``E-CARD-PROFILE``.

    Notes
    -----
    A row is *filled* where all its parts are there, *partial* where some are, *missing* where none is, and *not applicable*
    only where the card's ``attestations`` say so with a reason. Text of white space, empty lists and empty objects are
    nothing. The figure is filled / (all − not applicable).
    """
    wanted = load_profile(profile) if isinstance(profile, str) else profile
    looked = Look(content, extensions, facts, provenance or {})
    attested, problems = _attested(extensions, wanted)
    rows = tuple(looked.row(row, attested.get(row.id)) for row in wanted.rows)
    if facts is not None:
        problems += [
            Problem(
                "extensions.post_market_plan", f"the plan differs from the monitors: {line}", "write it anew"
            )
            for line in facts.plan_differences
        ]
        problems += [
            Problem(
                "evaluation_details", f"names {printable(one, 100)} as its origin, which is not there", None
            )
            for one in claims(content, extensions)
            if one not in facts.sources
        ]
    return Completeness(wanted.name, wanted.title, wanted.disclaimer, wanted.caution, rows, tuple(problems))


def _attested(extensions: Mapping[str, Any], profile: Profile) -> tuple[dict[str, str], list[Problem]]:
    """Return the reasons why rows are not applicable, and what is wrong with them."""
    reasons: dict[str, str] = {}
    problems = []
    for place, one in enumerate(items_of(extensions.get("attestations"))):
        if not isinstance(one, Mapping) or one.get("profile") != profile.name:
            continue
        row, reason = one.get("row"), one.get("reason")
        path = f"extensions.attestations.{place}"
        if row not in profile.ids:
            close = nearest(str(row)[:100], profile.ids)
            fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(profile.ids)
            problems.append(Problem(f"{path}.row", f"{profile.name} has no row {printable(row, 60)!r}", fix))
        elif is_something(reason) and isinstance(reason, str):
            reasons[row] = reason
        else:
            problems.append(
                Problem(f"{path}.reason", "a row is not applicable only for a reason", "state it")
            )
    return reasons, problems
