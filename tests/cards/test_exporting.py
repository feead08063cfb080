"""Exports: a file where it was asked for, a job in the registry, and no half of either."""

from __future__ import annotations

import json
import logging
import re
import warnings
from typing import TYPE_CHECKING

import pytest

import driftline.cards.exporting as exporting
from driftline.capture.target import target_of
from driftline.cards import ModelCard, ModelCardExportJob
from driftline.errors import DriftlineError, UsageError
from driftline.files import digest
from driftline.registry import cards

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from driftline.cards.session import Session


@pytest.fixture
def card(ann: Session) -> ModelCard:
    made = ModelCard("churn-card", intended_uses={"risk_rating": "Low"}, sagemaker_session=ann)
    made.create()
    return made


def jobs(card: ModelCard) -> list[cards.Export]:
    return card.session.read(lambda tx: cards.exports(tx, card.name))


def test_a_pdf_lies_where_sagemaker_would_put_it(card: ModelCard, tmp_path: Path) -> None:
    place = card.export_pdf(str(tmp_path), "job")
    assert place == f"{tmp_path}/churn-card/job.pdf"
    data = (tmp_path / "churn-card" / "job.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    (job,) = jobs(card)
    assert (job.name, job.status, job.artifact, job.digest, job.version, job.who) == (
        "job",
        "Completed",
        place,
        digest(data),
        1,
        "ann",
    )


def test_the_default_name_fits_and_says_when(card: ModelCard, tmp_path: Path) -> None:
    name = exporting.default_name("x" * 63)
    assert re.fullmatch(r"x{47}-\d{10}-[0-9a-f]{4}", name)
    assert re.fullmatch(r".*/churn-card/churn-card-\d{10}-[0-9a-f]{4}\.json", card.export("json", tmp_path))


@pytest.mark.parametrize("form", ["pdf", "json", "html", "md"])
def test_the_same_version_gives_the_same_bytes(card: ModelCard, tmp_path: Path, form: str) -> None:
    one = card.export(form, tmp_path / f"one.{form}")
    two = card.export(form, tmp_path / f"two.{form}")
    assert one == str(tmp_path / f"one.{form}")
    assert (tmp_path / f"one.{form}").read_bytes() == (tmp_path / f"two.{form}").read_bytes()
    assert two != one
    assert len({job.digest for job in jobs(card)}) == 1


def test_the_newest_version_is_exported(card: ModelCard, tmp_path: Path) -> None:
    card.update(intended_uses={"risk_rating": "High"})
    card.export_pdf(tmp_path, "after-update")
    old = ModelCard.load("churn-card", 1, card.session)
    old.export("json", tmp_path, job_name="old-object")
    old.export("json", tmp_path, job_name="old-version", version=1)
    assert [(job.name, job.version) for job in jobs(card)] == [
        ("after-update", 2),
        ("old-object", 2),
        ("old-version", 1),
    ]


def test_an_archived_card_is_exported(card: ModelCard, tmp_path: Path) -> None:
    card.archive()
    card.export("json", tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text("utf-8"))["version"]["status"] == "Archived"


def test_a_url_of_a_file_is_a_place(card: ModelCard, tmp_path: Path) -> None:
    assert (
        card.export("json", f"file://{tmp_path}/out", job_name="j")
        == f"file://{tmp_path}/out/churn-card/j.json"
    )
    assert (tmp_path / "out" / "churn-card" / "j.json").is_file()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket in a store that speaks S3, on the loopback interface."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import boto3
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        boto3.client("s3").create_bucket(Bucket="bucket")
        yield "s3://bucket"
        server.stop()


def test_an_object_store_is_a_place(card: ModelCard, bucket: str) -> None:
    place = card.export_pdf(f"{bucket}/cards", "job")
    assert place == "s3://bucket/cards/churn-card/job.pdf"
    data = target_of(f"{bucket}/cards").read("churn-card/job.pdf").to_pybytes()
    assert jobs(card)[0].digest == digest(data)


@pytest.mark.parametrize("place", ["https://bucket.example/folder", ""])
def test_a_place_that_cannot_be_written_to_is_refused_before_anything(card: ModelCard, place: str) -> None:
    with pytest.raises(UsageError, match="E-CARD-OUTPUT"):
        card.export_pdf(place)
    assert jobs(card) == []


def test_a_failed_export_is_recorded(card: ModelCard, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DriftlineError) as caught:
        card.export("json", tmp_path / "file", job_name="j")
    (job,) = jobs(card)
    assert (job.status, job.artifact) == ("Failed", None)
    assert job.failure_reason is not None
    assert job.failure_reason.startswith(caught.value.code)


def test_a_fault_of_the_renderer_is_recorded(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError("in the text: risk_rating Low")  # what the card says is told to nobody

    monkeypatch.setattr(exporting, "render", broken)
    with pytest.raises(ZeroDivisionError):
        card.export("json", tmp_path, job_name="j")
    assert (jobs(card)[0].failure_reason, list(tmp_path.glob("*.json"))) == (
        "ZeroDivisionError",
        [],
    )


def test_a_name_is_used_once(card: ModelCard, tmp_path: Path) -> None:
    card.export("json", tmp_path, job_name="j")
    with pytest.raises(DriftlineError, match="E-EXPORT-EXISTS"):
        card.export("json", tmp_path, job_name="j")


def test_a_format_that_is_none_is_refused(card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"E-EXPORT: format: .*pdf, html, md, json"):
        card.export("docx", tmp_path)


def test_an_export_job_as_the_sdk_has_it(card: ModelCard, ann: Session, tmp_path: Path) -> None:
    job = ModelCardExportJob("j", "churn-card", 1, str(tmp_path), sagemaker_session=ann)
    assert job.create() == f"{tmp_path}/churn-card/j.pdf"
    assert (job.status, job.model_card_version, job.failure_reason) == ("Completed", 1, None)
    again = ModelCardExportJob.load(f"{card.arn}/export-job/j", ann)
    assert vars(again) | {"_session": None} == vars(job) | {"_session": None}
    with pytest.raises(FileExistsError):
        again.create()
    with pytest.raises(ValueError, match="there is no export 'arn:nothing'"):
        ModelCardExportJob.load("arn:nothing", ann)
    failing = ModelCardExportJob("k", "churn-card", s3_output_path="", sagemaker_session=ann)
    with pytest.raises(UsageError):
        failing.create()
    assert failing.status == "Failed"


def test_jobs_are_listed(card: ModelCard, tmp_path: Path) -> None:
    for name in ("b", "a", "ab"):
        card.export("json", tmp_path, job_name=name)
    found = card.list_export_jobs(SortBy="Name", ModelCardExportJobNameContains="a")
    assert [one["ModelCardExportJobName"] for one in found["ModelCardExportJobSummaries"]] == ["a", "ab"]
    first = found["ModelCardExportJobSummaries"][0]
    assert set(first) == {
        "ModelCardExportJobName",
        "ModelCardExportJobArn",
        "Status",
        "ModelCardName",
        "ModelCardVersion",
        "CreatedAt",
        "LastModifiedAt",
    }
    newest = card.list_export_jobs(SortOrder="Descending", MaxResults=1, StatusEquals="Completed")
    assert [one["ModelCardExportJobName"] for one in newest["ModelCardExportJobSummaries"]] == ["ab"]
    assert card.list_export_jobs(ModelCardVersion=2) == {"ModelCardExportJobSummaries": []}
    with pytest.raises(TypeError, match="did you mean 'StatusEquals'"):
        card.list_export_jobs(StatusEqual="Completed")
