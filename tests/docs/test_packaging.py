"""Wheel and source archive: complete, three names at the top, and what they bring is found from any folder."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.support.wheel import ROOT, install, source_archive, tracked_files

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

INSIDE = {"published": "robustness/published/data"}
"""Folders of the repository that lie elsewhere in an installation."""


@pytest.fixture(scope="module", params=["wheel", "source archive"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation")
    tree = tracked_files(folder / "tree")
    source = tree if request.param == "wheel" else source_archive(tree, folder / "archives")
    return install(source, folder / "site")


def robustness(site: Path, folder: Path, *arguments: str) -> str:
    """Return what the installed command prints in `folder`, which lies outside of any checkout."""
    code = "import sys, robustness; print(robustness.__file__); from robustness.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site)), "it is the installed package that ran"
    return done.stdout


def test_it_holds_the_three_packages_and_nothing_else(site: Path) -> None:
    names = {path.name for path in site.iterdir() if not path.name.endswith(".dist-info")} - {"bin"}
    assert names == {"robustness", "analysis", "search_spaces"}
    kinds = {".py", ".yaml", ".json", ".css", ".html", ".js", ".parquet"}
    there = {str(path.relative_to(site)) for path in site.rglob("*")}
    for folder in [*names, "published"]:
        files = [path for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
        expected = {f"{INSIDE.get(folder, folder)}/{path.relative_to(ROOT / folder)}" for path in files}
        assert expected
        assert expected <= there
    assert "Apache License" in next(site.glob("*.dist-info/licenses/LICENSE")).read_text()


def test_study_files_are_found_from_any_folder(site: Path, tmp_path: Path) -> None:
    assert "digits: 1638 runs, 0 stored" in robustness(site, tmp_path, "plan", "digits")


def test_a_published_study_is_taken_whole_from_the_installation(site: Path, tmp_path: Path) -> None:
    said = robustness(site, tmp_path, "run", "cifar10", "--results", "mine")
    assert "0 runs trained, 0 failed, 504 taken from published results" in said
    rows = pd.read_parquet(tmp_path / "mine" / "cifar10" / "runs").set_index("run_id").sort_index()
    origin = pd.read_parquet(ROOT / "published" / "cifar10" / "runs").set_index("run_id").sort_index()
    assert set(rows["copied_from"]) == {"cifar10"}
    kept = rows.columns.drop("copied_from")
    pd.testing.assert_frame_equal(rows[kept], origin[kept], check_exact=True)
    assert "<html" in (tmp_path / "mine" / "cifar10" / "report.html").read_text()


def test_published_studies_are_listed_from_the_installation(site: Path, tmp_path: Path) -> None:
    said = robustness(site, tmp_path, "list")
    names = {path.parent.name for path in (ROOT / "published").glob("*/published.json")}
    section = said.partition("Published, there without training:\n")[2].partition("Stored in")[0]
    assert {line.split()[0] for line in section.splitlines()} == names
