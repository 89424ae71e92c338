"""Whoever takes, reports or lists published results is held to their digests."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robustness.cli import main
from robustness.published.shipped import take, with_published
from robustness.results import ResultsWarning, Store, load
from robustness.results.files.published_files import AlteredError
from robustness.results.tables.arrow import to_table
from robustness.results.tables.parquet import encode
from robustness.results.tables.schema import RUNS
from tests.support.published_cases import (  # noqa: F401
    RUNS_OF_IT,
    digested,
    small_given,
    small_made,
    small_study,
    small_trained,
)

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Study


@pytest.fixture
def altered(given: Path) -> Path:
    """The published study with every test error 0."""
    path = given / "runs" / "small.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index("test_error")
    none = pa.array([0.0] * len(table))
    path.write_bytes(encode(to_table(table.set_column(place, table.schema.field(place), none), RUNS)))
    return given


def refusal(folder: Path, path: str = "runs/small.parquet") -> str:
    found = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    expected = json.loads((folder / "published.json").read_text())["files"][path]
    return (
        f"{folder}/{path} is not the file that was published: its SHA-256 is {found}, published.json says {expected};"
        " bring it back as it was"
    )


def test_altered_results_are_not_taken(altered: Path, study: Study) -> None:
    store = Store("results/small")
    with pytest.warns(ResultsWarning) as warned:
        assert (take(study, store, store.runs()), len(with_published(study, store, store.runs()))) == (0, 0)
    assert f"are left out: {refusal(altered)}" in str(warned[0].message)


@pytest.mark.parametrize("command", [["report"], ["claims"], ["compare", "small"], ["figures"]])
def test_nor_reported(altered: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command[0], str(altered), *command[1:]]) == 1
    assert f"error: {refusal(altered)}" in capsys.readouterr().err


def test_nor_listed(altered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert f"cannot be read: {refusal(altered)}" in capsys.readouterr().out


@pytest.mark.parametrize("path", ["study.yaml", "resolved.json", "curves/small.parquet", "provenance"])
def test_every_published_file_is_held_to_its_digest(given: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    if path == "provenance":
        path = f"provenance/{next((given / path).iterdir()).name}"
    (given / path).write_bytes((given / path).read_bytes() + b"\n")
    assert main(["report", str(given)]) == 1
    assert f"error: {refusal(given, path)}" in capsys.readouterr().err


def test_a_part_that_was_not_published_is_refused(given: Path) -> None:
    (given / "runs" / "more.parquet").write_bytes((given / "runs" / "small.parquet").read_bytes())
    with pytest.raises(AlteredError, match=r"runs/more.parquet is not among the files that were published: remove it"):
        Store(given).runs()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"files": 3}'])
def test_a_list_without_digests_is_refused(given: Path, text: str) -> None:
    (given / "published.json").write_text(text)
    with pytest.raises(AlteredError, match=r"published.json does not list the digests of its files"):
        Store(given).runs()


def test_the_curves_of_a_cell_too_though_not_all_is_read(given: Path) -> None:
    store = Store(given)
    wanted = store.runs()["run_id"].tolist()[:1]
    assert len(store.curves(wanted))
    path = given / "curves" / "small.parquet"
    before = path.stat()
    path.write_bytes(encode(pq.read_table(path)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(AlteredError, match=r"curves/small.parquet is not the file that was published"):
        store.curves(wanted)


def test_what_is_published_anew_meanwhile_is_read(given: Path) -> None:
    store = Store(given)
    assert len(store.runs()) == RUNS_OF_IT
    path = given / "runs" / "small.parquet"
    path.write_bytes(encode(to_table(pq.read_table(path).slice(0, 5), RUNS)))
    digested(given)
    assert len(store.runs()) == 5


def test_results_that_are_not_published_have_no_digests(given: Path) -> None:
    (given / "published.json").unlink()
    (given / "study.yaml").write_text((given / "study.yaml").read_text() + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load(given).runs) == RUNS_OF_IT
