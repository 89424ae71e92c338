"""What `run` says last of a study in which nothing was learnt: it is no result to go on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robustness.commands.running import say_of_nothing_learnt
from robustness.results import Store
from robustness.study import Study
from tests.support import synthetic_store

if TYPE_CHECKING:
    from pathlib import Path

CASES = {
    ("diverged", "diverged"): "1296 diverged of 1296",
    ("completed", "completed"): "1296 ended no better than chance of 1296",
    ("diverged", "completed"): "648 diverged and 648 ended no better than chance of 1296",
}


@pytest.mark.parametrize(("states", "words"), CASES.items())
def test_where_no_run_has_learnt_anything_that_is_said_and_no_best(
    states: tuple[str, str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = synthetic_store.of_study()
    half = len(runs) // 2
    lost = runs.assign(status=[states[0]] * half + [states[1]] * (len(runs) - half), test_error=90.0)
    synthetic_store.store(tmp_path / "demo", lost, synthetic_store.STUDY, parts=1)
    say_of_nothing_learnt(Study.parse(synthetic_store.STUDY), Store(tmp_path / "demo").runs())
    said = " ".join(capsys.readouterr().err.split())
    assert f"digits: no run has learnt anything: {words}. There is no best error." in said


def test_where_one_has_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthetic_store.store(tmp_path / "demo", synthetic_store.of_study(), synthetic_store.STUDY, parts=1)
    say_of_nothing_learnt(Study.parse(synthetic_store.STUDY), Store(tmp_path / "demo").runs())
    assert capsys.readouterr().err == ""
