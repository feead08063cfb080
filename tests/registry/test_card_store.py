"""Model cards: made, written, approved, archived, deleted."""

from __future__ import annotations

import enum
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from card_rig import act, approve, breaks, make, refused, revise, seed, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.errors import DriftlineError
from driftline.registry import audit, cards, models, users
from driftline.registry.card_given import content_text
from driftline.registry.jcs import content_hash
from driftline.registry.outbox import read_events
from driftline.registry.tables import card_versions

if TYPE_CHECKING:
    from driftline.registry.store import Registry


def told(registry: Registry) -> list[Any]:
    with registry.read() as tx:
        return [event for event in read_events(tx) if event.short.startswith("card.")]


def test_the_life_of_a_card(registry: Registry) -> None:
    card = make(registry)
    assert (card.version, card.status, card.approved_version) == (1, "Draft", None)
    assert revise(registry, 2).version == 2
    assert revise(registry, 2).version == 2, "the same text makes no version"
    card = approve(registry)
    assert (card.version, card.status, card.approved_version) == (2, "Approved", 2)
    with registry.read() as tx:
        kept = tx.one(card_versions.select().where(card_versions.c.version == 2))
    card = revise(registry, 3)
    assert (card.version, card.status, card.approved_version) == (3, "Draft", 2)
    with registry.read() as tx:
        assert tx.one(card_versions.select().where(card_versions.c.version == 2)) == kept
        assert [v.status for v in cards.versions(tx, "churn")] == ["Draft", "Approved", "Draft"]
        assert cards.version(tx, "churn", "approved").content == text(2)
        assert cards.version(tx, "churn").content == text(3)
        assert cards.version(tx, card.arn, 1).content == text(1)
    act(registry, "ann", lambda tx: cards.set_status(tx, "churn", "Archived"))
    error = refused(registry, "ann", lambda tx: cards.revise(tx, "churn", content=text(4)))
    assert error.code == "E-CARD-ARCHIVED"
    assert "archived state" in error.message
    with registry.write("ann") as tx:
        cards.start_export(tx, "churn", "job", output="out")
    assert refused(registry, "ann", lambda tx: cards.delete(tx, "churn")).code == "E-CARD-KEPT"
    act(registry, "ann", lambda tx: cards.delete(tx, "churn", force=True))
    assert refused(registry, "ann", lambda tx: cards.get(tx, "churn")).code == "E-NO-CARD"
    assert breaks(registry) == []


def test_content_keeps_its_order_and_every_character(registry: Registry) -> None:
    said = seed()
    said["additional_information"]["custom_details"] = {
        "z": "é\u200f\u202e😀\x01\x7f\u2028</script>",
        "a": "# {{x}}",
    }
    act(registry, "ann", lambda tx: cards.create(tx, "seed", said, extensions={"b": 1, "a": [1.5, None]}))
    with registry.read() as tx:
        found = cards.version(tx, "seed")
    assert json.dumps(found.content) == json.dumps(said)
    assert found.extensions == {"a": [1.5, None], "b": 1}
    assert found.content_hash == content_hash(said, found.extensions)


def test_what_a_card_is_found_by_comes_from_its_newest_text(registry: Registry) -> None:
    card = make(registry)
    assert (card.risk_rating, card.owner, card.model_id) == ("High", "growth", None)
    with registry.write("ann") as tx:
        said = {
            "model_overview": {"model_id": "m-1", "model_owner": "x" * 300},
            "intended_uses": {"risk_rating": "Extreme"},
            "model_package_details": {"model_package_group_name": "group"},
        }
        card, _ = cards.revise(tx, "churn", content=said)
        assert cards.find_by_model_id(tx, "m-1") == card == cards.get(tx, "churn")
    assert (card.risk_rating, card.owner, card.model_id) == (None, "x" * 256, "m-1")
    assert card.package_group == "group"
    assert breaks(registry) == []


def test_a_content_that_is_not_sagemakers_shape_is_stored_all_the_same(registry: Registry) -> None:
    for n, said in enumerate(
        ({}, {"model_overview": []}, {"model_overview": {"model_id": ["x"]}}, {"x": {"y": 1}})
    ):
        card = act(registry, "ann", lambda tx, n=n, said=said: cards.create(tx, f"odd-{n}", said))
        assert card.model_id is None
    assert breaks(registry) == []


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["", "-a", "a-", "a_b", "a b", "a" * 64, "é", "a\n", "a.b", "a/b", None, 7, "arn:x", "\x00", "a--"],
)
def test_names_that_sagemaker_does_not_know(registry: Registry, name: Any) -> None:
    assert refused(registry, "ann", lambda tx: cards.create(tx, name, {})).code == "E-NAME"


@pytest.mark.parametrize("name", ["a", "A-1", "a" * 63, "a--b", "0"])
def test_names_at_the_limit(registry: Registry, name: str) -> None:
    assert make(registry, name).name == name


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"content": None}, "E-CARD-CONTENT"),
        ({"content": "{}"}, "E-CARD-CONTENT"),
        ({"content": []}, "E-CARD-CONTENT"),
        ({"content": {"a": float("nan")}}, "E-VALUE"),
        ({"content": {"a": {1}}}, "E-VALUE"),
        ({"content": {"a": (1 << 53) + 1}}, "E-VALUE"),
        ({"content": {1: "a"}}, "E-TEXT"),
        ({"content": {"a": "\0"}}, "E-TEXT"),
        ({"content": {"a\0": 1}}, "E-TEXT"),
        ({"content": {"a": "\ud800"}}, "E-TEXT"),
        ({"content": {"a": "x" * 99_993}}, "E-CARD-CONTENT"),
        ({"extensions": []}, "E-CARD-CONTENT"),
        ({"extensions": {"a": "x" * 1_000_000}}, "E-CARD-CONTENT"),
        ({"extensions": {"a": "\udc00"}}, "E-TEXT"),
        ({"provenance": "x"}, "E-CARD-CONTENT"),
        ({"status": "Aproved"}, "E-CARD-STATUS"),
        ({"status": "draft"}, "E-CARD-STATUS"),
        ({"status": None}, "E-CARD-STATUS"),
        ({"status": "Approved"}, "E-CARD-STEP"),
        ({"tags": {f"t{n}": "" for n in range(51)}}, "E-TEXT"),
        ({"tags": {"x" * 129: ""}}, "E-TEXT"),
        ({"tags": {"x": "y" * 257}}, "E-TEXT"),
        ({"tags": {"x": 1}}, "E-TEXT"),
        ({"policy": []}, "E-CARD-POLICY"),
        ({"policy": {"evaluation": "off"}}, "E-CARD-POLICY"),
        ({"policy": {"evaluations": "on"}}, "E-CARD-POLICY"),
        ({"policy": {"every": "1d"}}, "E-CARD-POLICY"),
        ({"policy": {"every": "P"}}, "E-CARD-POLICY"),
        ({"policy": {"every": "PT0M"}}, "E-CARD-POLICY"),
        ({"policy": {"every": 7}}, "E-CARD-POLICY"),
        ({"cloned_from": {"name": "x"}}, "E-CARD-CONTENT"),
        ({"cloned_from": {"name": "x", "version": 0, "content_hash": ""}}, "E-CARD-VERSION"),
        ({"cloned_from": {"name": "x", "version": 1, "content_hash": "md5:0"}}, "E-DIGEST"),
        ({"model": "no-such"}, "E-NO-MODEL"),
    ],
)
def test_what_is_refused_leaves_nothing(registry: Registry, given: dict[str, Any], code: str) -> None:
    values: dict[str, Any] = {"content": {}, **given}
    error = refused(registry, "ann", lambda tx: cards.create(tx, "new", **values))
    assert error.code == code
    assert told(registry) == []


def test_limits_are_allowed(registry: Registry) -> None:
    said = {"a": "é" * 99_992}
    assert len(content_text(said)) == 100_000
    tags = {f"{n:02}" + "t" * 126: "v" * 256 for n in range(50)}
    card = act(
        registry,
        "ann",
        lambda tx: cards.create(
            tx, "new", said, tags=tags, policy={"evaluations": "draft", "every": "P1DT6H30M"}
        ),
    )
    assert card.tags == tags
    assert card.policy == {"evaluations": "draft", "every": "P1DT6H30M"}
    assert breaks(registry) == []


def test_the_wrong_status_names_the_right_one(registry: Registry) -> None:
    make(registry)
    assert "'Approved'" in refused(registry, "ann", lambda tx: cards.set_status(tx, "churn", "Aproved")).fix


def test_a_name_is_given_once(registry: Registry) -> None:
    make(registry)
    assert refused(registry, "bob", lambda tx: cards.create(tx, "churn", {})).code == "E-CARD-EXISTS"
    assert refused(registry, "bob", lambda tx: cards.get(tx, "chrn")).fix == "did you mean 'churn'?"


def test_a_model_has_one_card(registry: Registry) -> None:
    # Longer than what PostgreSQL could index.
    identity = "".join(chr(0x4E00 + n * 7 % 20000) for n in range(1024))
    act(registry, "ann", lambda tx: cards.create(tx, "one", text(1, model_id=identity)))
    make(registry, "two")
    for action in (
        lambda tx: cards.create(tx, "three", text(1, model_id=identity)),
        lambda tx: cards.revise(tx, "two", content=text(1, model_id=identity)),
    ):
        error = refused(registry, "bob", action)
        assert error.code == "E-CARD-MODEL"
        assert "'one'" in error.message
    act(registry, "ann", lambda tx: cards.revise(tx, "one", content=text(2, model_id=identity)))
    act(registry, "ann", lambda tx: cards.delete(tx, "one"))
    act(registry, "bob", lambda tx: cards.revise(tx, "two", content=text(1, model_id=identity)))
    assert breaks(registry) == []


def test_a_card_goes_where_its_text_goes(registry: Registry) -> None:
    with registry.write("ann") as tx:
        for name in ("churn", "fraud", "other"):
            models.declare(tx, name)
        cards.create(tx, "one", text())
        card, _ = cards.revise(tx, "one", content=text(2, model_name="fraud"))
        assert card.model == "fraud", "the text named churn, and names fraud now"
        assert cards.revise(tx, "one", content=text(3, model_name="unknown"))[0].model == "fraud"
        cards.set_model(tx, "one", "other")
        assert cards.revise(tx, "one", content=text(4, model_name="churn"))[0].model == "other", "chosen"
    assert breaks(registry) == []


def test_a_copy_does_not_take_the_evidence(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        cards.create(tx, "one", text(1, model_id="churn"))
        assert cards.create(tx, "two", text(1)).model == "churn"
        found = cards.find_by_model(tx, "churn")
        assert found is not None
        assert found.name == "one"


def test_a_member_of_an_enumeration_is_its_text(registry: Registry) -> None:
    class Rating(str, enum.Enum):  # noqa: UP042 - as SageMaker's SDK has it
        HIGH = "High"

    content = {"intended_uses": {"risk_rating": Rating.HIGH}}
    card = act(registry, "ann", lambda tx: cards.create(tx, "churn", content, tags={"rating": Rating.HIGH}))
    assert type(card.risk_rating) is str
    assert card.content_hash == content_hash({"intended_uses": {"risk_rating": "High"}}, {})
    assert content_hash(content, {}) == card.content_hash
    with registry.read() as tx:
        assert cards.version(tx, "churn").content == {"intended_uses": {"risk_rating": "High"}}
    assert breaks(registry) == []


def test_a_card_finds_the_model_that_it_names(registry: Registry) -> None:
    with registry.write("ann") as tx:
        models.declare(tx, "churn")
        models.declare(tx, "other")
        assert cards.create(tx, "one", text()).model == "churn"
        assert cards.create(tx, "two", {}, model="other").model == "other"
        assert cards.set_model(tx, "two", None).model is None
        assert cards.find_by_model(tx, "other") is None
        assert cards.revise(tx, "two", content=text(2), model=None)[0].model is None
        assert cards.revise(tx, "two", content=text(3))[0].model == "churn"
        assert cards.find_by_model(tx, "churn") == cards.get(tx, "two"), "the newest"
        cards.set_status(tx, "two", "Archived")
        assert cards.find_by_model(tx, "churn") == cards.get(tx, "one")
        assert cards.revise(tx, "one", model="other") == (cards.get(tx, "one"), False)
        assert cards.get(tx, "one").model == "other"
    assert refused(registry, "ann", lambda tx: cards.set_model(tx, "two", None)).code == "E-CARD-ARCHIVED"
    assert refused(registry, "ann", lambda tx: cards.set_model(tx, "one", "no")).code == "E-NO-MODEL"
    assert breaks(registry) == []


# --- versions -------------------------------------------------------------------------------------------------------


def test_a_stale_version_conflicts_and_says_who_wrote_the_newer(registry: Registry) -> None:
    make(registry)
    revise(registry, 2, who="bob", expected=1)
    error = refused(registry, "ann", lambda tx: cards.revise(tx, "churn", content=text(3), expected=1))
    assert error.code == "E-CARD-CONFLICT"
    assert "written by bob at 20" in error.message
    assert "version 2" in error.fix
    assert refused(
        registry, "ann", lambda tx: cards.set_status(tx, "churn", "PendingReview", expected_version=1)
    ).code == ("E-CARD-CONFLICT")
    # What was lost on its way and comes twice is no conflict.
    assert revise(registry, 2, who="bob", expected=1).version == 2


def test_extensions_make_a_version_and_provenance_does_not(registry: Registry) -> None:
    make(registry)
    with registry.write("ann") as tx:
        assert not cards.revise(tx, "churn", provenance={"a": {"source": "x"}})[1]
        card, is_new = cards.revise(tx, "churn", extensions={"x": 1}, provenance={"a": {"source": "y"}})
        assert is_new
        assert cards.version(tx, "churn").provenance == {"a": {"source": "y"}}
        assert cards.version(tx, "churn").content == text(1)
        assert not cards.revise(tx, "churn", content=dict(reversed(text(1).items())))[1]
    assert card.version == 2


def test_a_new_text_of_an_approved_card_is_told_as_a_draft(registry: Registry) -> None:
    make(registry)
    approve(registry)
    revise(registry, 2)
    event = told(registry)[-1]
    assert event.short == "card.revised"
    assert (event.data["status"], event.data["previous_status"], event.data["previous_version"]) == (
        "Draft",
        "Approved",
        1,
    )


# --- approval -------------------------------------------------------------------------------------------------------


def test_an_approval_names_the_text_that_was_read(registry: Registry) -> None:
    card = make(registry)
    act(registry, "ann", lambda tx: cards.set_status(tx, "churn", "PendingReview"))
    for named, code in (
        ({}, "E-CARD-HASH"),
        ({"content_hash": "sha256:" + "0" * 64}, "E-CARD-HASH"),
        ({"content_hash": "x"}, "E-DIGEST"),
        ({"content_hash": card.content_hash, "expected_version": 2}, "E-CARD-CONFLICT"),
    ):
        error = refused(registry, "bob", lambda tx, g=named: cards.set_status(tx, "churn", "Approved", **g))
        assert error.code == code
    # Edited after it was read: the hash is of the text before.
    revise(registry, 2)
    act(registry, "ann", lambda tx: cards.set_status(tx, "churn", "PendingReview"))
    stale = refused(
        registry, "bob", lambda tx: cards.set_status(tx, "churn", "Approved", content_hash=card.content_hash)
    )
    assert stale.code == "E-CARD-HASH"


def test_nobody_approves_what_they_wrote_since_the_last_approval(registry: Registry) -> None:
    make(registry, who="ann")
    revise(registry, 2, who="bob")
    for who in ("ann", "Bob"):
        error = refused(registry, who, lambda tx: approve_in(tx))
        assert error.code == "E-CARD-OWN-TEXT"
    approve(registry, who="cay")
    revise(registry, 3, who="bob")
    assert approve(registry, who="ann").approved_version == 3, "what ann wrote was approved before"


def approve_in(tx: Any) -> None:
    card = cards.get(tx, "churn")
    cards.set_status(tx, "churn", "PendingReview")
    cards.set_status(tx, "churn", "Approved", content_hash=card.content_hash)


def test_another_review_takes_the_approval_back_until_it_is_done(registry: Registry) -> None:
    make(registry)
    approve(registry)
    revise(registry, 2)
    approve(registry)
    card = act(registry, "eve", lambda tx: cards.set_status(tx, "churn", "PendingReview"))
    assert (card.status, card.approved_version) == ("PendingReview", 1)
    card = act(registry, "eve", lambda tx: cards.set_status(tx, "churn", "Draft"), "numbers are old")
    assert card.status == "Draft"
    assert approve(registry, who="eve").approved_version == 2
    with registry.read() as tx:
        assert cards.version(tx, "churn").approved_by == "eve"
    assert breaks(registry) == []


def test_archiving_keeps_who_approved(registry: Registry) -> None:
    make(registry)
    approve(registry)
    card = act(registry, "ann", lambda tx: cards.set_status(tx, "churn", "Archived"))
    assert (card.status, card.approved_version) == ("Archived", 1)
    with registry.read() as tx:
        assert cards.version(tx, "churn", "approved").approved_by == "bob"


def test_rules_of_the_workspace(registry: Registry) -> None:
    with registry.write("root") as tx:
        assert cards.rules(tx) == cards.Rules()
        cards.set_rules(tx, allow_direct_approval=True, reviewers=["eve"])
    card = make(registry)

    def direct(tx: Any) -> Any:
        return cards.set_status(tx, "churn", "Approved", content_hash=card.content_hash)

    assert refused(registry, "bob", direct).code == "E-CARD-REVIEWER"
    assert act(registry, "eve", direct).status == "Approved"
    assert act(registry, "root", lambda tx: cards.set_rules(tx, reviewers=[])) == cards.Rules(True)
    assert refused(registry, "root", lambda tx: cards.set_rules(tx, reviewers=[1])).code == "E-CARD-RULES"


def test_the_same_status_again_changes_nothing(registry: Registry) -> None:
    make(registry)
    card = approve(registry)
    seen = len(told(registry))
    again = act(
        registry, "bob", lambda tx: cards.set_status(tx, "churn", "Approved", content_hash=card.content_hash)
    )
    assert again == card
    assert len(told(registry)) == seen


# --- beside the text ------------------------------------------------------------------------------------------------


def test_tags_and_policy_survive_new_versions_and_are_recorded(registry: Registry) -> None:
    make(registry, tags={"team": "a"})
    with registry.write("bob", "reorganised") as tx:
        cards.set_tags(tx, "churn", {"team": "b"})
        cards.set_tags(tx, "churn", {"team": "b"})
        cards.set_policy(tx, "churn", {"evaluations": "draft"})
        cards.set_policy(tx, "churn", {"evaluations": "draft", "every": "P1D"})
    card = revise(registry, 2)
    assert (card.tags, card.policy["evaluations"]) == ({"team": "b"}, "draft")
    with registry.read() as tx:
        assert [r.kind for r in cards.records(tx, "churn")] == ["created", "tagged", "policy", "revised"]
    act(registry, "ann", lambda tx: cards.set_status(tx, "churn", "Archived"))
    assert refused(registry, "ann", lambda tx: cards.set_policy(tx, "churn", {})).code == "E-CARD-ARCHIVED"
    act(registry, "ann", lambda tx: cards.set_tags(tx, "churn", {}))
    assert breaks(registry) == []


# --- deletion -------------------------------------------------------------------------------------------------------


def test_a_deleted_card_leaves_its_chain_and_nothing_of_what_it_said(registry: Registry) -> None:
    make(registry)
    with registry.write("ann", "a mistake") as tx:
        left = cards.delete(tx, "churn")
        assert cards.find(tx, "churn") is None
        assert cards.list_cards(tx) == []
        assert cards.deleted_cards(tx) == [left]
        assert tx.all(card_versions.select()) == []
        assert [r.kind for r in cards.records(tx, "churn")] == ["created", "deleted"]
        assert cards.verify_document(cards.chain_document(tx, "churn")) == []
    assert (left.tags, left.owner, left.risk_rating) == ({}, None, None)
    error = refused(registry, "ann", lambda tx: cards.get(tx, "churn"))
    assert "deleted at 20" in error.message
    assert "by ann" in error.message
    # The name is free again, and both are told apart.
    make(registry, n=7)
    with registry.read() as tx:
        assert [r.kind for r in cards.records(tx, "churn")] == ["created"]
    assert breaks(registry) == []
    assert breaks(registry, "churn") == []


# --- audit and events -----------------------------------------------------------------------------------------------


def test_events_have_sagemakers_shape_and_never_the_text(registry: Registry) -> None:
    act(registry, "ann", lambda tx: cards.create(tx, "churn", text(1, model_id="m-1")), "new")
    approve(registry)
    with registry.write("ann") as tx:
        cards.delete(tx, "churn", force=True)
    events = told(registry)
    assert [e.short for e in events] == [
        "card.created",
        "card.status_changed",
        "card.status_changed",
        "card.deleted",
    ]
    event = events[2]
    card_hash = content_hash(text(1, model_id="m-1"), {})
    flat = {k: v for k, v in event.data.items() if k not in ("detail", "audit")}
    assert flat == {
        "card": "churn",
        "version": 1,
        "status": "Approved",
        "previous_status": "PendingReview",
        "content_hash": card_hash,
        "model": None,
        "model_id": "m-1",
        "risk_rating": "High",
        "who": "bob",
        "reason": "looks right",
    }
    detail = dict(event.data["detail"])
    for key in ("CreationTime", "LastModifiedTime"):
        assert detail.pop(key).endswith("Z")
    assert detail == {
        "ModelCardName": "churn",
        "ModelCardVersion": 1,
        "ModelCardStatus": "Approved",
        "ModelId": "m-1",
        "AccountId": "000000000000",
        "CreatedBy": {"UserProfileName": "ann"},
        "LastModifiedBy": {"UserProfileName": "bob"},
        "SecurityConfig": {},
        "PreviousStatus": "PendingReview",
        "Reason": "looks right",
        "ContentHash": card_hash,
    }
    with registry.read() as tx:
        spelled = json.dumps([[e.data for e in events], [entry.change for entry in audit.entries(tx)]])
        records = cards.records(tx, "churn")
        links = [entry.change["after"]["hash"] for entry in audit.entries(tx, subject="cards/churn")]
    assert "text 1" not in spelled
    assert "purpose_of_model" not in spelled
    assert links == [record.hash for record in records]
    assert events[-1].data["model_id"] == "m-1"


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        WORDS, WORDS | st.floats(allow_nan=False, allow_infinity=False) | st.lists(WORDS), max_size=5
    ),
    WORDS,
)
def test_any_text_comes_back_as_it_was(registry: Registry, said: dict[str, Any], reason: str) -> None:
    def there_and_back(tx: Any) -> None:
        cards.create(tx, "any", {"x": said}, extensions=said)
        found = cards.version(tx, "any")
        assert found.content == {"x": said}
        assert list(found.content["x"]) == list(said)
        assert found.extensions == said
        assert cards.verify(tx, "any") == []
        cards.delete(tx, "any")

    act(registry, "ann", there_and_back, reason)
    assert breaks(registry) == []


# --- laws -----------------------------------------------------------------------------------------------------------


def test_whatever_is_done_the_chain_is_whole_and_nobody_approved_their_own_text(registry: Registry) -> None:
    rng = random.Random(5)
    people = ("ann", "bob", "cay")
    codes: set[str] = set()

    def step(tx: Any, n: int) -> None:
        name = rng.choice(("one", "two", "three"))
        card = cards.find(tx, name)
        if card is None:
            cards.create(tx, name, text(n), tags={"n": str(n)}, status=rng.choice(("Draft", "PendingReview")))
            return
        what = rng.choice(["revise"] * 3 + ["status"] * 6 + ["tags", "policy", "export", "delete"])
        if what == "revise":
            cards.revise(
                tx,
                name,
                content=text(rng.randint(1, 9)),
                expected=max(1, card.version - rng.randint(0, 3) // 3),
            )
        elif what == "status":
            # An end comes seldom, so that there is much of a life.
            wanted = rng.choice(["Draft", "PendingReview", "Approved"] * 4 + ["Archived"])
            cards.set_status(tx, name, wanted, content_hash=card.content_hash)
        elif what == "tags":
            cards.set_tags(tx, name, {"n": str(n)})
        elif what == "policy":
            cards.set_policy(tx, name, {"evaluations": rng.choice(("off", "draft"))})
        elif what == "export":
            job = cards.start_export(tx, name, f"job-{n}", output="out", version=rng.randint(1, card.version))
            cards.finish_export(tx, job.arn, artifact="f", digest=card.content_hash)
        else:
            cards.delete(tx, name, force=rng.random() < 0.3)

    for n in range(220):
        try:
            with registry.write(rng.choice(people), "because") as tx:
                step(tx, n)
        except DriftlineError as error:
            codes.add(error.code)
    assert breaks(registry) == []
    assert {"E-CARD-OWN-TEXT", "E-CARD-STEP", "E-CARD-ARCHIVED", "E-CARD-KEPT", "E-CARD-CONFLICT"} <= codes
    with registry.read() as tx:
        for card in cards.list_cards(tx):
            said = cards.versions(tx, card.name)
            assert [one.version for one in said] == list(range(1, card.version + 1))
            for one in said:
                assert content_hash(one.content, one.extensions) == one.content_hash
                assert one.approved_by != one.author


def _approval(registry: Registry, name: str, who: str) -> str | None:
    """Let somebody approve the newest version; return the error's code, or None."""
    with registry.write(who, "read") as tx:
        try:
            cards.set_status(tx, name, "Approved", content_hash=cards.get(tx, name).content_hash)
        except DriftlineError as error:
            return error.code
    return None


def test_the_text_of_an_original_is_its_authors_in_a_clone_too(registry: Registry) -> None:
    with registry.write("ann") as tx:
        made = cards.create(tx, "one", {"business_details": {"line_of_business": "a"}})
        cards.revise(
            tx, "one", content={"business_details": {"line_of_business": "b"}}, expected=made.version
        )
    with registry.write("bob") as tx:
        source = cards.version(tx, "one")
        origin = {"name": "one", "version": 2, "content_hash": source.content_hash}
        cards.create(tx, "two", dict(source.content), cloned_from=origin)
        cards.set_status(tx, "two", "PendingReview")
    assert _approval(registry, "two", "ann") == "E-CARD-OWN-TEXT"
    assert _approval(registry, "two", "bob") == "E-CARD-OWN-TEXT"
    assert _approval(registry, "two", "eve") is None
    # What was approved as it is belongs to nobody any more.
    with registry.write("bob") as tx:
        cards.create(tx, "three", dict(source.content), cloned_from={**origin, "name": "two", "version": 1})
        cards.set_status(tx, "three", "PendingReview")
    assert _approval(registry, "three", "ann") is None


def test_who_is_disabled_approves_nothing(registry: Registry) -> None:
    with registry.write("root") as tx:
        users.create(tx, "eve", roles=["risk"])
        users.disable(tx, "eve")
    with registry.write("ann") as tx:
        cards.create(tx, "one", {})
        cards.set_status(tx, "one", "PendingReview")
    assert _approval(registry, "one", "eve") == "E-CARD-REVIEWER"
    with registry.write("root") as tx:
        users.enable(tx, "eve")
    assert _approval(registry, "one", "eve") is None
