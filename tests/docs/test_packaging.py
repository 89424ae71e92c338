"""The wheel: complete, and its study files are found from any folder."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.wheel import ROOT, installed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["installed"]


pytestmark = pytest.mark.slow


def test_it_holds_the_three_packages_and_what_is_published_and_nothing_else(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"robustness", "analysis", "search_spaces", "published"}
    kinds = {".py", ".yaml", ".css", ".parquet"}
    for package in names:
        expected = {p.relative_to(ROOT) for p in (ROOT / package).rglob("*") if p.suffix in kinds}
        assert expected <= {p.relative_to(installed) for p in installed.rglob("*")}
    assert "Apache License" in next(installed.glob("*.dist-info/licenses/LICENSE")).read_text()


def test_study_files_are_found_from_any_folder(installed: Path, tmp_path: Path) -> None:
    code = "import robustness; print(robustness.__file__); from robustness.cli import main; main(['plan', 'digits'])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed)), "it is the installed package that ran"
    assert "digits: 1638 runs, 0 stored" in done.stdout
