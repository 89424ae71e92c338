"""The record of a sweep."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from robustness import provenance
from robustness.provenance import code_version, collect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    code_version.cache_clear()
    yield
    code_version.cache_clear()


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "module.py").write_text("x = 1\n")
    git(tmp_path, "add", "module.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_the_record_holds_what_it_should() -> None:
    before = datetime.now(UTC)
    record = json.loads(json.dumps(collect(["robustness", "run", "my study"])))
    assert record["command_line"] == "robustness run 'my study'"
    assert before <= datetime.fromisoformat(record["started_at"]) <= datetime.now(UTC)
    assert record["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert record["versions"]["torch"] == metadata.version("torch")
    assert set(record["versions"]) >= {"robustness", "ray", "optuna", "numpy", "pandas", "pyarrow"}
    assert record["cpu"]["count"] >= record["cpu"]["usable"] >= 1
    assert record["host"]
    assert record["platform"]
    assert not {"user", "login", "home"} & set(record)


def test_a_package_that_is_not_installed_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-distribution",))
    assert collect("x")["versions"]["no-such-distribution"] is None


def test_keys_in_a_uri_are_blotted_out() -> None:
    line = collect(["robustness", "run", "digits", "--results", "s3://key:secret@bucket/x?region=eu"])["command_line"]
    assert "secret" not in line
    assert "key" not in line
    assert "bucket/x?region=eu" in line


def test_a_clean_and_a_changed_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert provenance.git_commit(checkout / "module.py") == {"commit": commit, "dirty": False}
    (checkout / "untracked.txt").write_text("x")
    assert provenance.git_commit(checkout / "module.py") == {"commit": commit, "dirty": False}
    (checkout / "module.py").write_text("x = 2\n")
    changed = {"commit": commit, "dirty": True}
    assert provenance.git_commit(checkout / "module.py") == changed
    monkeypatch.setattr(provenance, "git_commit", lambda: changed)
    monkeypatch.setattr(provenance, "version_of", lambda name: "1.2.3")
    assert code_version() == f"1.2.3+{commit[:7]}.dirty"


def test_another_repository_is_not_taken_for_ours(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = checkout / ".venv" / "package.py"
    installed.parent.mkdir()
    installed.write_text("")
    assert provenance.git_commit(installed) is None
    outside = tmp_path_factory.mktemp("outside") / "package.py"
    outside.write_text("")
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git"))  # as inside a git hook
    assert provenance.git_commit(outside) is None


def test_without_git_and_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "module.py").write_text("")
    git(tmp_path, "add", "module.py")
    assert provenance.git_commit(tmp_path / "module.py") is None
    monkeypatch.setenv("PATH", "")
    assert collect("x")["git"] is None
    monkeypatch.setattr(provenance, "version_of", lambda name: "1.2.3")
    assert code_version() == "1.2.3"


def test_the_cpu_is_named(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nprocessor\t: 1\nmodel name\t: Some CPU @ 2 GHz\n")
    assert provenance.cpu_model(info) == "Some CPU @ 2 GHz"
    assert provenance.cpu_model(tmp_path / "none") != ""


def test_gpus_are_read_from_the_driver(tmp_path: Path) -> None:
    for name in ("0000:02:00.0", "0000:01:00.0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "information").write_text(f"Model: \t\t NVIDIA X{name[6]}\nIRQ:   \t\t 20\n")
    assert provenance.gpu_models(tmp_path) == ["NVIDIA X1", "NVIDIA X2"]
    assert provenance.gpu_models(tmp_path / "absent") == []
