"""Profiles are data, and every path in them leads somewhere."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from driftline.cards.extension_plan import KINDS
from driftline.cards.extensions import rows
from driftline.cards.facts import Facts
from driftline.cards.limits import RULES
from driftline.cards.profile import Profile, load_profile, profiles, read_profile
from driftline.errors import DocumentError, UsageError

ROW = '[[row]]\nid = "1"\ntitle = "T"\n[[row.part]]\nwhat = "w"\n'


def known_paths() -> set[str]:
    """Return every path that a profile may name."""
    known = {f"extensions.{row.path}" for row in rows()}
    known |= {"content." + re.sub(r"\.\*|\[\]", "[]", pattern) for pattern in RULES if pattern}
    known |= {f"facts.{one.name}" for one in fields(Facts)}
    return known | {f"facts.{what}.{kind}" for what in ("monitors", "evidence") for kind in KINDS}


@pytest.mark.parametrize("name", ["eu-annex-iv", "nist-ai-rmf"])
def test_every_path_of_a_profile_is_one_of_a_card(name: str) -> None:
    known = known_paths()
    for row in load_profile(name).rows:
        assert row.asks
        assert row.reference
        for part in row.parts:
            if part.each == "evaluations":
                assert set(part.has) <= {"datasets", "sample_size", "measured_by", "signatures", "procedure"}
                continue
            for path in (*part.any, *(f"{part.each}[].{key}" for key in part.has)):
                assert path in known, f"{row.id}: {path}"


def test_annex_iv_is_there_from_1a_to_9() -> None:
    wanted = [f"1({letter})" for letter in "abcdefgh"] + [f"2({letter})" for letter in "abcdefgh"]
    assert list(load_profile("eu-annex-iv").ids) == wanted + list("3456789")
    references = " ".join(row.reference for row in load_profile("eu-annex-iv").rows)
    for article in ("Art. 9", "Art. 14", "Art. 47", "Art. 72"):
        assert article in references


def test_numbers_that_nobody_checked_are_marked() -> None:
    profile = load_profile("nist-ai-rmf")
    unverified = {row.id for row in profile.rows if not row.number_verified}
    assert unverified == {row.id for row in profile.rows if row.id.startswith(("MAP", "MANAGE"))}
    assert unverified
    assert all(row.number_verified for row in load_profile("eu-annex-iv").rows)


@pytest.mark.parametrize("name", ["eu-annex-iv", "nist-ai-rmf"])
def test_no_profile_claims_compliance(name: str) -> None:
    profile = load_profile(name)
    assert "does not say" in profile.disclaimer
    text = " ".join([profile.title, profile.caution, *(f"{row.title} {row.asks}" for row in profile.rows)])
    assert not re.search(r"\b(compliant|complies|certified)\b", text)


def test_an_unknown_profile_names_the_nearest() -> None:
    assert profiles() == ["eu-annex-iv", "nist-ai-rmf"]
    with pytest.raises(UsageError) as error:
        load_profile("eu-annex-4")
    assert (error.value.code, error.value.fix) == ("E-CARD-PROFILE", "did you mean 'eu-annex-iv'?")
    for name in ("../eu-annex-iv", "x" * 100_000, ""):
        with pytest.raises(UsageError):
            load_profile(name)


def test_an_organisation_may_have_its_own() -> None:
    made = read_profile(
        f'name = "ours"\ntitle = "Ours"\n{ROW}any = ["content.intended_uses.purpose_of_model"]'.encode()
    )
    assert isinstance(made, Profile)
    part = made.rows[0].parts[0]
    assert (part.add, part.without, made.rows[0].number_verified) == (
        "intended_uses.purpose_of_model",
        (),
        True,
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (f"{ROW}any = [1]", "row[0].part[0].any"),
        (f'{ROW}any = ["intended_uses.x"]', "row[0].part[0].any"),
        (f'{ROW}each = "risks"\nhas = ["risk"]', "row[0].part[0].each"),
        (f'{ROW}each = "extensions.risks"', "row[0].part[0]"),
        (f'{ROW}any = ["content.x"]\neach = "extensions.risks"\nhas = ["risk"]', "row[0].part[0]"),
        (f"{ROW}", "row[0].part[0]"),
        (f'{ROW}any = ["content.x"]\nadds = "x"', "row[0].part[0]"),
        (f'{ROW}any = ["content.x"]\n{ROW}any = ["content.x"]', "row[1].id"),
        ("row = []", "row"),
        ('[[row]]\nid = "1"\ntitle = "T"\npart = []', "row[0].part"),
        ("", "row"),
        ("row = [", None),
        ("\ud800", None),
        ("x" * (1 << 20) + " = 1", None),
        ("a = " + "[" * 5000, None),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(text: str, field: str | None) -> None:
    head = "" if field is None else 'name = "n"\ntitle = "t"\n'
    with pytest.raises(DocumentError) as error:
        read_profile((head + text).encode("utf-8", "surrogatepass"), file="ours.toml")
    assert (error.value.file, error.value.field) == ("ours.toml", field)
