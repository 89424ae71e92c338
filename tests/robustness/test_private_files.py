"""What others on the machine cannot read or exchange."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from robustness import private_files
from robustness.private_files import guards, is_ours, kept_folder, temporary_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("mode", "guarded"), [(0o700, True), (0o755, True), (0o777, False), (0o775, False), (0o1777, True)]
)
def test_a_folder_guards_what_is_in_it_if_others_cannot_rename_there(mode: int, guarded: bool, tmp_path: Path) -> None:
    tmp_path.chmod(mode)
    assert guards(tmp_path) is guarded


def test_what_is_no_folder_guards_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not guards(tmp_path / "file")
    assert not guards(tmp_path / "absent")


def test_a_temporary_folder_is_where_nobody_can_exchange_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    for folder, mode in ((shared, 0o777), (alone, 0o700)):
        folder.mkdir()
        folder.chmod(mode)
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    monkeypatch.setattr(private_files, "USUAL", (str(alone),))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    made = temporary_folder("x-")
    assert made.parent == alone
    assert made.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(private_files, "USUAL", ())
    with pytest.raises(OSError, match="set TMPDIR to a folder that you alone can write to"):
        temporary_folder("x-")


def test_a_kept_folder_is_the_same_again_unless_others_have_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = kept_folder("kept")
    assert kept == kept_folder("kept")
    assert kept.stat().st_mode & 0o777 == 0o700
    kept.chmod(0o777)
    another = kept_folder("kept")
    assert another != kept
    assert is_ours(another)
    kept.rmdir()
    kept.symlink_to(tmp_path)
    assert kept_folder("kept") != kept, "a link leads to where somebody else wants"
    kept.unlink()
    kept.touch()
    assert is_ours(kept_folder("kept"))
