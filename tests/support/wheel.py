"""This project as others get it: installed from its wheel, or from a wheel that is made of its source archive."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation from the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    return install(tracked_files(folder / "tree"), folder / "site")


def tracked_files(folder: Path) -> Path:
    """Copy what git tracks into `folder`, as a clone would have it."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return folder


def source_archive(tree: Path, folder: Path) -> Path:
    """Make the archive of sources that is published beside the wheel."""
    folder.mkdir()
    code = f"from setuptools.build_meta import build_sdist; build_sdist({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=tree, check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def install(source: Path, site: Path) -> Path:
    """Install a tree of sources or an archive into the folder `site`, without a network; return it."""
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(site), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return site
