"""Reading: every key becomes a value, what is left out has its default, and a path or bytes are the same."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from driftline.configuration import (
    SECTIONS,
    AlertSpec,
    BaselineSpec,
    Configuration,
    ConfigurationError,
    EndpointSpec,
    HeartbeatSpec,
    ModelSpec,
    MonitorSpec,
    SchedulerSpec,
    TargetSpec,
    TrainedSpec,
    VariantSpec,
    VersionSpec,
    WorkspaceSpec,
    read_configuration,
    read_workspace,
    to_toml,
)
from driftline.monitor.expression import default_expression
from driftline.monitor.overrides import read_overrides

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def read(everything: str) -> Configuration:
    """What the file with every key says."""
    return read_configuration(everything.encode())


def test_the_workspace(read: Configuration) -> None:
    assert read.workspace == WorkspaceSpec("s3://bucket/captures", "postgresql://db.internal/driftline")


@pytest.mark.parametrize("key", ["database_env", "database_file"])
def test_a_database_whose_url_is_elsewhere_is_no_sqlite(key: str) -> None:
    read = read_configuration(f'[workspace]\n{key} = "DRIFT"\n'.encode())
    assert read.workspace == WorkspaceSpec(database="postgresql", **{key: "DRIFT"})
    assert read_configuration(to_toml(read).encode()) == read


def test_the_workspace_is_read_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "driftline.toml"
    path.write_text('[workspace]\ncaptures = "here"\n[monitors.m]\nendpoint = "only-in-the-registry"\n')
    assert read_workspace(path) == WorkspaceSpec("here")
    path.write_text("")
    assert read_workspace(path) == WorkspaceSpec()
    path.write_text("[workspace]\ncaptures = 3\n")
    with pytest.raises(ConfigurationError, match=r"driftline.toml:2: workspace.captures: expected text"):
        read_workspace(path)


def test_the_sections_of_a_file_are_told(read: Configuration) -> None:
    assert read.sections == set(SECTIONS)
    assert read_configuration(b"[targets]\n").sections == {"targets"}
    assert read_configuration(b"[targets]\n") == Configuration()


def test_a_model(read: Configuration) -> None:
    assert read.models == {
        "churn": ModelSpec(
            name="churn",
            owner="growth",
            description="Who leaves within a month",
            risk_rating="high",
            tags={"team": "growth"},
            versions=(
                VersionSpec("2"),
                VersionSpec(
                    version="3",
                    artifact="models/churn-3.bin",
                    artifact_digest="sha256:" + "0123456789abcdef" * 4,
                    created=datetime(2026, 11, 1, 8, tzinfo=UTC),
                    description="with the new tariffs",
                    tags={"trained by": "nightly"},
                    trained=TrainedSpec(
                        data=("train.csv", "s3://bucket/more/*.parquet"),
                        job="train-churn-42",
                        code="https://git.example.com/churn/commit/1f2e3d",
                        image="registry.example.com/churn:3",
                        parameters={"max_depth": 5, "eta": 0.2, "booster": "gbtree", "gpu": False},
                        metrics={"auc": 0.91, "n_trees": 300.0},
                    ),
                ),
            ),
        )
    }


def test_endpoints_and_batch_jobs(read: Configuration) -> None:
    assert read.endpoints == {
        "churn-prod": EndpointSpec(
            name="churn-prod",
            kind="endpoint",
            variants=(VariantSpec("blue", "churn", "2", 9.0), VariantSpec("green", "churn", "3", 1.0)),
            captures="elsewhere/captures",
            description="The website asks this one",
            tags={"stage": "prod"},
        ),
        "churn-nightly": EndpointSpec(
            "churn-nightly", "batch", variants=(VariantSpec("AllTraffic", "churn", "3"),)
        ),
    }


def test_baselines(read: Configuration) -> None:
    assert read.baselines == {
        "churn": BaselineSpec(
            name="churn",
            data=("train.csv",),
            model="churn",
            by="State",
            preprocessor="rows.py",
            format="csv",
            header=True,
            unique=True,
        ),
        "old": BaselineSpec("old", folder="from-sagemaker/"),
        "like-sagemaker": BaselineSpec("like-sagemaker", data=("a.csv", "b.csv"), compat="sagemaker"),
    }


def test_a_monitor(read: Configuration) -> None:
    assert read.monitors["churn-quality"] == MonitorSpec(
        name="churn-quality",
        endpoint="churn-prod",
        baseline="churn",
        schedule="30 6 * * 1-5",
        kind="data-quality",
        timezone="Europe/Rome",
        start_offset=-timedelta(hours=25),
        end_offset=-timedelta(hours=1),
        delay=timedelta(minutes=30),
        jitter=timedelta(minutes=2),
        catch_up="latest",
        variant="green",
        inputs="labelled",
        by="State",
        preprocessor="rows.py",
        enabled=False,
        emit_metrics=False,
        revise=True,
        revise_for=timedelta(days=14),
        max_runtime=timedelta(minutes=30),
        alert_after_failures=2,
        alert_on_no_data=4,
        quarantine_after=20,
        description="Before people come to work",
        tags={"team": "growth"},
        overrides={
            "alpha": 0.001,
            "checks": {"ks": {"bound": 0.15}},
            "columns": {"Day.Mins": {"checks": {"ks": {"bound": 0.3}}}},
        },
        alerts=(
            AlertSpec("soon"),
            AlertSpec("sure", 2, 3, True, "critical", 2, False),
        ),
    )


def test_overrides_are_what_check_takes(read: Configuration) -> None:
    found = read_overrides(read.monitors["churn-quality"].overrides)
    assert found.alpha == 0.001
    assert found.checks["ks"].bound == 0.15
    assert found.for_column("Day.Mins").checks["ks"].bound == 0.3


def test_targets(read: Configuration) -> None:
    assert list(read.targets.values()) == [
        TargetSpec(
            name="ops",
            kind="webhook",
            url="https://hooks.example.com/driftline",
            secret_env="OPS_SECRET",
            events=("alert.*", "execution.failed"),
            severity="critical",
            models=("churn",),
            endpoints=("churn-*", "churn-prod"),
            allow_private=True,
            enabled=False,
        ),
        TargetSpec("pager", "apprise", url_file="pager-address"),
        TargetSpec(
            name="alertmanager",
            kind="alertmanager",
            url="http://alertmanager.internal:9093",
            secret_env="ALERTMANAGER_TOKEN",
            allow_http=True,
        ),
        TargetSpec("journal", "log"),
        TargetSpec("signed", "webhook", url_env="HOOK", secret_file="/run/secrets/hook"),
    ]


def test_targets_are_such_as_notifications_take(read: Configuration) -> None:
    from dataclasses import fields

    from driftline.monitor.notify.targets import Target

    for spec in read.targets.values():
        taken = Target(**{one.name: getattr(spec, one.name) for one in fields(Target)})
        assert (taken.name, taken.kind) == (spec.name, spec.kind)


def test_schedules_are_such_as_the_scheduler_takes(read: Configuration) -> None:
    from driftline.monitor.schedule import CatchUp, Offsets, duration_us

    for spec in read.monitors.values():
        plain = spec.canonical()
        CatchUp.parse(plain["catch_up"])
        for key in ("delay", "jitter", "revise_for", "max_runtime"):
            assert duration_us(plain[key]) == getattr(spec, key) / timedelta(microseconds=1)
    told = read.monitors["churn-quality"].canonical()
    offsets = Offsets.parse(told["start_offset"], told["end_offset"])
    assert (offsets.start, offsets.end) == (-25 * 3_600_000_000, -3_600_000_000)


def test_the_scheduler(read: Configuration) -> None:
    assert read.scheduler == SchedulerSpec(
        poll=timedelta(seconds=10),
        lease=timedelta(minutes=2),
        workers=4,
        stale_after=3,
        heartbeat=HeartbeatSpec(url_env="HEARTBEAT", every=timedelta(minutes=1)),
    )


def test_an_empty_file_declares_nothing() -> None:
    assert read_configuration(b"") == read_configuration(b"# nothing\r\n") == Configuration()


def test_a_small_monitor_has_all_defaults() -> None:
    read = read_configuration(
        b'[[models.m.versions]]\nversion = "1"\n[endpoints.e]\nmodel = "m"\n'
        b'[baselines.b]\nfolder = "b/"\n[monitors.q]\nendpoint = "e"\nbaseline = "b"\n'
    )
    assert read.endpoints["e"].variants == (VariantSpec("AllTraffic", "m", "1", 1.0),)
    assert read.monitors["q"] == MonitorSpec("q", "e", "b", default_expression("q").text)
    assert read.monitors["q"].alerts == (AlertSpec("default", 1, 1, False, "warning", 0, True),)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("cron(0 * ? * * *)", "cron(0 * ? * * *)"),
        ("cron(0  17/12 ?  * * *)", "cron(0 17/12 ? * * *)"),
        ("  0 6 * * 1-5 ", "0 6 * * 1-5"),
        ("@daily", "@daily"),
        ("now", "NOW"),
    ],
)
def test_schedules_are_tidied(written: str, read: str) -> None:
    known = {"endpoints": ["e"], "baselines": ["b"]}
    text = f'[monitors.q]\nendpoint = "e"\nbaseline = "b"\nschedule = "{written}"\nstart_offset = "-1h"\n'
    text += 'end_offset = "PT0S"\n'
    assert read_configuration(text.encode(), known=known).monitors["q"].schedule == read


def test_an_evaluation_period_is_what_is_needed_to_alert() -> None:
    known = {"endpoints": ["e"], "baselines": ["b"]}
    text = b'[monitors.q]\nendpoint = "e"\nbaseline = "b"\nalert.datapoints_to_alert = 3\n'
    (alert,) = read_configuration(text, known=known).monitors["q"].alerts
    assert (alert.datapoints_to_alert, alert.evaluation_period) == (3, 3)


@pytest.mark.parametrize(
    "created", ["2026-11-01T08:00:00Z", '"2026-11-01T08:00:00Z"', '"2026-11-01T10:00:00+02:00"']
)
def test_times_are_utc_however_they_are_written(created: str) -> None:
    text = f'[[models.m.versions]]\nversion = "1"\ncreated = {created}\n'
    (version,) = read_configuration(text.encode()).models["m"].versions
    assert version.created == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert version.canonical()["created"] == "2026-11-01T08:00:00Z"


def test_a_date_is_its_midnight() -> None:
    text = b'[[models.m.versions]]\nversion = "1"\ncreated = 2026-11-01\n'
    (version,) = read_configuration(text).models["m"].versions
    assert version.created == datetime(2026, 11, 1, tzinfo=UTC)


def test_a_path_and_its_bytes_are_read_alike(everything: str, tmp_path: Path) -> None:
    path = tmp_path / "driftline.toml"
    path.write_bytes(b"\xef\xbb\xbf" + everything.replace("\n", "\r\n").encode())
    read = read_configuration(path)
    assert read == read_configuration(str(path)) == read_configuration(everything.encode())
    assert read.file == str(path)
    assert read_configuration(b"").file is None


def test_paths_start_at_the_folder_of_the_file() -> None:
    read = read_configuration(b"", "team/driftline.toml")
    assert read.place("data/*.csv") == "team/data/*.csv"
    assert read.place("/data/a.csv") == "/data/a.csv"
    assert read.place("s3://bucket/a.csv") == "s3://bucket/a.csv"
    assert read_configuration(b"").place("a.csv") == "a.csv"
    assert read_configuration(b"", "driftline.toml").place("a/") == "a/"


@pytest.mark.parametrize(
    "place", ["a.csv", "./a.csv", "a/../b.csv", "..a/b", "/data/../a.csv", "s3://b/../a", "é ü.csv"]
)
def test_places_that_are_taken(place: str) -> None:
    read = read_configuration(f'[baselines.b]\ndata = "{place}"'.encode())
    assert read.baselines["b"].data == (place,)


def test_the_canonical_form_does_not_depend_on_the_spelling() -> None:
    known = {"endpoints": ["e"], "baselines": ["b"]}
    one = b'[monitors.q]\nendpoint = "e"\nbaseline = "b"\ndelay = "PT60M"\ncatch_up = "all"\nschedule = "@hourly"\n'
    two = b'monitors.q = { schedule = "@hourly", baseline = "b", endpoint = "e", delay = "1h" }\n'
    first, second = (read_configuration(text, known=known) for text in (one, two))
    assert first == second
    assert first.digest == second.digest
    assert first.monitors["q"].canonical()["delay"] == "PT1H"


def test_the_canonical_form_is_json_with_sorted_keys(everything: str) -> None:
    from driftline.documents import decode, encode

    plain = read_configuration(everything.encode(), "driftline.toml").canonical()
    assert decode(encode(plain)) == plain
    assert sorted(plain) == list(plain)
    assert "file" not in plain
    assert list(plain["monitors"]["nightly"]) == sorted(plain["monitors"]["nightly"])


def test_a_digest_changes_with_what_is_declared(everything: str) -> None:
    before = read_configuration(everything.encode())
    after = read_configuration(everything.replace("bound = 0.15", "bound = 0.16").encode())
    assert before.monitors["nightly"].digest == after.monitors["nightly"].digest
    assert before.monitors["churn-quality"].digest != after.monitors["churn-quality"].digest
    assert before.digest != after.digest
    assert before.digest.startswith("sha256:")


def test_reading_loads_neither_a_compiler_nor_tables() -> None:
    code = (
        "import sys\n"
        "from driftline.configuration import TEMPLATE, read_configuration\n"
        "read_configuration(TEMPLATE.encode())\n"
        "known = {'endpoints': ['e'], 'baselines': ['b']}\n"
        'text = b\'[monitors.q]\\nendpoint = "e"\\nbaseline = "b"\\nalpha = 0.1\\n\'\n'
        "read_configuration(text, known=known)\n"
        "heavy = {'numba', 'pandas', 'pyarrow', 'numpy', 'duckdb', 'scipy', 'sqlalchemy'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
