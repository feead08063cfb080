from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.capture import batch_rows
from driftline.capture.archive import Archive
from driftline.capture.batch import import_batch
from driftline.capture.batch_rows import in_batches
from driftline.capture.captures import stats_of
from driftline.capture.open import open_source
from driftline.capture.upkeep import check, expire
from driftline.capture.window import window
from driftline.errors import InputError, SchemaError, SourceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from driftline.capture.imports import Imported

EVER = (0, 2**52)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "captures")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two CSV inputs, their outputs beside them, with the columns that GenerateInferenceId adds."""
    folder = tmp_path / "job"
    folder.mkdir()
    for part in range(2):
        (folder / f"p{part}.csv").write_text(
            "".join(f"{10 * part + n},{n / 2},x{n % 3}\n" for n in range(10))
        )
        (folder / f"p{part}.csv.out").write_text(
            "".join(f"{n / 10},{uuid.UUID(int=100 * part + n)},2026-11-23T07:30:00Z\n" for n in range(10))
        )
    return folder


def rows(archive: Archive, job: str = "job") -> list[dict[str, Any]]:
    return window(archive.target.name, job, *EVER).table().to_pylist()


def told(done: Imported) -> tuple[int, int, int]:
    assert done.balance == 0
    assert not done.quarantined
    assert not done.dropped
    return done.received, done.stored, done.duplicate


def balanced(archive: Archive) -> None:
    assert stats_of(archive).balance == 0
    assert check(archive) == []


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def jsonl(path: Path, found: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def test_outputs_beside_the_inputs(archive: Archive, files: Path) -> None:
    assert told(import_batch(archive, files, job="job")) == (20, 20, 0)
    found = rows(archive)
    first = next(row for row in found if row["_c0"] == 13)
    assert (first["_c1"], first["_c2"], first["prediction"], first["_side"]) == (1.5, "x0", 0.3, "both")
    assert first["_inference_id"] == str(uuid.UUID(int=103))
    assert str(first["_time"]) == "2026-11-23 07:30:00+00:00"
    assert len({row["_event_id"] for row in found}) == 20
    assert [s.hour for s in archive.manifest.segments()] == [1_795_417_200 // 3600] * 2
    balanced(archive)


def test_a_second_import_stores_nothing(archive: Archive, files: Path) -> None:
    import_batch(archive, files, job="job")
    done = import_batch(archive, files, job="job")
    assert told(done) == (20, 0, 20)
    assert done.notes == ("these files were imported before",)
    # Nor does one at another time, or with a file more.
    (files / "p2.csv").write_text("1,2,x\n")
    (files / "p2.csv.out").write_text(f"0.5,{uuid.UUID(int=7)},2026-11-23T07:30:00Z\n")
    assert told(import_batch(archive, files, job="job")) == (21, 1, 20)
    balanced(archive)


def test_what_has_expired_does_not_come_back(archive: Archive, files: Path) -> None:
    import_batch(archive, files, job="job")
    assert expire(archive, before=2**52) == 20
    archive.manifest.forget_logs(2**62)
    assert told(import_batch(archive, files, job="job")) == (20, 0, 20)
    assert rows(archive) == []


def test_the_same_file_twice_is_two_files(archive: Archive, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("1\n2\n")
    assert told(import_batch(archive, [tmp_path / "a.csv", tmp_path / "b.csv"], job="job", time=0)) == (
        4,
        4,
        0,
    )


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_every_format_gives_the_same(archive: Archive, tmp_path: Path, kind: str) -> None:
    table = pa.table({"age": [31, 40, None], "city": ["Bonn", None, "Rome"], "rate": [0.5, 1.0, 2.0]})
    path = tmp_path / f"in.{kind}"
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "csv":
        path.write_text("age,city,rate\n31,Bonn,0.5\n40,,1.0\n,Rome,2.0\n")
    else:
        jsonl(path, table.to_pylist())
    out = parquet(tmp_path / "out.parquet", score=[0.1, 0.2, 0.3])
    assert told(import_batch(archive, path, out, job="job", time=0, model_version="7")) == (3, 3, 0)
    found = window(archive.target.name, "job", *EVER).table()
    assert found.drop_columns(found.column_names[:8]).to_pydict() == table.to_pydict() | {
        "score": [0.1, 0.2, 0.3]
    }
    assert found["_model_version"].to_pylist() == ["7"] * 3
    types = {name: str(found.schema.field(name).type) for name in ("age", "city", "rate", "score")}
    assert types == {"age": "int64", "city": "string", "rate": "double", "score": "double"}


def test_inputs_alone(archive: Archive, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "in.jsonl", [{"a": 1, "_time": "odd"}])
    import_batch(archive, path, job="job")
    (row,) = rows(archive)
    assert (row["a"], row["input._time"], row["_side"]) == (1, "odd", "input")
    assert row["_time"].timestamp() == pytest.approx(path.stat().st_mtime)


def test_names_that_both_sides_have(archive: Archive, tmp_path: Path) -> None:
    one = parquet(tmp_path / "a.parquet", x=[1], y=[2])
    two = parquet(tmp_path / "b.parquet", x=[3], z=[4])
    import_batch(archive, one, two, job="job")
    (row,) = rows(archive)
    assert {name: row[name] for name in ("x", "y", "output.x", "z")} == {
        "x": 1,
        "y": 2,
        "output.x": 3,
        "z": 4,
    }


def test_generated_ids_in_json_lines(archive: Archive, tmp_path: Path) -> None:
    one = jsonl(tmp_path / "a.jsonl", [{"x": 1}, {"x": 2}])
    out = [
        {"p": n, "SageMakerInferenceId": f"id-{n}", "SageMakerInferenceTime": "2026-11-23T07:00:00Z"}
        for n in range(2)
    ]
    two = jsonl(tmp_path / "a.jsonl.out", out)
    assert two.exists()
    import_batch(archive, one, job="job")
    assert [(r["_inference_id"], r["p"], r["_time"].hour) for r in rows(archive)] == [
        ("id-0", 0, 7),
        ("id-1", 1, 7),
    ]
    assert "SageMakerInferenceId" not in rows(archive)[0]
    # A time that is given goes before.
    import_batch(archive, one, job="other", time=0)
    assert rows(archive, "other")[0]["_time"].year == 1970


def test_outputs_in_another_folder(archive: Archive, tmp_path: Path) -> None:
    for name in ("x/a.csv", "x/deep/b.csv"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(f"{name[-5]},1\n")
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        jsonl((tmp_path / "out" / name).with_suffix(".jsonl"), [{"p": name[-5]}])
    assert told(import_batch(archive, tmp_path / "in", tmp_path / "out", job="job")) == (2, 2, 0)
    assert {(row["_c0"], row["p"]) for row in rows(archive)} == {("a", "a"), ("b", "b")}


def test_rows_that_do_not_match(archive: Archive, tmp_path: Path) -> None:
    one = parquet(tmp_path / "a.parquet", x=list(range(5)))
    two = parquet(tmp_path / "b.parquet", p=list(range(4)))
    with pytest.raises(SchemaError) as caught:
        import_batch(archive, one, two, job="job")
    assert caught.value.code == "E-BATCH-ROWS"
    assert str(one) in str(caught.value)
    assert str(two) in str(caught.value)
    assert "5 rows" in str(caught.value)


def test_a_job_is_stored_whole_or_not_at_all(archive: Archive, tmp_path: Path) -> None:
    for part in range(3):
        (tmp_path / f"{part}.csv").write_text("1\n2\n")
        (tmp_path / f"{part}.csv.out").write_text("1\n2\n" if part < 2 else "1\n")
    with pytest.raises(SchemaError):
        import_batch(archive, str(tmp_path / "*.csv"), job="job")
    assert rows(archive) == []
    assert archive.target.paths("") == []
    assert stats_of(archive).received == 0
    (tmp_path / "2.csv.out").write_text("1\n2\n")
    assert told(import_batch(archive, str(tmp_path / "*.csv"), job="job")) == (6, 6, 0)
    balanced(archive)


def test_files_that_cannot_be_paired(archive: Archive, files: Path, tmp_path: Path) -> None:
    (files / "p1.csv.out").unlink()
    with pytest.raises(SourceError) as caught:
        import_batch(archive, files, job="job")
    assert caught.value.code == "E-BATCH-FILES"
    assert caught.value.file == str(files / "p1.csv")
    assert "2 inputs and 1 outputs" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"job": "bad name"}, "E-NAME"),
        ({"job": "job", "variant": "../x"}, "E-NAME"),
        ({"job": "job", "format": "sagemaker"}, "E-CAPTURE"),
    ],
)
def test_arguments_that_are_refused(
    tmp_path: Path, files: Path, arguments: dict[str, Any], code: str
) -> None:
    with pytest.raises((UsageError, InputError)) as caught:
        import_batch(lambda: Archive(tmp_path / "captures"), files, **arguments)
    assert caught.value.code == code
    assert code != "E-NAME" or not (tmp_path / "captures").exists()


class TestById:
    def test_rows_are_joined_whatever_their_order(self, archive: Archive, tmp_path: Path) -> None:
        one = parquet(tmp_path / "a.parquet", key=[1, 2, 3], x=["a", "b", "c"])
        two = jsonl(
            tmp_path / "b.jsonl", [{"key": "3", "p": 0.3}, {"key": "1", "p": 0.1}, {"key": "9", "p": 0.9}]
        )
        done = import_batch(archive, one, two, job="job", id_column="key")
        assert told(done) == (4, 4, 0)
        assert done.notes == ("1 row has an input and no output", "1 row has an output and no input")
        assert [(r["_inference_id"], r["x"], r["p"], r["_side"]) for r in rows(archive)] == [
            ("1", "a", 0.1, "both"),
            ("2", "b", None, "input"),
            ("3", "c", 0.3, "both"),
            ("9", None, 0.9, "output"),
        ]
        assert "key" not in rows(archive)[0]
        assert told(import_batch(archive, one, two, job="job", id_column="key")) == (4, 0, 4)

    def test_a_later_export_adds_what_is_new(self, archive: Archive, tmp_path: Path) -> None:
        one = parquet(tmp_path / "a.parquet", key=[1, 2], x=[1, 2])
        import_batch(archive, one, job="job", id_column="key")
        os.utime(parquet(one, key=[1, 2, 3], x=[1, 2, 3]), (0, 0))
        assert told(import_batch(archive, one, job="job", id_column="key")) == (3, 1, 2)
        assert len({row["_time"] for row in rows(archive)}) == 1
        balanced(archive)

    @pytest.mark.parametrize(
        ("keys", "code", "text"),
        [
            ([1, 1], "E-BATCH-ID", "'1' occurs more than once"),
            ([1, None], "E-BATCH-ID", "missing in some row"),
            (["x" * 101, "y"], "E-BATCH-ID", "longer than 100"),
        ],
    )
    @pytest.mark.parametrize("side", [0, 1])
    def test_bad_ids(
        self, archive: Archive, tmp_path: Path, keys: list[Any], code: str, text: str, side: int
    ) -> None:
        paths = [
            parquet(tmp_path / f"{at}.parquet", key=keys if at == side else ["1", "2"], **{f"c{at}": [1, 2]})
            for at in range(2)
        ]
        with pytest.raises(SchemaError, match=text) as caught:
            import_batch(archive, paths[0], paths[1], job="job", id_column="key")
        assert (caught.value.code, caught.value.file) == (code, str(paths[side]))
        assert rows(archive) == []

    def test_a_missing_column(self, archive: Archive, tmp_path: Path) -> None:
        one = parquet(tmp_path / "a.parquet", key=[1])
        two = parquet(tmp_path / "b.parquet", keys=[1])
        with pytest.raises(SchemaError, match="did you mean 'keys'") as caught:
            import_batch(archive, one, two, job="job", id_column="key")
        assert caught.value.code == "E-COLUMNS"

    def test_types_survive_the_join(self, archive: Archive, tmp_path: Path) -> None:
        table = pa.table(
            {
                "key": ["a", "b"],
                "d": pa.array(["x", "y"]).dictionary_encode(),
                "t": pa.array([1, 2], pa.timestamp("us", "UTC")),
                "u": pa.array([1, 2**63], pa.uint64()),
                "n": pa.nulls(2),
                "f": pa.array([1.5, None], pa.float32()),
                "b": [True, False],
            }
        )
        pq.write_table(table, tmp_path / "a.parquet")
        two = parquet(tmp_path / "b.parquet", key=["b", "a"], p=[1, 2])
        import_batch(archive, tmp_path / "a.parquet", two, job="job", id_column="key")
        found = window(archive.target.name, "job", *EVER).table()
        for name in ("d", "t", "u", "n", "f", "b"):
            assert found[name].to_pylist() == table[name].to_pylist()
        assert found["t"].type == table["t"].type


class TestManifests:
    def folders(self, tmp_path: Path, files: Path, *, prefix: str | None = None) -> Path:
        for side, ending in (("input", ".csv"), ("output", ".csv.out")):
            folder = tmp_path / "dc" / side / "2026" / "11" / "23" / "05"
            folder.mkdir(parents=True)
            names = [f"p{part}{ending}" for part in range(2)]
            (folder / f"{side}.json").write_text(json.dumps([{"prefix": prefix or f"{files}/"}, *names]))
        return tmp_path / "dc"

    @pytest.mark.parametrize("below", ["", "input", "input/2026/11/23/05", "input/2026/11/23/05/input.json"])
    def test_a_job_by_its_manifests(self, archive: Archive, tmp_path: Path, files: Path, below: str) -> None:
        source = self.folders(tmp_path, files) / below
        outputs = tmp_path / "dc" / "output" if below == "input" else None
        assert told(import_batch(archive, source, outputs, job="job", id_column=None)) == (20, 20, 0)
        assert {row["_side"] for row in rows(archive)} == {"both"}

    def test_the_path_tells_the_time(self, archive: Archive, tmp_path: Path, files: Path) -> None:
        for path in files.glob("*.out"):
            path.write_text("".join(f"{n}\n" for n in range(10)))
        import_batch(archive, self.folders(tmp_path, files), job="job")
        assert {row["_time"].isoformat() for row in rows(archive)} == {"2026-11-23T05:00:00+00:00"}

    def test_a_prefix_beside_the_manifest(self, archive: Archive, tmp_path: Path, files: Path) -> None:
        self.folders(tmp_path, files, prefix="../../../../../../job")
        assert told(import_batch(archive, tmp_path / "dc", job="job")) == (20, 20, 0)

    @pytest.mark.parametrize(
        ("names", "text"),
        [
            (["missing.csv"], r"missing\.csv, which does not exist"),
            (["../secret.csv"], "not the name of a file below its prefix"),
            (["/etc/passwd"], "not the name of a file"),
            (["a//b.csv"], "not the name of a file"),
            (["a\\..\\b.csv"], "not the name of a file"),
            (["a\0.csv"], "not the name of a file"),
            ([7], "not the name of a file"),
            (["."], "not the name of a file"),
            ([], "names no file"),
        ],
    )
    def test_bad_manifests(self, archive: Archive, tmp_path: Path, names: list[Any], text: str) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "secret.csv").write_text("1\n")
        path = tmp_path / "m.json"
        path.write_text(json.dumps([{"prefix": f"{tmp_path}/data/"}, *names]))
        with pytest.raises(SourceError, match=text) as caught:
            import_batch(archive, path, job="job")
        assert (caught.value.code, caught.value.file) == ("E-BATCH-MANIFEST", str(path))

    def test_on_an_object_store(self, archive: Archive, files: Path, store: Any) -> None:
        for path in files.iterdir():
            store.put(f"batch/data/{path.name}", path.read_bytes())
        for side, ending in (("input", ".csv"), ("output", ".csv.out")):
            manifest = [{"prefix": "s3://bucket/batch/data/"}, f"p0{ending}", f"p1{ending}"]
            store.put(f"batch/dc/{side}/2026/11/23/05/x-{side}.json", json.dumps(manifest).encode())
        assert told(import_batch(archive, store.url("batch/dc/input/2026/11/23/05/"), job="job")) == (
            20,
            20,
            0,
        )
        assert told(import_batch(archive, store.url("batch/data/*.csv"), job="job")) == (20, 0, 20)
        assert told(import_batch(archive, store.url("batch/data"), job="other")) == (20, 20, 0)
        for name, content, text in (
            ("gone", [{"prefix": "s3://bucket/batch/data/"}, "gone.csv"], "gone.csv, which does not exist"),
            ("local", [{"prefix": "/etc/"}, "passwd"], "does not"),
        ):
            store.put(f"batch/bad/{name}.json", json.dumps(content).encode())
            with pytest.raises(SourceError, match=text) as caught:
                import_batch(archive, store.url(f"batch/bad/{name}.json"), job="bad")
            assert caught.value.code == "E-BATCH-MANIFEST"
        balanced(archive)


_KILLED = """
import os, signal, sys
from driftline.capture import batch_rows
from driftline.capture.archive import Archive
from driftline.capture.batch import import_batch
batch_rows.ROWS = batch_rows.in_batches.__defaults__ = (5,)
real, n = Archive.written, 0
def dies(self, *args, **names):
    global n
    n += 1
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, *args, **names)
Archive.written = dies
import_batch(Archive(sys.argv[1]), sys.argv[2], job="job")
"""


def test_a_killed_import_leaves_nothing_to_be_seen(tmp_path: Path, files: Path) -> None:
    captures = tmp_path / "captures"
    done = subprocess.run([sys.executable, "-c", _KILLED, str(captures), str(files)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    archive = Archive(captures)
    assert rows(archive) == []
    assert told(import_batch(archive, files, job="job")) == (20, 20, 0)
    assert [fault for fault in check(archive) if fault.is_damage] == []


@given(st.lists(st.integers(1, 9), max_size=6), st.integers(1, 7))
def test_batches_have_the_size_asked_for(sizes: list[int], size: int) -> None:
    n = sum(sizes)
    table = (
        pa.concat_tables([pa.table({"a": list(range(k))}) for k in sizes])
        if n
        else pa.table({"a": pa.array([], pa.int64())})
    )
    found = [batch[0].to_pylist() for batch in in_batches(open_source(table), size)]
    assert [x for batch in found for x in batch] == table["a"].to_pylist()
    assert all(len(batch) == size for batch in found[:-1])


def test_a_job_in_many_tables(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_rows.in_batches, "__defaults__", (1000,))
    n = 2500
    one = parquet(tmp_path / "a.parquet", x=list(range(n)))
    (tmp_path / "b.csv").write_text("".join(f"{i % 7}\n" for i in range(n)))
    assert told(import_batch(archive, one, tmp_path / "b.csv", job="job")) == (n, n, 0)
    assert len(archive.manifest.segments()) == 3
    assert all(row["prediction"] == row["x"] % 7 for row in rows(archive))
    balanced(archive)
