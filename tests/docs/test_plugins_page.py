"""The page of plug-ins: the package that it shows is the one that the tests install."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

from tests.support.plugin_package import HERE, SOURCE, STUDY

PAGE = (HERE / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"^```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = sorted(file for file in SOURCE.rglob("*") if file.suffix in {".py", ".toml"} and file.name != "__init__.py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_is_shown_whole_under_its_name(file: Path) -> None:
    assert file.read_text() in BLOCKS
    assert f"`{file.relative_to(SOURCE).as_posix()}`:" in PAGE


def test_the_study_names_what_the_package_brings() -> None:
    assert any("workload: points" in block and "optimizers: [signs, " in block for block in BLOCKS)
    assert "optimizers: [signs, {name: signs, label: half, scale: 0.5}, adamw]" in STUDY
    for page in ("README.md", "docs/own-workloads.md"):
        assert "plugins.md" in (HERE / page).read_text()
