"""Links in a results folder are followed within it; what leads out is refused, unless it was asked for."""

from __future__ import annotations

import os
import re
import shutil
import socket
import warnings
from typing import TYPE_CHECKING

import pytest

from robustness.cli import main
from robustness.results import ResultsWarning, StorageError, Store, list_studies, load
from robustness.results.checkpoints import Checkpoints
from robustness.results.files.links import VARIABLE, LinkError
from tests.support.stored_rows import curve, fill, folder, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUT = "leads out of .* by a link, which is not followed; if you have put it there, set ROBUSTNESS_FOLLOW_LINKS=1"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "passwd"
    path.parent.mkdir()
    path.write_text("root:x:0:0")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "results" / "digits")
    fill(found, 1)
    found.write_study("workload: digits\n")
    return found


READ: dict[str, Callable[[Store], object]] = {
    "study.yaml": Store.read_study,
    "resolved.json": Store.read_resolved,
    "provenance/one.json": Store.read_provenance,
    "sweep.json": Store.claimant,
    "compaction.json": Store.runs,
    "runs/two.parquet": Store.runs,
    "curves/one.parquet": Store.curves,
    "checkpoints/one.json": lambda store: Checkpoints(store).listed(),
}


@pytest.mark.parametrize("path", READ)
def test_no_file_that_is_read_is_one_elsewhere(
    store: Store, secret: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(store, path)
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(secret)
    with pytest.raises(LinkError, match=f"{path} {OUT}"):
        READ[path](store)
    assert place.is_symlink(), "it stays where it is"
    monkeypatch.setenv(VARIABLE, "1")
    if not path.endswith(".parquet"):
        READ[path](store)


@pytest.mark.parametrize("path", READ)
def test_nor_lies_it_in_a_folder_elsewhere(store: Store, tmp_path: Path, path: str) -> None:
    name = path.partition("/")[0]
    if "/" not in path:
        return
    shutil.rmtree(folder(store, name), ignore_errors=True)
    (tmp_path / name).mkdir()
    folder(store, name).symlink_to(tmp_path / name)
    with pytest.raises(LinkError, match=f"{name} {OUT}"):
        READ[path](store)


def test_a_cell_s_curves_are_not_picked_from_elsewhere(store: Store, tmp_path: Path) -> None:
    curves = folder(store, "curves") / "one.parquet"
    curves.rename(tmp_path / "kept.parquet")
    curves.symlink_to(tmp_path / "kept.parquet")
    with pytest.raises(LinkError, match=OUT):
        store.curves([row(1)["run_id"]])


@pytest.mark.parametrize("name", ["runs", "curves", "set-aside"])
def test_nothing_is_written_or_moved_elsewhere(store: Store, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(folder(store, name), ignore_errors=True)
    folder(store, name).symlink_to(outside)
    with pytest.raises(LinkError, match=OUT):
        store.folder.write(f"{name}/two.parquet", b"")
    with pytest.raises(LinkError, match=OUT):
        store.folder.move("study.yaml", f"{name}/study.yaml")
    with pytest.raises(LinkError, match=OUT):
        store.folder.remove(f"{name}/two.parquet")
    assert list(outside.iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_replaced(store: Store, secret: Path) -> None:
    folder(store, "study.yaml").unlink()
    folder(store, "study.yaml").symlink_to(secret)
    store.write_study("mine")
    assert (secret.read_text(), store.read_study()) == ("root:x:0:0", "mine")


def test_links_within_the_folder_and_the_folder_itself_as_one(store: Store, tmp_path: Path) -> None:
    part = folder(store) / "one.parquet"
    part.rename(folder(store, "kept.parquet"))
    part.symlink_to("../kept.parquet")
    assert len(store.runs()) == 1
    (tmp_path / "linked").symlink_to(tmp_path / "results")
    assert list_studies(tmp_path / "linked") == ["digits"]
    (tmp_path / "results" / "alias").symlink_to("digits")
    assert len(load("alias", tmp_path / "linked").runs) == 1
    (tmp_path / "named").symlink_to(tmp_path / "results" / "digits")
    assert len(load(tmp_path / "named", tmp_path / "results").runs) == 1, "a folder that is named is asked for"


def test_a_study_on_another_disk_is_passed_over_by_name_and_followed_where_asked(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Store(tmp_path / "disk" / "far")
    far.write("one", [row(1)], curve(1))
    (tmp_path / "results" / "far").symlink_to(far.root)
    with pytest.warns(ResultsWarning, match=f"far is passed over: .*results/far {OUT}"):
        assert list_studies(tmp_path / "results") == ["digits"]
    with pytest.raises(LinkError, match=OUT):
        load("far", tmp_path / "results")
    monkeypatch.setenv(VARIABLE, "1")
    assert list_studies(tmp_path / "results") == ["digits", "far"]
    assert len(load("far", tmp_path / "results").runs) == 1


def test_a_link_to_itself_ends_no_list(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results" / "loop").symlink_to("loop")
    (tmp_path / "results" / "gone").symlink_to("nowhere")
    said = "loop is passed over: cannot look at .*: Too many levels of symbolic links"
    with pytest.warns(ResultsWarning, match=said):
        assert list_studies(tmp_path / "results") == ["digits"]
    monkeypatch.setenv("ROBUSTNESS_PUBLISHED", str(tmp_path / "results"))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # the command line puts its own there
    warnings.simplefilter("always", ResultsWarning)
    assert main(["list", "--results", str(tmp_path / "results")]) == 0
    printed = capsys.readouterr()
    assert "digits                   1 completed" in printed.out
    assert re.search(said, printed.err)


def test_a_part_that_is_a_link_to_itself_is_left_out(store: Store) -> None:
    (folder(store) / "loop.parquet").symlink_to("loop.parquet")
    with pytest.warns(ResultsWarning, match=r"runs/loop.parquet is not usable: it is no file"):
        assert len(store.runs()) == 1


def test_a_pipe_is_not_waited_for(store: Store) -> None:
    folder(store, "study.yaml").unlink()
    os.mkfifo(folder(store, "study.yaml"))
    assert store.read_study() == ""
    folder(store, "study.yaml").unlink()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder(store, "s")))
        with pytest.raises(StorageError):
            store.folder.read("s")


def test_a_report_is_not_written_over_a_file_elsewhere(
    store: Store, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder(store, "claims.json").symlink_to(secret)
    assert main(["claims", str(store.root)]) == 1
    assert "claims.json leads out of" in " ".join(capsys.readouterr().err.split())
    assert secret.read_text() == "root:x:0:0"
