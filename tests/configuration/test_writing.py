"""Writing: what is written reads back as the same configuration, and says no more than it must."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from driftline.configuration import (
    AlertSpec,
    BaselineSpec,
    Configuration,
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
    to_toml,
)
from driftline.monitor.expression import default_expression

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_file_with_every_key_reads_back(everything: str) -> None:
    read = read_configuration(everything.encode())
    written = to_toml(read)
    again = read_configuration(written.encode())
    assert again == read
    assert again.digest == read.digest
    assert to_toml(again) == written


def test_what_is_as_it_would_be_anyway_is_left_out() -> None:
    text = (
        '[models.churn]\nrisk_rating = "high"\n\n[[models.churn.versions]]\nversion = "1"\n\n'
        '[endpoints.prod]\nmodel = "churn"\nversion = "1"\n\n[baselines.churn]\ndata = ["train.csv"]\n\n'
        '[monitors.quality]\nendpoint = "prod"\nbaseline = "churn"\nschedule = "@hourly"\ndelay = "PT10M"\n\n'
        "[monitors.quality.alert]\ndatapoints_to_alert = 2\nevaluation_period = 3\n"
    )
    assert to_toml(read_configuration(text.encode())) == text


def test_nothing_is_nothing() -> None:
    assert to_toml(Configuration()) == ""


names = st.from_regex(r"\A[A-Za-z0-9]([-_.]?[A-Za-z0-9]){0,5}\Z")
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(
    str.strip
)
maybe = st.one_of(st.none(), words)
tags = st.dictionaries(
    words, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9), max_size=2
)
seconds = st.integers(1, 86_400).map(lambda n: timedelta(seconds=n))
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001
numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
scalars = st.one_of(words, st.integers(-(2**63) + 1, 2**63 - 1), numbers, st.booleans())
places = st.lists(st.sampled_from(["a.csv", "/b/*.parquet", "s3://c/d"]), min_size=1, max_size=3, unique=True)
trained = st.builds(
    TrainedSpec,
    data=st.one_of(st.just(()), places.map(tuple)),
    job=maybe,
    code=maybe,
    image=maybe,
    parameters=st.dictionaries(words, scalars, max_size=2),
    metrics=st.dictionaries(words, numbers, max_size=2),
)
versions = st.builds(
    VersionSpec,
    version=names,
    artifact=st.sampled_from([None, "m.bin"]),
    created=st.one_of(st.none(), moments),
    description=maybe,
    tags=tags,
    trained=st.one_of(st.none(), trained),
)
alerts = st.builds(
    AlertSpec,
    name=names,
    datapoints_to_alert=st.integers(1, 9),
    evaluation_period=st.integers(9, 100),
    count_failed_runs=st.booleans(),
    min_severity=st.sampled_from(["warning", "critical"]),
    keep_firing=st.integers(0, 3),
    dashboard_indicator=st.booleans(),
)
settings = st.dictionaries(
    st.sampled_from(["ks", "psi"]),
    st.fixed_dictionaries({}, optional={"bound": st.floats(0, 1), "enabled": st.booleans(), "why": words}),
    max_size=2,
)
overrides = st.fixed_dictionaries(
    {},
    optional={
        "alpha": st.floats(0.001, 0.5),
        "checks": settings,
        "columns": st.dictionaries(
            words, st.fixed_dictionaries({}, optional={"checks": settings}), max_size=2
        ),
    },
)


def unlike(key: str) -> Callable[[object], str]:
    """Return what names are told apart by, for lists without two alike."""
    return lambda one: str(getattr(one, key)).casefold()


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Draw a configuration that a file can declare."""
    model = draw(names)
    listed = draw(st.lists(versions, min_size=1, max_size=3, unique_by=unlike("version")))
    variants = draw(
        st.lists(
            st.builds(
                VariantSpec,
                name=names | st.just("AllTraffic"),
                model=st.just(model),
                version=st.sampled_from([one.version for one in listed]),
                weight=st.floats(0.5, 1e6),
            ),
            min_size=1,
            max_size=3,
            unique_by=unlike("name"),
        )
    )
    monitor = MonitorSpec(
        name=draw(names),
        endpoint="e",
        baseline="b",
        schedule=draw(st.sampled_from(["0 6 * * 1-5", "@hourly", default_expression("x").text])),
        start_offset=draw(st.one_of(st.none(), seconds.map(lambda t: -t))),
        delay=draw(seconds),
        catch_up=draw(st.sampled_from(["all", "latest", "skip"])),
        inputs=draw(st.sampled_from(["captured", "labelled"])),
        by=draw(maybe),
        enabled=draw(st.booleans()),
        max_runtime=draw(seconds),
        description=draw(maybe),
        tags=draw(tags),
        overrides=draw(overrides),
        alerts=draw(
            st.one_of(
                st.just((AlertSpec(),)),
                st.lists(alerts, min_size=1, max_size=3, unique_by=unlike("name")).map(tuple),
            )
        ),
    )
    target = TargetSpec(
        draw(names),
        "webhook",
        url_env="HOOK",
        secret_env="KEY",
        events=draw(st.sampled_from([(), ("alert.*", "*")])),
    )
    heartbeat = HeartbeatSpec(url="https://h/x", every=timedelta(seconds=draw(st.integers(10, 900))))
    return Configuration(
        workspace=WorkspaceSpec(captures=draw(st.sampled_from(["captures", "s3://b/c"]))),
        models={model: ModelSpec(model, draw(maybe), draw(maybe), "low", draw(tags), tuple(listed))},
        endpoints={
            "e": EndpointSpec("e", variants=tuple(variants), description=draw(maybe), tags=draw(tags))
        },
        baselines={
            "b": BaselineSpec("b", data=tuple(draw(places)), by=draw(maybe), unique=draw(st.booleans()))
        },
        monitors={monitor.name: monitor},
        targets={target.name: target},
        scheduler=SchedulerSpec(
            workers=draw(st.integers(1, 64)), heartbeat=draw(st.sampled_from([None, heartbeat]))
        ),
    )


@given(configurations())
def test_any_configuration_reads_back(configuration: Configuration) -> None:
    written = to_toml(configuration)
    again = read_configuration(written.encode())
    assert again == configuration
    assert again.canonical() == configuration.canonical()
    assert read_configuration(to_toml(again).encode()) == again
    assert written.replace("\n", "").isprintable()
