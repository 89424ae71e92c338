"""The wheel: complete, and its study files are found from any folder."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel's files, unpacked as an installation would have them."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, tree],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_it_holds_the_three_packages_and_what_is_published_and_nothing_else(installed):
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"robustness", "analysis", "search_spaces", "published"}
    kinds = {".py", ".yaml", ".css", ".parquet"}
    for package in names:
        expected = {p.relative_to(ROOT) for p in (ROOT / package).rglob("*") if p.suffix in kinds}
        assert expected <= {p.relative_to(installed) for p in installed.rglob("*")}
    assert "Apache License" in next(installed.glob("*.dist-info/licenses/LICENSE")).read_text()


def test_study_files_are_found_from_any_folder(installed, tmp_path):
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
