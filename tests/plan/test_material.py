from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from declared import DECLARED, training

from driftline.errors import DriftlineError, InputError
from driftline.registry.folders import stored_digest

if TYPE_CHECKING:
    from declared import Site

ONLY = '[baselines.churn]\ndata = "train.csv"\n'


def versions(site: Site) -> list[tuple[int, str]]:
    return [(one.version, one.state) for one in site.workspace.baselines.versions("churn")]


def test_the_first_version_counts_at_once(site: Site) -> None:
    site.apply(ONLY)
    (one,) = site.workspace.baselines.versions("churn")
    assert one.state == "current"
    assert one.path.startswith("baselines/churn/v1-")
    assert stored_digest_of(site, one.path) == one.digest
    assert site.workspace.baselines.load("churn").n_rows == 400
    assert one.diff is not None
    assert one.diff["counts"] == {"added": 2, "removed": 0, "changed": 0}


def stored_digest_of(site: Site, path: str) -> str | None:
    from driftline.capture.target import target_of

    return stored_digest(target_of(site.workspace.root), path)


def test_other_data_are_proposed_and_wait(site: Site) -> None:
    site.apply(ONLY)
    (site.folder / "train.csv").write_text(training(seed=2, mean=30))
    plan = site.apply(ONLY)
    assert [(s.action, s.sign) for s in plan.changes] == [("propose", "+")]
    assert "it counts once it is accepted" in str(plan)
    assert any("amount" in str(change) for change in plan.changes[0].changes)
    assert versions(site) == [(1, "current"), (2, "proposed")]
    again = site.apply(ONLY)
    assert not again
    assert "driftline baselines accept churn 2" in str(again)
    assert versions(site) == [(1, "current"), (2, "proposed")]


def test_what_waits_can_be_accepted_by_applying(site: Site) -> None:
    site.apply(ONLY)
    (site.folder / "train.csv").write_text(training(seed=2, mean=30))
    site.apply(ONLY)
    plan = site.apply(ONLY, accept_baselines=True, reason="prices went up")
    assert [s.action for s in plan.changes] == ["accept"]
    assert versions(site) == [(1, "superseded"), (2, "current")]
    assert site.workspace.baselines.get("churn").reason == "prices went up"
    assert not site.plan(ONLY, accept_baselines=True)


def test_proposed_and_accepted_in_one(site: Site) -> None:
    site.apply(ONLY)
    (site.folder / "train.csv").write_text(training(seed=2, mean=30))
    site.apply(ONLY, accept_baselines=True)
    assert versions(site) == [(1, "superseded"), (2, "current")]


def test_what_was_rejected_is_not_proposed_again(site: Site) -> None:
    site.apply(ONLY)
    (site.folder / "train.csv").write_text(training(seed=2, mean=30))
    site.apply(ONLY)
    site.workspace.baselines.reject("churn", 2, reason="test traffic")
    plan = site.apply(ONLY, accept_baselines=True)
    assert not plan
    assert "version 2, made from these data, was rejected" in str(plan)
    # Other data are another matter.
    (site.folder / "train.csv").write_text(training(seed=3, mean=20))
    site.apply(ONLY)
    assert versions(site)[-1] == (3, "proposed")


def test_going_back_to_earlier_data_is_a_change_too(site: Site) -> None:
    site.apply(ONLY)
    (site.folder / "train.csv").write_text(training(seed=2, mean=30))
    site.apply(ONLY, accept_baselines=True)
    (site.folder / "train.csv").write_text(training())
    site.apply(ONLY)
    assert versions(site) == [(1, "superseded"), (2, "current"), (3, "proposed")]


def test_data_that_went_back_while_a_proposal_waits(site: Site) -> None:
    site.apply(ONLY)
    (site.folder / "train.csv").write_text(training(seed=2, mean=30))
    site.apply(ONLY)
    (site.folder / "train.csv").write_text(training())
    plan = site.apply(ONLY, accept_baselines=True)
    assert not plan
    assert "version 2 waits to be accepted or rejected" in str(plan)


@pytest.mark.parametrize("accept", [False, True])
def test_what_people_edited_and_accepted_is_not_undone(site: Site, accept: bool) -> None:
    site.apply(ONLY)
    edited = site.folder / "edited"
    site.workspace.baselines.load("churn").save(edited)
    text = (edited / "constraints.json").read_text()
    assert '"completeness" : 1.0' in text
    (edited / "constraints.json").write_text(text.replace('"completeness" : 1.0', '"completeness" : 0.5', 1))
    made = site.workspace.baselines.propose(
        "churn", edited, accept=True, reason="half of it is missing by right"
    )
    assert made.version == 2
    plan = site.apply(ONLY, accept_baselines=accept)
    assert not plan
    assert "version 2, proposed by hand, is current" in str(plan)
    (site.folder / "train.csv").write_text(training(seed=2, mean=30))
    site.apply(ONLY)
    assert versions(site)[-1] == (3, "proposed")


@pytest.mark.parametrize("more", ['by = "kind"\n', 'compat = "sagemaker"\n'])
def test_other_options_make_another_baseline(local: Site, more: str) -> None:
    local.apply(ONLY)
    local.apply(ONLY + more)
    assert versions(local) == [(1, "current"), (2, "proposed")]
    assert not local.plan(ONLY + more)


@pytest.mark.parametrize("more", ["unique = true\n", "header = true\n", 'format = "csv"\n'])
def test_what_gives_the_same_files_makes_no_version(site: Site, more: str) -> None:
    site.apply(ONLY)
    plan = site.apply(ONLY + more)
    assert [(s.action, s.kind) for s in plan.changes] == [("change", "baseline")]
    assert versions(site) == [(1, "current")]
    assert not site.plan(ONLY + more)


def halving(by: int) -> str:
    return (
        "def preprocess_handler(record):\n"
        "    amount, kind = record.split(',')\n"
        f"    return {{'amount': float(amount) / {by}, 'kind': kind}}\n"
    )


def test_another_preprocessor_makes_another_baseline(local: Site) -> None:
    (local.folder / "pre.py").write_text(halving(1))
    text = ONLY + 'preprocessor = "pre.py"\n'
    local.apply(text)
    assert not local.plan(text)
    (local.folder / "pre.py").write_text(halving(2))
    local.apply(text)
    assert versions(local) == [(1, "current"), (2, "proposed")]
    assert not local.plan(text)


def test_a_folder_is_copied(site: Site) -> None:
    import driftline

    driftline.baseline(site.folder / "train.csv").save(site.folder / "given")
    text = '[baselines.churn]\nfolder = "given"\n'
    site.apply(text)
    assert not site.plan(text)
    kept = site.workspace.baselines.get("churn")
    for name in ("given/baseline.json", "given/constraints.json"):
        (site.folder / name).unlink()
    assert site.workspace.baselines.load("churn").n_rows == 400
    assert stored_digest_of(site, kept.path) == kept.digest


def test_sagemaker_s_own_files_are_copied(local: Site) -> None:
    import driftline

    made = driftline.baseline(local.folder / "train.csv", compat="sagemaker")
    folder = local.folder / "given"
    folder.mkdir()
    for name in ("constraints.json", "statistics.json"):
        (folder / name).write_bytes(made.files()[name])
    text = '[baselines.churn]\nfolder = "given"\n'
    local.apply(text)
    assert local.workspace.baselines.load("churn").names == ("amount", "kind")
    assert not local.plan(text)


def test_the_model_alone_makes_no_version(site: Site) -> None:
    site.apply(ONLY + "[models.churn]\n")
    plan = site.apply(ONLY + 'model = "churn"\n[models.churn]\n')
    assert [(s.action, s.kind) for s in plan.changes] == [("change", "baseline")]
    assert [str(c) for c in plan.changes[0].changes] == ["model: churn"]
    assert versions(site) == [(1, "current")]
    assert site.workspace.baselines.get("churn").model == "churn"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('[baselines.b]\ndata = "none.csv"\n', "E-FILE", "none.csv: does not exist"),
        ('[baselines.b]\nfolder = "none"\n', "E-BASELINE", "does not exist"),
        (
            '[models.m]\nversions = [{ version = "1", artifact = "none.bin" }]\n',
            "E-FILE",
            "versions[0].artifact",
        ),
        (
            DECLARED.replace('schedule = "', 'preprocessor = "none.py"\nschedule = "'),
            "E-FILE",
            "preprocessor",
        ),
    ],
)
def test_files_that_are_not_there_are_named(local: Site, text: str, code: str, words: str) -> None:
    with pytest.raises(DriftlineError) as caught:
        local.plan(text)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert local.written() == 0


# --- artifacts


def test_an_artifact_that_is_not_what_was_declared(local: Site) -> None:
    text = f'[models.m]\nversions = [{{ version = "1", artifact = "churn.bin", digest = "sha256:{"0" * 64}" }}]\n'
    with pytest.raises(InputError, match="is not the file that is declared") as caught:
        local.plan(text)
    assert caught.value.code == "E-DIGEST"


def test_an_artifact_with_a_digest_need_not_be_here(local: Site) -> None:
    digest = f"sha256:{'0' * 64}"
    local.apply(f'[models.m]\nversions = [{{ version = "1", artifact = "far.bin", digest = "{digest}" }}]\n')
    (artifact,) = local.workspace.models.version("m", "1").artifacts
    assert artifact == {"name": "far.bin", "uri": "far.bin", "digest": digest, "size": None}


def test_an_artifact_that_is_known_need_not_be_here(site: Site) -> None:
    site.apply()
    (site.folder / "churn.bin").unlink()
    plan = site.apply()
    assert not plan
    assert "its artifact is not here; what is known of it stays" in str(plan)


def test_a_folder_of_artifacts(local: Site) -> None:
    (local.folder / "model").mkdir()
    (local.folder / "model" / "weights.bin").write_bytes(b"w")
    (local.folder / "model" / "config.json").write_bytes(b"{}")
    text = '[models.m]\nversions = [{ version = "1", artifact = "model" }]\n'
    local.apply(text)
    found = local.workspace.models.version("m", "1").artifacts
    assert [(a["name"], a["uri"]) for a in found] == [
        ("config.json", "model/config.json"),
        ("weights.bin", "model/weights.bin"),
    ]
    assert not local.plan(text)


def test_an_artifact_on_a_store_is_taken_by_its_name(local: Site) -> None:
    text = '[models.m]\nversions = [{ version = "1", artifact = "s3://bucket/m.bin" }]\n'
    local.apply(text)
    (artifact,) = local.workspace.models.version("m", "1").artifacts
    assert (artifact["name"], artifact["uri"], artifact["digest"]) == ("m.bin", "s3://bucket/m.bin", None)


def test_patterns_of_training_data_have_one_digest(local: Site) -> None:
    for number in (1, 2):
        (local.folder / f"part-{number}.csv").write_text(training(seed=number))
    text = '[baselines.b]\ndata = "part-*.csv"\n'
    local.apply(text)
    (one,) = local.workspace.baselines.versions("b")
    (data,) = one.spec["data"]
    assert (data["uri"], data["files"]) == ("part-*.csv", 2)
    assert not local.plan(text)
    (local.folder / "part-3.csv").write_text(training(seed=3))
    assert local.plan(text)


def test_folders_that_nobody_names_do_no_harm(local: Site) -> None:
    overtaken = local.plan(ONLY)
    local.apply(ONLY)
    with pytest.raises(DriftlineError, match="has changed since"):
        overtaken.apply()
    assert versions(local) == [(1, "current")]
    assert local.workspace.baselines.load("churn").n_rows == 400
