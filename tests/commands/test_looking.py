"""Commands that look leave a user's files as they are, whatever lies among the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from robustness.cli import main
from robustness.results import ResultsWarning, load
from tests.support import synthetic_store

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.filterwarnings("always::robustness.results.ResultsWarning")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A study with a table of somebody else's among its runs."""
    synthetic_store.store(tmp_path / "results" / "demo", synthetic_store.of_study())
    pd.DataFrame({"name": ["a"], "score": [1.0]}).to_parquet(tmp_path / "results" / "demo" / "runs" / "mine.parquet")
    return tmp_path


@pytest.mark.parametrize("command", ["list", "report", "claims", "compare", "plan", "pull"])
def test_a_table_of_somebody_elses_stays_where_it_is(
    command: str, demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(demo)
    before = files(demo / "results" / "demo")
    arguments = {
        "list": [],
        "report": ["demo", "--out", "page.html"],
        "claims": ["demo", "--json", "claims.json"],
        "compare": ["demo", "demo"],
        "plan": ["results/demo/study.yaml"],
        "pull": ["demo", "--to", "copy"],
    }
    assert main([command, *arguments[command]]) == 0, capsys.readouterr().err
    said = " ".join(capsys.readouterr().err.split())
    assert "mine.parquet is not usable" in said
    assert "ignored where it is" in said
    assert files(demo / "results" / "demo") == before


def test_load_leaves_it_too(demo: Path) -> None:
    before = files(demo)
    results = load("demo", demo / "results")
    with pytest.warns(ResultsWarning, match=r"mine\.parquet is not usable.*ignored where it is"):
        assert len(results.runs) == 1296
    assert files(demo) == before


@pytest.mark.parametrize("command", ["report", "claims"])
def test_a_folder_of_nothing_else_gives_an_error_and_no_empty_page(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "demo" / "runs"
    folder.mkdir(parents=True)
    pd.DataFrame({"name": ["a"], "score": [1.0]}).to_parquet(folder / "mine.parquet")
    before = files(tmp_path)
    assert main([command, "demo"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "results/demo holds no run, for runs/mine.parquet cannot be used" in said
    assert files(tmp_path) == before
