"""Code that is tried finds what lies around it, and leaves nothing there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.dry_run import mirror
from robustness.dry_run.mirror import mirror_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_shows_what_there_is_and_keeps_what_is_new(tmp_path: Path) -> None:
    folder = tmp_path / "a study" / "here"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "table.csv").write_text("1", "utf-8")
    (tmp_path / "beside.csv").write_text("2", "utf-8")
    with mirror_of(folder) as seen:
        assert (seen / "data" / "table.csv").read_text("utf-8") == "1"
        assert (seen / ".." / ".." / "beside.csv").read_text("utf-8") == "2"
        (seen / "new.txt").write_text("3", "utf-8")
        (seen / ".." / "new.txt").write_text("3", "utf-8")
    assert not seen.exists()
    assert sorted(each.name for each in folder.iterdir()) == ["data"]
    assert (folder / "data" / "table.csv").exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a study", "beside.csv"]


def test_where_there_is_too_much_the_folder_itself_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MOST", 0)
    with mirror_of(tmp_path) as seen:
        assert seen == tmp_path
