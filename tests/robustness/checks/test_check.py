"""`robustness check` finds each kind of fault, and none in a sound store of any schema nor in a published one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from robustness.checks.check import check
from robustness.cli import main
from robustness.published.shipped import PACKAGED
from robustness.results import Store
from robustness.results.tables.parquet import encode
from tests.support.published_cases import content, digested

if TYPE_CHECKING:
    from collections.abc import Callable

STORES = Path(__file__).parents[2] / "data" / "stores"
SOUND = sorted(path.parent for path in [*STORES.glob("*/*/runs"), *PACKAGED.glob("*/runs")])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    shutil.copytree(STORES / "schema-3" / "small", tmp_path / "small")
    return tmp_path / "small"


def part(root: Path, folder: str = "runs") -> Path:
    return min((root / folder).iterdir())


def change(path: Path, to: Callable[[pa.Table], pa.Table]) -> None:
    path.write_bytes(encode(to(pq.read_table(path))))


def put(path: Path, name: str, value: Any, row: int = 0) -> str:
    """Put a value into a row of a part; return its run."""
    table = pq.read_table(path)
    values = table.column(name).to_pylist()
    values[row] = value
    place = table.schema.get_field_index(name)
    path.write_bytes(
        encode(table.set_column(place, table.schema.field(place), pa.array(values, table.schema[place].type)))
    )
    return str(table.column("run_id")[row].as_py())


def row_of(root: Path, status: str = "completed") -> int:
    return int(pc.index(pq.read_table(part(root)).column("status"), status).as_py())


def found(root: Path) -> list[str]:
    return [str(each) for each in check(Store(root, read_only=True)).faults]


@pytest.mark.parametrize("root", SOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_sound_store_has_none(root: Path) -> None:
    before = content(root) if root.parent.parent == STORES else {}
    done = check(Store(root, read_only=True))
    assert (done.faults, done.notes) == ([], [])
    assert done.runs
    assert not before or content(root) == before


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("test_error", -1e308, "test_error is -1e+308, not from 0 to 100"),
        ("duration_s", -1.0, "duration_s is -1.0, not a finite number of at least 0"),
        ("train_loss", float("inf"), "completed, but its train_loss is inf"),
        ("test_error", None, "completed, but it has no test_error"),
        ("epochs", 1, "completed after 1 epochs, where its workload has"),
    ],
)
def test_values_that_no_run_has(small: Path, name: str, value: float, words: str) -> None:
    row = row_of(small)
    run = put(part(small), name, value, row)
    assert any(each.startswith(f"runs/{part(small).name}: run {run}: {words}") for each in found(small)), found(small)


def test_an_error_of_what_diverged(small: Path) -> None:
    run = put(part(small), "status", "diverged", row_of(small))
    assert any(f"run {run}: diverged, but its test_error is" in each for each in found(small))


@pytest.mark.parametrize(
    ("name", "value"), [("lr", 0.123), ("weight_decay", 0.5), ("seed", 77), ("run_id", "0" * 16), ("cell_id", "0" * 16)]
)
def test_ids_that_are_not_those_of_the_options(small: Path, name: str, value: float) -> None:
    put(part(small), name, value)
    assert any("its options, lr" in each and "are those of run" in each for each in found(small))


def test_options_that_are_none(small: Path) -> None:
    options = json.loads(pq.read_table(part(small)).column("workload_options")[0].as_py())
    put(part(small), "workload_options", json.dumps(options | {"batch_size": -3}))
    assert any("its options are none: batch_size" in each for each in found(small))


def test_classes_that_are_not_here_are_told_by_resolved_json(small: Path) -> None:
    put(part(small), "optimizer", "mine:Own")
    done = check(Store(small, read_only=True))
    assert not done.faults
    assert "the ids of 1 runs could not be worked out" in done.notes[0]


def test_a_run_that_is_there_twice(small: Path) -> None:
    for folder in ("runs", "curves"):
        shutil.copy(part(small, folder), small / folder / "again.parquet")
    faults = found(small)
    assert len(faults) == 12
    assert all("it is there 2 times, in runs/" in each and "robustness compact" in each for each in faults)


def test_one_run_under_two_ids(small: Path) -> None:
    table = pq.read_table(part(small)).slice(0, 1)
    run = table.column("run_id")[0].as_py()
    other = table.set_column(0, table.schema.field(0), pa.array(["f" * 16]))
    (small / "runs" / "other.parquet").write_bytes(encode(other))
    (small / "curves" / "other.parquet").write_bytes(encode(pq.read_table(part(small, "curves")).slice(0, 0)))
    assert any(f"run {run}: the same run is there under another id: {'f' * 16}" in each for each in found(small))


@pytest.mark.parametrize("folder", ["runs", "curves"])
@pytest.mark.parametrize(
    ("data", "words"), [(b"", "it is empty"), (b"PAR1 and no more", "torn"), (b"words", "no Parquet file")]
)
def test_a_part_that_cannot_be_read(small: Path, folder: str, data: bytes, words: str) -> None:
    part(small, folder).write_bytes(data)
    assert any(each.startswith(f"{folder}/{part(small).name}: ") and words in each for each in found(small))


def test_a_word_that_is_no_status(small: Path) -> None:
    put(part(small), "status", "fine")
    assert any("column 'status' holds fine" in each for each in found(small))


def test_a_part_of_a_newer_version(small: Path) -> None:
    change(part(small), lambda table: table.replace_schema_metadata({b"robustness_schema_version": b"99"}))
    assert any("was written by a newer version" in each for each in found(small))


def test_runs_without_curves_and_curves_without_runs(small: Path) -> None:
    lost = part(small, "curves")
    lost.rename(lost.with_name("lost.parquet"))
    faults = found(small)
    assert any(f"it has no curve in curves/{lost.name}" in each for each in faults)
    assert any(each.startswith("curves/lost.parquet: there are no rows to it in runs/") for each in faults)


def test_a_curve_that_lacks_an_epoch_has_one_twice_or_is_of_no_run(small: Path) -> None:
    path = part(small, "curves")
    table = pq.read_table(path)
    path.write_bytes(encode(table.slice(1)))
    assert any("epochs, up to" in each or "it has no curve" in each for each in found(small))
    path.write_bytes(encode(pa.concat_tables([table, table.slice(0, 1)])))
    assert any("an epoch is there twice" in each for each in found(small))
    path.write_bytes(encode(table))
    put(path, "run_id", "f" * 16)
    assert any(f"run {'f' * 16}: it has no row in runs/" in each for each in found(small))


def test_a_loss_of_a_completed_run_that_is_not_finite(small: Path) -> None:
    path = part(small, "curves")
    completed = pq.read_table(part(small)).filter(pc.field("status") == "completed").column("run_id")
    row = int(
        pc.index(pc.is_in(pq.read_table(path).column("run_id"), value_set=completed.combine_chunks()), True).as_py()
    )
    run = put(path, "test_loss", float("inf"), row)
    assert any(f"run {run}: completed, but its test_loss after epoch" in each for each in found(small))


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("study.yaml", None, "study.yaml: there is none"),
        ("study.yaml", "workload: [", "study.yaml: "),
        ("resolved.json", "{}", "resolved.json: resolved.json cannot be read"),
    ],
)
def test_a_study_file_that_cannot_be_read(small: Path, path: str, text: str | None, words: str) -> None:
    (small / path).unlink(missing_ok=True)
    if text is not None:
        (small / path).write_text(text)
    assert any(each.startswith(words) and "run the study once more" in each for each in found(small))


@pytest.fixture
def treebank(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGED / "treebank", tmp_path / "treebank")
    return tmp_path / "treebank"


def test_what_it_resolved_to_is_that_of_the_study_file(treebank: Path) -> None:
    (treebank / "published.json").unlink()
    path = treebank / "resolved.json"
    plain = json.loads(path.read_text())
    path.write_text(json.dumps(plain | {"seeds": [7]}))
    assert any("resolved.json: its seeds are not those of study.yaml" in each for each in found(treebank))
    path.write_text(json.dumps(plain | {"digest": "0" * 64}))
    assert any("it is of another study.yaml than the one beside it" in each for each in found(treebank))


def test_published_files_that_are_altered_missing_or_too_many(treebank: Path) -> None:
    put(part(treebank), "test_error", 0.0)
    part(treebank, "provenance").unlink()
    (treebank / "runs" / "more.parquet").write_bytes(b"")
    faults = found(treebank)
    assert any(each.startswith("runs/treebank.parquet: it is not the file that was published") for each in faults)
    assert any("published.json lists it, but it is not there" in each for each in faults)
    assert any(each.startswith("runs/more.parquet: it is not among the files that were published") for each in faults)


def test_rows_beyond_the_study_are_a_fault_of_published_ones_alone(small: Path) -> None:
    text = (small / "study.yaml").read_text()
    (small / "study.yaml").write_text(text.replace("seeds: 2", "seeds: 1").replace("seeds: 3", "seeds: 1"))
    done = check(Store(small, read_only=True))
    assert not done.faults
    assert "runs are of other cells, seeds or options than study.yaml asks for now" in done.notes[0]
    (small / "resolved.json").unlink(missing_ok=True)
    digested(small)
    assert any("study.yaml does not ask for it" in each for each in found(small))


def test_the_command(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "small", "--results", str(small.parent)]) == 0
    assert capsys.readouterr().out == (
        "small: 24 runs in 2 parts: schema, ids, duplicates, ranges of values, curves, study file verified\n"
    )
    path = part(small)
    change(path, lambda table: table.set_column(1, table.schema.field(1), pa.array(["0" * 16] * len(table))))
    before = content(small)
    assert main(["check", "small", "--results", str(small.parent)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 13
    assert lines[0].startswith(f"small: runs/{path.name}: run ")
    assert lines[-1] == "small: 24 runs in 2 parts: 12 faults"
    assert content(small) == before
