"""The folder of a Ray that is started here: private, short, and gone at the end or, after a kill, at the next start."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from robustness import private_files
from robustness.errors import ClusterError
from robustness.sweep import ray_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLED = """
import os, signal, sys
from robustness.sweep.ray_folder import ray_folder
with ray_folder() as folder:
    folder.mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(name="place")
def short_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make /tmp/xxxxxxxx the one place for temporary files: pytest's own is too long."""
    with tempfile.TemporaryDirectory(prefix="", dir="/tmp") as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_nobody_else_can_look_into_it_and_it_is_gone_however_its_use_ends(
    error: type[BaseException] | None, place: Path
) -> None:
    def use() -> None:
        with ray_folder.ray_folder() as folder:
            (folder / "session").mkdir(parents=True)
            folder.chmod(0o777)  # as Ray does
            assert folder.parent.parent == place
            assert folder.parent.stat().st_mode & 0o777 == 0o700
            assert len(f"{folder}{ray_folder.BELOW}") <= ray_folder.LONGEST_SOCKET
            if error:
                raise error

    if error:
        with pytest.raises(error):
            use()
    else:
        use()
    assert left(place) == []


def test_what_a_killed_process_left_goes_with_the_next_start_and_nothing_else_does(place: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert len(left(place)) == 1, "the kill left it"
    lives, strange, link = (place / f"{ray_folder.PREFIX}{name}" for name in ("lives", "strange", "link"))
    lives.mkdir(mode=0o700)
    strange.mkdir(mode=0o700)
    link.symlink_to(lives)
    with FileLock(lives / ray_folder.LOCK), ray_folder.ray_folder():
        pass
    assert left(place) == [link.name, lives.name, strange.name]


@pytest.mark.parametrize("name", ["x" * 60, "x" * 200, "ü"])
def test_a_tmpdir_that_ray_does_not_take_is_passed_over(
    name: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = (place if len(name) == 1 else tmp_path) / name
    long.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with ray_folder.ray_folder() as folder:
        assert len(f"{folder}{ray_folder.BELOW}") <= ray_folder.LONGEST_SOCKET
    assert not folder.parent.exists()


def test_where_no_place_is_short_enough_it_is_said_which_variable_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(private_files, "USUAL", ())
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with (
        pytest.raises(ClusterError, match=r"at most \d+ characters of ASCII .* set RAY_TMPDIR \(or TMPDIR\)"),
        ray_folder.ray_folder(),
    ):
        raise AssertionError
