"""A user without a home: what asks for one goes on without, or says what to set."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from robustness import provenance
from robustness.cli import main
from robustness.jobs import token
from robustness.machine import home
from robustness.private_files import is_ours
from robustness.sweep.capacity import _autoscales
from robustness.sweep.ray_alone import ray_home
from robustness.workloads import places

NOWHERE = "/dev/null/home"
"""A home that nobody can make or write into, root neither."""


def unknown(_: int) -> None:
    raise KeyError("getpwuid(): uid not found")


@pytest.fixture(name="nobody")
def user_without_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom /etc/passwd does not have, and no HOME."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv(places.VARIABLE, raising=False)
    places._without_home.cache_clear()


@pytest.mark.usefixtures("nobody")
def test_a_path_with_a_tilde_is_refused_with_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.home() is None
    assert home.expanded("/a/b") == Path("/a/b")
    with pytest.raises(home.HomeError, match="begins with ~, and this user has no home: set HOME, got '~/x'"):
        home.expanded("~/x")
    with pytest.raises(SystemExit, match="2"):
        main(["list", "--results", "~/x"])
    assert "set HOME" in capsys.readouterr().err
    monkeypatch.setenv("ROBUSTNESS_PUBLISHED", "~/published")
    assert main(["list"]) == 2
    assert capsys.readouterr().err == (
        "error: a path begins with ~, and this user has no home: set HOME, got '~/published'\n"
    )


@pytest.mark.usefixtures("nobody")
def test_without_a_home_there_is_no_token_and_no_file_of_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE", "KUBERAY_GEN_RAY_START_CMD"):
        monkeypatch.delenv(name, raising=False)
    assert token._token() is None
    assert not _autoscales()


@pytest.mark.parametrize("where", [None, NOWHERE])
def test_data_then_lie_in_a_temporary_folder_of_ours(
    where: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    if where is None:
        monkeypatch.delenv("HOME", raising=False)
    else:
        monkeypatch.setenv("HOME", where)
    folder = places.data_folder()
    assert folder.parent == tmp_path
    assert is_ours(folder)
    assert places.data_folder() == folder


def test_rays_processes_get_a_home_where_the_user_has_none_and_nobody_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ray_home(str(tmp_path / "r")):
        assert not (tmp_path / "home").exists(), "the user's own is good"
    monkeypatch.setenv("HOME", NOWHERE)
    with ray_home(str(tmp_path / "r")):
        assert os.environ["HOME"] == str(tmp_path / "home")
        assert is_ours(tmp_path / "home")
        assert os.environ[places.VARIABLE] == str(places.data_folder()), "data are where the driver has them"
    assert os.environ["HOME"] == NOWHERE
    assert places.VARIABLE not in os.environ


def test_a_commit_is_read_of_a_checkout_of_another_user_if_it_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("to give a folder to another user takes root")
    git = ("git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org")
    file = tmp_path / "package" / "module.py"
    file.parent.mkdir()
    file.write_text("")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for each in (tmp_path, *tmp_path.rglob("*")):
        os.chown(each, 54321, 54321, follow_symlinks=False)
    assert provenance.git_commit(file) is None, "a foreign checkout around an installation may run what it likes"
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    found = provenance.git_commit(file)
    assert found is not None
    assert found["dirty"] is False
