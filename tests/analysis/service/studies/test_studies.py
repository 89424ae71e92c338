"""What is stored, as the pages see it: read how often, kept how long, and named how."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from analysis.service.studies import answers
from analysis.service.studies import studies as stored
from analysis.service.studies.studies import Studies
from tests.support import synthetic_store
from tests.support.noted import noted
from tests.support.service_pages import snapshot_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return synthetic_store.of_study()


def test_a_key_in_a_uri_is_not_shown() -> None:
    assert Studies("s3://key:secret@bucket/results?x=1").place == "s3://***@bucket/results?x=***"


def test_what_is_stored_is_read_again_only_after_a_write_and_not_at_every_question(
    tmp_path: Path, runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    synthetic_store.store(tmp_path / "demo", runs.iloc[:40], parts=1)
    studies = Studies(str(tmp_path))
    first = snapshot_of(studies, "demo")
    assert first.line.done == 40
    synthetic_store.store(tmp_path / "demo", runs.iloc[40:60], parts=1)
    assert studies.snapshot("demo") is first
    now[0] += 10
    second = snapshot_of(studies, "demo")
    assert second.line.done == 60
    assert second.stamp != first.stamp
    now[0] += 10
    assert studies.snapshot("demo") is second
    assert studies.lines() == [second.line]


def test_only_the_last_studies_are_kept_in_memory(
    tmp_path: Path, runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "KEPT", 2)
    for name in "abc":
        synthetic_store.store(tmp_path / name, runs.iloc[:9], synthetic_store.STUDY.replace("demo", name), parts=1)
    studies = Studies(str(tmp_path))
    a = studies.snapshot("a")
    assert studies.snapshot("a") is a
    for name in "bc":
        studies.snapshot(name)
    assert studies.snapshot("a") is not a


def test_an_answer_stands_while_runs_come_in(
    tmp_path: Path, runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "CHECK_S", 0.0)
    monkeypatch.setattr(stored, "REST", 0.0)
    made: list[int] = []
    monkeypatch.setattr(answers, "REST", 1e9)
    monkeypatch.setattr(answers, "headline", lambda contents: noted(made, len(contents.runs), "said"))
    synthetic_store.store(tmp_path / "demo", runs.iloc[:400])
    studies, kept = Studies(str(tmp_path)), answers.Answers()
    snapshot = snapshot_of(studies, "demo")
    first = kept.of(snapshot, snapshot.workloads[0], 1.0)
    assert kept.of(snapshot, snapshot.workloads[0], 1.0) is first
    synthetic_store.store(tmp_path / "demo", runs.iloc[400:], parts=1)
    later = snapshot_of(studies, "demo")
    assert later.stamp != first.stamp
    assert kept.of(later, later.workloads[0], 1.0) is first
    assert kept.of(later, later.workloads[0], 2.0).delta == 2.0
    monkeypatch.setattr(time, "monotonic", lambda: first.until + 1)
    assert kept.of(later, later.workloads[0], 1.0).stamp == later.stamp
    assert made == [400, 1296, 1296]
