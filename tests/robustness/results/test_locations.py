"""Where studies are stored, how they are found, and what their columns are."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from robustness.results import StorageError, Store, child, list_studies, load
from robustness.results.files.place import Place
from robustness.results.files.remote import RemoteFolder
from robustness.results.tables import schema
from robustness.results.tables.schema import CURVES, RUNS
from tests.support.stored_rows import fill, folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def test_study_and_provenance(store: Store) -> None:
    assert store.read_study() is None
    store.write_study("name: digits\n# größer\n")
    assert store.read_study() == "name: digits\n# größer\n"
    assert store.exists()
    store.write_provenance({"host": "laptop", "path": Path("/x")})
    store.write_provenance({"host": "laptop"})
    records = sorted(folder(store, "provenance").iterdir())
    assert len(records) == 2
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}\.\d{{6}}Z-{os.getpid()}\.json", records[0].name)
    assert json.loads(records[0].read_text()) == {"host": "laptop", "path": "/x"}


def test_a_key_in_a_command_line_of_before_is_not_read(store: Store) -> None:
    line = "robustness run x --results 's3://bucket/r?client_secret=HUSHHUSH&access_key=ALSOHUSH'"
    folder(store, "provenance").mkdir(parents=True)
    (folder(store, "provenance") / "old.json").write_text(json.dumps({"command_line": line, "host": 5}), "utf-8")
    (record,) = store.read_provenance()
    assert "HUSH" not in record["command_line"]
    assert record["command_line"].startswith("robustness run x --results 's3://bucket/r?")


def test_a_key_anywhere_in_a_record_is_not_read(store: Store) -> None:
    record = {
        "results": "s3://bucket/r?client_secret=HUSHHUSH",
        "argv": ["run", "--results=s3://user:HUSHHUSH@bucket/r"],
        "versions": {"of": {"place": "az://c/r?sas=HUSHHUSH", "torch": "2.5.1", "count": 5}},
        "az://c/r?sas=HUSHHUSH": None,
    }
    folder(store, "provenance").mkdir(parents=True)
    (folder(store, "provenance") / "old.json").write_text(json.dumps(record), "utf-8")
    (read,) = store.read_provenance()
    assert "HUSH" not in str(read)
    assert read["argv"] == ["run", "--results=s3://***@bucket/r"]
    assert read["versions"]["of"] == {"place": "az://c/r?sas=***", "torch": "2.5.1", "count": 5}


@pytest.mark.parametrize("levels", [25, 500, 100_000])
def test_a_record_of_many_levels_is_left_out_and_the_others_are_read(store: Store, levels: int) -> None:
    folder(store, "provenance").mkdir(parents=True)
    (folder(store, "provenance") / "deep.json").write_text('{"a":' * levels + "1" + "}" * levels, "utf-8")
    (folder(store, "provenance") / "good.json").write_text('{"host": "laptop"}', "utf-8")
    assert store.read_provenance() == [{"host": "laptop"}]


def test_a_store_travels_and_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store("results/digits")
    store.runs()  # the folder is open now
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    travelled = pickle.loads(pickle.dumps(store))
    assert str(travelled.root) == str(tmp_path / "results" / "digits")
    fill(travelled, 1)
    assert len(store.runs()) == 1
    error = pickle.loads(pickle.dumps(StorageError("cannot write x: the disk is full")))
    assert str(error) == "cannot write x: the disk is full"


def test_load_and_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list_studies() == []
    fill(Store("results/digits"), 1)
    Store("results/asked").write_study("name: asked")
    (tmp_path / "results" / "notes").mkdir()
    (tmp_path / "results" / "x.txt").write_text("x")
    assert list_studies() == ["asked", "digits"]
    for study, results in (
        ("digits", "results"),
        ("results/digits", "results"),
        (tmp_path / "results/digits", "no"),
    ):
        loaded = load(study, results)
        assert str(loaded.root) == str(tmp_path / "results" / "digits")
        assert len(loaded.runs) == 1
        assert len(loaded.curves) == 3
        assert loaded.runs is loaded.runs
        assert loaded.study_text is None
    assert load("asked").study_text == "name: asked"
    with pytest.raises(StorageError, match=r"no results of nothing in .*results \(stored studies: asked, digits\)"):
        load("nothing")


def test_a_file_uri_is_a_local_folder(tmp_path: Path) -> None:
    root = (tmp_path / "with space").as_uri()
    fill(Store(f"{root}/digits"), 1)
    assert str(Store(f"{root}/digits").root) == str(tmp_path / "with space" / "digits")
    assert list_studies(root) == ["digits"]
    assert len(load("digits", root).runs) == len(load(f"{root}/digits").runs) == 1
    for wrong in ("file://server/x", "file:x"):
        with pytest.raises(StorageError, match="file:///absolute/path"):
            Store(wrong)


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("/a/b", "/a/b/digits"),
        ("s3://bucket", "s3://bucket/digits"),
        ("s3://bucket/results/", "s3://bucket/results/digits"),
        ("s3://b/r?region=eu&scheme=http", "s3://b/r/digits?region=eu&scheme=http"),
        (
            "s3://b/r?endpoint_override=http://127.0.0.1:9",
            "s3://b/r/digits?endpoint_override=http://127.0.0.1:9",
        ),
        ("file:///a/b", "/a/b/digits"),
    ],
)
def test_child_keeps_the_query(root: str, expected: str) -> None:
    assert child(root, "digits").with_keys == expected


@pytest.mark.parametrize("uri", ["nosuch://x/y", "s3://bucket/x?nosuch=1"])
def test_a_uri_that_no_filesystem_knows_is_a_clear_error(uri: str) -> None:
    with pytest.raises(StorageError, match=r"cannot open (nosuch|s3)://.*(nosuch|scheme)"):
        Store(uri).runs()


def test_keys_in_a_uri_are_never_shown() -> None:
    with pytest.raises(StorageError) as caught:
        Store("s3://key:secret@bucket/x?nosuch=1").runs()
    assert "secret" not in str(caught.value) + repr(Store("s3://key:secret@bucket/x"))


def test_a_filesystem_that_is_no_object_store(tmp_path: Path) -> None:
    from pyarrow import fs

    remote = RemoteFolder(Place(tmp_path / "x"), fs.LocalFileSystem())
    assert remote.entries("runs") == []
    assert remote.read("runs/a") is None
    remote.write("runs/a", b"1")
    remote.write("runs/a", b"22")
    assert remote.read("runs/a") == b"22"
    assert [e.name for e in remote.entries("runs")] == ["a"]
    assert remote.move("runs/a", "set-aside/a")
    assert not remote.move("runs/a", "set-aside/b")
    remote.remove("set-aside/a")
    remote.remove("set-aside/a")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_every_column_has_a_description_and_a_role() -> None:
    for field in [*RUNS, *CURVES]:
        assert field.metadata[b"role"].decode() in {"identity", "outcome", "provenance"}
        assert len(field.metadata[b"description"]) > 10
    assert schema.IDENTITY_COLUMNS[0] == "run_id"
    assert {"status", "test_error", "root_mean_v"} < set(schema.OUTCOME_COLUMNS)
    together = schema.IDENTITY_COLUMNS + schema.OUTCOME_COLUMNS + schema.PROVENANCE_COLUMNS
    assert list(together) == RUNS.names


def test_every_column_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "results.md").read_text()
    for title, columns in (("runs", RUNS), ("curves", CURVES)):
        section = text.split(f"## Columns of `{title}/`")[1].split("\n## ")[0]
        table = [line for line in section.splitlines() if line.startswith("| `")]
        assert table == schema.documented(columns)


@pytest.mark.slow
def test_a_store_loads_without_torch_and_ray() -> None:
    code = (
        "import sys, robustness.results, robustness.results.tables.schema, robustness.provenance;"
        "import robustness.results.files.remote;"
        "robustness.provenance.collect(['x']);"
        "print([m for m in ('torch', 'ray', 'optuna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
