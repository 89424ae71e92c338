"""Files beside a study that are called as our packages are: they stand for none of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from robustness.package_finder import PACKAGES
from tests.support.own_modules import FILE, MINE

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ("-P", "-c", "import sys; from robustness.cli import main; sys.exit(main())")
MODULE = ("-m", "robustness.cli")


@pytest.fixture(name="beside")
def study_beside(tmp_path: Path) -> Path:
    """A folder with a study of its own module, and files called as our packages, and a folder of ours, are."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "mine.py").write_text(MINE)
    (folder / "points.yaml").write_text(FILE)
    for name in [*PACKAGES, "published"]:
        (folder / f"{name}.py").write_text(f"raise ImportError('this is {name} beside the study')")
    return folder


def run(command: tuple[str, ...], cwd: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command, *map(str, arguments)],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "ROBUSTNESS_PUBLISHED": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", [CONSOLE, MODULE], ids=["from elsewhere", "in its folder by python -m"])
def test_a_study_beside_them_is_trained_and_reported(beside: Path, command: tuple[str, ...]) -> None:
    if command == MODULE:
        (beside / "robustness.py").unlink()  # which `python -m` itself would start
    done = run(
        command,
        beside if command == MODULE else beside.parent,
        "run",
        beside / "points.yaml",
        "--smoke",
        "--results",
        beside.parent / "results",
    )
    assert done.returncode == 0, done.stderr
    assert "1 runs trained, 0 failed" in done.stdout
    assert "<html" in (beside.parent / "results" / "points-smoke" / "report.html").read_text()


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_class_of_such_a_file_is_refused_by_its_name(beside: Path, name: str) -> None:
    (beside / f"{name}.py").write_text(MINE)
    (beside / "points.yaml").write_text(FILE.replace("mine:", f"{name}:"))
    done = run(CONSOLE, beside.parent, "validate", beside / "points.yaml")
    assert done.returncode == 2
    file = beside / f"{name}.py"
    assert f"workload.name: {file} has the name of a package of this program: give it another name" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_other_files_called_as_modules_inside_ours_are_ones_own(beside: Path) -> None:
    (beside / "published.py").write_text(MINE)
    (beside / "points.yaml").write_text(FILE.replace("mine:", "published:"))
    assert run(CONSOLE, beside.parent, "validate", beside / "points.yaml").returncode == 0
