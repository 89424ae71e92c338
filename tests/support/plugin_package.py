"""A package as others write them, with one optimizer, workload, measure and figure, installed into a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
SOURCE = HERE / "tests" / "data" / "plugin_package"
NAME, VERSION = "made-up-robustness", "1.2"

STUDY = """\
workload: {name: points, epochs: 3, batch_size: 30}
optimizers: [signs, {name: signs, label: half, scale: 0.5}, adamw]
space: {lr: [0.001, 0.01, 0.1], weight_decay: [1.0e-4, 1.0e-3]}
seeds: 3
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package; nothing is written beside its source, nothing downloaded."""
    # A build leaves files beside what it builds.
    source = shutil.copytree(SOURCE, tmp_path_factory.mktemp("source") / "package")
    target = tmp_path_factory.mktemp("site")
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet")
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(source)]
    subprocess.run(command, check=True, cwd=target)
    return target


@pytest.fixture(scope="session")
def trained(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results of such a study."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "made.yaml").write_text(STUDY)
    code = (
        "from robustness import Study; from robustness.sweep.in_process import run_here\n"
        "print(run_here(Study.load('made.yaml'), 'results', quiet=True))"
    )
    python(code, site, cwd=folder)
    return folder


def python(code: str, *folders: Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter that has what is installed in `folders`."""
    path = os.pathsep.join(map(str, (*folders, HERE)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", code],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def cli(*arguments: str, folders: tuple[Path, ...], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in a fresh interpreter that has what is installed in `folders`."""
    code = f"import sys; from robustness.cli import main; sys.exit(main({list(arguments)!r}))"
    return python(code, *folders, cwd=cwd, check=False)


def broken(target: Path, group: str, name: str = "broken") -> Path:
    """Put a package into `target`, as installing would, whose entry point of a group cannot be imported."""
    (target / "broken_rows.py").write_text("raise RuntimeError('no good\\non two lines')\n")
    info = target / "broken_rows-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-rows\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = broken_rows:Row\n")
    return target
