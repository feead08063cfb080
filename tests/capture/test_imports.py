from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import driftline as dl
from driftline.capture import imports
from driftline.capture.archive import Archive
from driftline.capture.captures import Captures, stats_of
from driftline.capture.imports import Imported, import_sagemaker, where_of
from driftline.capture.upkeep import check, quarantined, replay
from driftline.capture.window import window
from driftline.errors import PreprocessorError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from driftline.capture.event import Event
    from driftline.capture.source import Place

DATA = Path(__file__).resolve().parents[1] / "data" / "sagemaker"
EVER = (0, 2**52)


def line(
    number: int,
    data: str = "1,2.5,x",
    answer: str | None = "0.5",
    *,
    encoding: str = "CSV",
    kind: str = "text/csv",
    hour: int = 7,
    **about: Any,
) -> str:
    capture: dict[str, Any] = {
        "endpointInput": {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}
    }
    if answer is not None:
        capture["endpointOutput"] = {"observedContentType": "text/csv", "data": answer, "encoding": "CSV"}
    meta = {
        "eventId": f"e{number}",
        "inferenceTime": f"2026-11-23T{hour:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        **about,
    }
    meta = {name: value for name, value in meta.items() if value is not None}
    return json.dumps({"captureData": capture, "eventMetadata": meta, "eventVersion": "0"})


def stored(
    folder: Path, lines: Iterable[str], *, endpoint: str = "churn", hour: int = 7, name: str = "a"
) -> Path:
    path = folder / endpoint / "AllTraffic" / "2026" / "11" / "23" / f"{hour:02}" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(text + "\n" for text in lines))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "captures")


def rows(archive: Archive, endpoint: str = "churn") -> list[dict[str, Any]]:
    return window(archive.target.name, endpoint, *EVER).table().to_pylist()


def told(done: Imported) -> tuple[int, int, int, dict[str, int], dict[str, int]]:
    assert done.balance == 0
    return done.received, done.stored, done.duplicate, dict(done.quarantined), dict(done.dropped)


def balanced(archive: Archive) -> None:
    stats = stats_of(archive)
    assert stats.balance == 0
    assert check(archive) == []


def test_paths_name_endpoint_variant_and_hour() -> None:
    where = where_of("s3://b/x/churn/blue/2026/11/23/07/12-00-001-u.jsonl")
    assert (where.endpoint, where.variant, where.time) == ("churn", "blue", 1_795_417_200_000_000)
    assert where_of("a/2026/13/23/07/x.jsonl") == where_of("x.jsonl") == imports.Where()


def test_every_published_capture(archive: Archive) -> None:
    done = import_sagemaker(archive, DATA / "captured", endpoint="all")
    assert told(done) == (25, 15, 0, {}, {"ground truth": 10})
    assert told(import_sagemaker(archive, DATA / "captured", endpoint="all")) == (25, 0, 25, {}, {})
    assert len(rows(archive, "all")) == 15
    assert any("ground truth" in note for note in done.notes)
    balanced(archive)


@pytest.mark.parametrize(
    "name", ["churn_2020", "churn_2022", "housing_2021", "weather_2021", "bank_marketing_2024_2025"]
)
def test_the_values_are_those_that_the_jsonl_has(archive: Archive, name: str, values: Any) -> None:
    path = DATA / "captured" / f"{name}.jsonl"
    import_sagemaker(archive, path, endpoint="all")
    from driftline.capture.open import open_source

    direct, back = open_source(path), open_source(Path(archive.target.name) / "all")
    assert direct.named is back.named is False
    before, after = values(direct), values(back)
    assert len(before) == len(after)
    for texts, numbers in zip(before.values(), after.values(), strict=True):
        read = [None if text is None else float(text) for text in texts]
        assert sorted(map(repr, read)) == sorted(repr(None if n is None else float(n)) for n in numbers)


def test_the_verdict_is_the_one_on_the_jsonl(tmp_path: Path, archive: Archive) -> None:
    churn = DATA / "churn"
    texts = [
        (churn / name).read_text().splitlines() for name in ("test_sample.csv", "test-dataset-input-cols.csv")
    ]
    traffic = itertools.islice(itertools.chain(texts[0], itertools.cycle(texts[1])), 1977)
    lines = [line(n, text, str(0.01 + n / 3000), hour=n % 3) for n, text in enumerate(traffic)]
    file = stored(tmp_path / "s3", lines)
    assert told(import_sagemaker(archive, tmp_path / "s3")) == (1977, 1977, 0, {}, {})
    baseline = dl.baseline(churn / "training-dataset-with-header.csv")
    outcomes = []
    for data in (file, Path(archive.target.name), Path(archive.target.name) / "churn"):
        report = dl.check(data, baseline)
        assert report.matching == "position"
        outcomes.append(
            [(o.constraint, o.status, o.measurement and o.measurement.value) for o in report.outcomes]
        )
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert sum(status == "violated" for _, status, _ in outcomes[0]) == 61


def test_mixed_encodings_and_several_rows(tmp_path: Path, archive: Archive) -> None:
    text = base64.b64encode(b"1,2\n3,4\n").decode()
    lines = [
        line(1, text, "0.1\n0.2\n", encoding="BASE64"),
        line(2, '{"a": {"b": 5}, "c": "x"}', encoding="JSON", kind="application/json"),
        line(3, '{"instances": [[7, 8], [9, 10]]}', "0.3,0.4", encoding="JSON", kind="application/json"),
        line(4, "5,6", None),
    ]
    stored(tmp_path / "in", lines)
    assert told(import_sagemaker(archive, tmp_path / "in")) == (4, 4, 0, {}, {})
    found = {(row["_event_id"], row["_row"]): row for row in rows(archive)}
    assert [(key, row["_c0"], row["_c1"], row["prediction"], row["_side"]) for key, row in found.items()] == [
        (("e1", 0), 1, 2, 0.1, "both"),
        (("e1", 1), 3, 4, 0.2, "both"),
        (("e2", 0), None, None, 0.5, "both"),
        (("e3", 0), 7, 8, 0.3, "both"),
        (("e3", 1), 9, 10, 0.4, "both"),
        (("e4", 0), 5, 6, None, "input"),
    ]
    assert found["e2", 0]["a.b"] == 5


BAD = {
    "truncated": (line(1)[:100], "E-JSON"),
    "no object": ("17", "E-RECORD"),
    "other": ('{"a": 1}', "E-CAPTURE"),
    "base64": (line(1, "!!!", encoding="BASE64"), "E-CAPTURE"),
    "image": (line(1, "iVBORw==", encoding="BASE64", kind="image/png"), "E-PAYLOAD"),
    "nested list": (line(1, '{"a": [1, 2]}', encoding="JSON", kind="application/json"), "E-NESTED"),
    "ragged": (line(1, "1,2\n3\n"), "E-PAYLOAD"),
    "answers": (line(1, "1\n2\n3\n", "1\n2\n"), "E-PAYLOAD"),
    "no time": (line(1, inferenceTime="soon"), "E-TIME"),
    "constant": (line(1, '{"a": NaN}', encoding="JSON", kind="application/json"), "E-PAYLOAD"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_quarantined(tmp_path: Path, archive: Archive, name: str) -> None:
    bad, code = BAD[name]
    stored(tmp_path / "in", [line(0), bad, line(2)])
    assert told(import_sagemaker(archive, tmp_path / "in")) == (3, 2, 0, {code: 1}, {})
    ((event, found, reason),) = quarantined(archive)
    assert found == code
    assert reason
    assert not reason.startswith(code)
    assert event.endpoint == "churn"
    assert told(import_sagemaker(archive, tmp_path / "in")) == (3, 0, 3, {}, {})
    assert replay(archive) == (0, 1)
    balanced(archive)


def test_a_bad_line_is_kept_as_it_was(tmp_path: Path, archive: Archive) -> None:
    path = stored(tmp_path / "in", [line(0)])
    path.write_bytes(path.read_bytes() + b'{"captureData": "\xff"}\n')
    assert told(import_sagemaker(archive, path)) == (2, 1, 0, {"E-JSON-ENCODING": 1}, {})
    ((event, _, reason),) = quarantined(archive)
    assert event.input is not None
    assert event.input.data == b'{"captureData": "\xff"}'
    assert f"{path}:2" in reason


def test_quarantined_bodies_are_replayed(
    tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path / "in", [line(1, base64.b64encode(b"1,2").decode(), encoding="BASE64", kind="x/odd")])
    assert told(import_sagemaker(archive, tmp_path / "in")) == (1, 0, 0, {"E-PAYLOAD": 1}, {})
    from driftline.capture import seal

    real = seal.rows_of
    monkeypatch.setattr(
        seal,
        "rows_of",
        lambda payload, side: [{0: 1}] if payload.content_type == "x/odd" else real(payload, side),
    )
    assert replay(archive) == (1, 0)
    assert [row["_c0"] for row in rows(archive)] == [1]
    balanced(archive)


def test_duplicate_ids_are_stored_once(tmp_path: Path, archive: Archive) -> None:
    stored(tmp_path / "in", [line(1), line(1), line(2)])
    stored(tmp_path / "in", [line(2), line(3)], name="b")
    assert told(import_sagemaker(archive, tmp_path / "in")) == (5, 3, 2, {}, {})
    balanced(archive)


def test_a_file_that_has_grown(tmp_path: Path, archive: Archive) -> None:
    path = stored(tmp_path / "in", [line(1)])
    import_sagemaker(archive, path)
    path.write_text(path.read_text() + line(2) + "\n")
    assert told(import_sagemaker(archive, path)) == (2, 1, 1, {}, {})


def test_records_without_an_id_are_told_apart_by_their_place(tmp_path: Path, archive: Archive) -> None:
    text = line(1, eventId=None)
    path = stored(tmp_path / "in", [text, text])
    assert told(import_sagemaker(archive, path)) == (2, 2, 0, {}, {})
    path.write_text(path.read_text() + text + "\n")
    assert told(import_sagemaker(archive, path)) == (3, 1, 2, {}, {})


def test_times_that_are_missing(tmp_path: Path, archive: Archive) -> None:
    text = line(1, inferenceTime=None)
    path = tmp_path / "loose.jsonl"
    path.write_text(text + "\n")
    assert told(import_sagemaker(archive, path, endpoint="churn")) == (1, 0, 0, {"E-TIME": 1}, {})
    assert told(import_sagemaker(archive, path, endpoint="churn", time=42)) == (1, 1, 0, {}, {})
    stored(tmp_path / "in", [line(2, inferenceTime=None)], hour=9)
    import_sagemaker(archive, tmp_path / "in")
    assert sorted(row["_time"].hour for row in rows(archive)) == [0, 9]


def test_names_from_paths_and_from_the_caller(tmp_path: Path, archive: Archive) -> None:
    stored(tmp_path / "in", [line(1)], endpoint="one")
    stored(tmp_path / "in", [line(2)], endpoint="two")
    import_sagemaker(archive, tmp_path / "in")
    assert [s.endpoint for s in archive.manifest.segments()] == ["one", "two"]
    import_sagemaker(archive, tmp_path / "in" / "one", endpoint="mine", variant="green")
    assert next((s.endpoint, s.variant) for s in archive.manifest.segments()) == ("mine", "green")


@pytest.mark.parametrize("name", ["-bad", "bad name", "ünicode"])
def test_odd_folders_are_refused(tmp_path: Path, name: str) -> None:
    stored(tmp_path / "in", [line(1)], endpoint=name)
    with pytest.raises(UsageError) as caught:
        import_sagemaker(lambda: Archive(tmp_path / "captures"), tmp_path / "in")
    assert caught.value.code == "E-NAME"
    assert not (tmp_path / "captures").exists()


def test_a_file_without_an_endpoint(tmp_path: Path, archive: Archive) -> None:
    (tmp_path / "x.jsonl").write_text(line(1) + "\n")
    with pytest.raises(UsageError, match="--endpoint") as caught:
        import_sagemaker(archive, tmp_path / "x.jsonl")
    assert caught.value.file == str(tmp_path / "x.jsonl")


def test_nothing_to_import(tmp_path: Path, archive: Archive) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        import_sagemaker(archive, tmp_path / "missing", endpoint="x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError) as caught:
        import_sagemaker(archive, tmp_path / "empty", endpoint="x")
    assert caught.value.code == "E-NO-DATA"


def test_a_damaged_file_does_not_stop_the_others(tmp_path: Path, archive: Archive) -> None:
    path = stored(tmp_path / "in", [line(1)])
    packed = gzip.compress("".join(line(n) + "\n" for n in range(10, 3000)).encode())
    path.with_name("b.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    path.with_name("c.jsonl").write_text('{\n  "captureData": {}\n}\n')
    stored(tmp_path / "in", [line(5)], name="d")
    done = import_sagemaker(archive, tmp_path / "in")
    assert [error.code for error in done.failures] == ["E-GZIP", "E-JSON"]
    # What stands before the fault is stored, up to the last whole line.
    assert 500 < done.stored < 2990
    assert {"e1", "e5", "e10"} <= {row["_event_id"] for row in rows(archive)}
    path.with_name("b.jsonl.gz").write_bytes(packed)
    path.with_name("c.jsonl").unlink()
    again = import_sagemaker(archive, tmp_path / "in")
    assert again.failures == ()
    assert done.stored + again.stored == 2992
    balanced(archive)


def test_compressed_and_listed(tmp_path: Path, archive: Archive) -> None:
    path = stored(tmp_path / "in", [])
    path.unlink()
    path.with_name("a.jsonl.gz").write_bytes(gzip.compress((line(1) + "\n").encode()))
    path.with_name("b.json").write_text(f"[{line(2)}, {line(3)}]")
    assert told(import_sagemaker(archive, [path.with_name("a.jsonl.gz"), path.with_name("b.json")])) == (
        3,
        3,
        0,
        {},
        {},
    )


def test_memory_is_bounded_by_groups(
    tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_PIECE_RECORDS", 10)
    monkeypatch.setattr(imports, "_GROUP_RECORDS", 20)
    most = 0
    real = imports.tables_of

    def watched(events: list[Event], **names: Any) -> Any:
        nonlocal most
        most = max(most, len(events))
        return real(events, **names)

    monkeypatch.setattr(imports, "tables_of", watched)
    stored(tmp_path / "in", [line(n) for n in range(95)])
    assert told(import_sagemaker(archive, tmp_path / "in")) == (95, 95, 0, {}, {})
    assert most == 20
    assert len(archive.manifest.segments()) == 5


_KILLED = """
import os, signal, sys
from driftline.capture import imports
from driftline.capture.archive import Archive
imports._PIECE_RECORDS, imports._GROUP_RECORDS = 10, 20
real, n = Archive.{victim}, 0
def dies(self, *args, **names):
    global n
    n += 1
    if n == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, *args, **names)
Archive.{victim} = dies
imports.import_sagemaker(Archive(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize(
    ("victim", "at"), [("store_pieces", 3), ("written", 2), ("_set_aside", 2), ("publish", 2)]
)
def test_a_killed_import_goes_on(
    tmp_path: Path, victim: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line(n, hour=n // 30) if n % 7 else "torn" for n in range(95)]
    stored(tmp_path / "in", lines)
    captures = tmp_path / "captures"
    done = subprocess.run(
        [sys.executable, "-c", _KILLED.format(victim=victim, at=at), str(captures), str(tmp_path / "in")],
        env=os.environ | {"PYTHONWARNINGS": "error"},
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    monkeypatch.setattr(imports, "_PIECE_RECORDS", 10)
    archive = Archive(captures)
    before = stats_of(archive)
    again = import_sagemaker(archive, tmp_path / "in")
    stats = stats_of(archive)
    assert stats.balance == again.balance == 0
    assert before.stored + again.stored == stats.stored == 81
    assert before.quarantined + sum(again.quarantined.values()) == stats.quarantined == 14
    assert again.duplicate == before.stored + before.quarantined
    assert {row["_event_id"] for row in rows(archive)} == {f"e{n}" for n in range(95) if n % 7}
    assert [fault for fault in check(archive) if fault.is_damage] == []


def doubled(records: Iterator[tuple[Place, Any]]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    for place, record in records:
        first, second = record["captureData"]["endpointInput"]["data"].split(",")
        if first != "0":
            yield place, {"a": int(first), "b": float("nan")}
            yield place, {"a": int(second), "b": 1.0}


def test_a_preprocessor_makes_the_rows(tmp_path: Path, archive: Archive) -> None:
    stored(tmp_path / "in", [line(1, "1,2"), line(2, "0,0"), "torn", line(3, "3,4", None)])
    done = import_sagemaker(archive, tmp_path / "in", preprocessor=doubled, preprocessor_digest="1")
    assert told(done) == (4, 2, 0, {"E-JSON": 1}, {"preprocessor": 1})
    assert [(r["_event_id"], r["_row"], r["_side"], r["a"], r["b"]) for r in rows(archive)] == [
        ("e1", 0, "both", 1, None),
        ("e1", 1, "both", 2, 1.0),
        ("e3", 0, "input", 3, None),
        ("e3", 1, "input", 4, 1.0),
    ]
    assert (
        told(import_sagemaker(archive, tmp_path / "in", preprocessor=doubled, preprocessor_digest="1"))[2]
        == 4
    )
    # Another preprocessor may read what this one could not.
    again = import_sagemaker(archive, tmp_path / "in", preprocessor=doubled, preprocessor_digest="2")
    assert again.duplicate == 2
    balanced(archive)


def test_a_preprocessor_that_fails_stores_nothing_by_half(tmp_path: Path, archive: Archive) -> None:
    def fails(records: Iterator[tuple[Place, Any]]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        yield from doubled(itertools.islice(records, 1))
        raise PreprocessorError("no")

    stored(tmp_path / "in", [line(1, "1,2"), line(2, "1,2")])
    with pytest.raises(PreprocessorError):
        import_sagemaker(archive, tmp_path / "in", preprocessor=fails)
    assert stats_of(archive).received == 0
    balanced(archive)


def test_captures_take_an_import_while_they_are_open(tmp_path: Path) -> None:
    stored(tmp_path / "in", [line(1)])
    with Captures(tmp_path / "captures", seal_in="thread") as captures:
        assert told(import_sagemaker(captures, tmp_path / "in")) == (1, 1, 0, {}, {})
        assert captures.stats().stored == 1


def test_from_a_store_to_a_store(tmp_path: Path, store: Any) -> None:
    for hour in range(3):
        store.put(
            f"dc/churn/AllTraffic/2026/11/23/{hour:02}/x.jsonl",
            "".join(line(n, hour=hour) + "\n" for n in range(hour * 10, hour * 10 + 5)).encode(),
        )
    target = store.url("imported/captures")
    with Captures(target, state=tmp_path / "state", seal_in="thread") as captures:
        assert told(import_sagemaker(captures, store.url("dc"))) == (15, 15, 0, {}, {})
        assert told(import_sagemaker(captures, store.url("dc"))) == (15, 0, 15, {}, {})
        assert check(captures.archive) == []
    assert window(target, "churn", *EVER).table().num_rows == 15
    profile = dl.profile(store.url("imported/captures/churn"))
    assert (profile.n_rows, [c.name for c in profile.columns]) == (15, ["prediction", "_c0", "_c1", "_c2"])


def test_results_can_be_printed() -> None:
    done = Imported(
        files=1, received=3, stored=1, quarantined={"E-B": 1, "E-A": 1}, failures=(SourceError("x"),)
    )
    assert json.loads(done.to_json()) == {
        "files": 1,
        "received": 3,
        "stored": 1,
        "duplicate": 0,
        "quarantined": {"E-A": 1, "E-B": 1},
        "dropped": {},
        "notes": [],
        "failures": ["E-SOURCE: x"],
    }
