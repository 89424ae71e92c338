"""Where torch keeps what it has compiled: it unpickles and loads what it finds there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from robustness.private_files import is_ours
from robustness.training import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let nothing have been compiled in this process."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(compiled.CACHE, "")
    compiled._keep_others_out.cache_clear()
    yield
    compiled._keep_others_out.cache_clear()


def test_it_is_a_folder_of_ours_alone(tmp_path: Path) -> None:
    (tmp_path / f"robustness-compiled-{os.geteuid()}").mkdir()
    (tmp_path / f"robustness-compiled-{os.geteuid()}").chmod(0o777)  # somebody else was first
    compiled.Compiled(abs, "cpu", "inductor")
    folder = Path(os.environ[compiled.CACHE])
    assert is_ours(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_it_is_the_users_where_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.CACHE, str(tmp_path))
    compiled.Compiled(abs, "cpu", "inductor")
    assert os.environ[compiled.CACHE] == str(tmp_path)
