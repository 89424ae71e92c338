"""A sweep takes what is published, and trains nothing that is."""

from __future__ import annotations

import shutil
import socket
import warnings
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from robustness import sweep
from robustness.cli import main
from robustness.plan import plan
from robustness.plan.plan_text import plan_summary
from robustness.published.shipped import published, take, to_train
from robustness.results import ResultsWarning, Store, load
from robustness.study import Study
from robustness.sweep.in_process import run_here
from robustness.sweep.start import begin
from tests.support.published_cases import (  # noqa: F401
    FILE,
    RUNS_OF_IT,
    content,
    digested,
    larger,
    small_given,
    small_made,
    small_study,
    small_trained,
    without_host,
)
from tests.support.stored_rows import failed

if TYPE_CHECKING:
    from pathlib import Path


def test_run_takes_what_is_published_and_starts_nothing(
    given: Path, study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan_summary(plan(study, Store("results/small"))).startswith(
        "small: 36 runs, 0 stored, 36 published, 0 to train"
    )
    monkeypatch.setattr("robustness.sweep.ray_session.connect", None)
    assert main(["run", "published/small/study.yaml", "--no-report"]) == 0
    assert "0 runs trained, 0 failed, 36 taken from published results" in capsys.readouterr().out
    taken = load("small").runs
    assert set(taken["copied_from"]) == {"small"}
    kept = taken.columns.drop("copied_from")
    assert_frame_equal(taken[kept], load("small", "published").runs[kept], check_exact=True)
    assert_frame_equal(load("small").curves, load("small", "published").curves, check_exact=True)
    assert main(["run", "published/small/study.yaml", "--no-report"]) == 0
    assert "taken" not in capsys.readouterr().out
    assert len(Store("results/small").reader.names("runs")) == 1, "taken once"


def test_only_what_is_new_is_trained(given: Path, trained: Path, capfd: pytest.CaptureFixture[str]) -> None:
    extended = larger()
    assert plan(extended, Store("results/small")).left == 12
    done = run_here(extended, "results")
    assert (done.trained, done.taken, done.failed) == (12, RUNS_OF_IT, 0)
    assert "36 runs taken from published results" in capfd.readouterr().err
    runs = load("small").runs
    assert len(runs) == 48
    old = runs[runs["host"] == "-"].drop(columns="host").reset_index(drop=True)
    assert set(old["copied_from"]) == {"small"}
    columns = old.columns.drop("copied_from")
    assert_frame_equal(old[columns], without_host(trained)[columns], check_exact=True)


def test_rows_are_found_by_id_under_any_name(given: Path) -> None:
    other = Study.parse(f"name: other\n{FILE.replace('0.003, 0.03, 0.3', '0.03')}", "other.yaml")
    with begin(other, "results") as start:
        assert (start.taken, start.source.done, start.source.total) == (12, 12, 12)
        assert start.source.next() == []
    assert set(load("other").runs["lr"]) == {0.03}


def test_own_rows_stay_as_they_are(given: Path, study: Study, trained: Path) -> None:
    shutil.copytree(trained / "small", "results/small")
    store = Store("results/small")
    assert take(study, store, store.runs()) == 0
    assert set(store.runs()["host"]) == {socket.gethostname()}


def test_a_failed_row_gives_way_to_a_published_one(given: Path, study: Study) -> None:
    store = Store("results/small")
    store.write_failed(failed(0, run_id=study.grid()[0].run_id))
    assert take(study, store, store.runs()) == RUNS_OF_IT
    assert "failed" not in set(store.runs()["status"])
    assert not [name for name in store.reader.names("runs") if name.startswith("failed")]


def test_without_published_results(given: Path, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    with begin(study, "results", use_published=False) as start:
        assert (start.taken, start.source.done) == (0, 0)
    assert to_train(study, Store("results/small"), use_published=False)
    assert not to_train(study, Store("results/small"))
    asked = {}

    def told(study: Study, results: str, **options: object) -> sweep.Sweep:
        asked.update(options)
        raise sweep.SweepError("enough")

    monkeypatch.setattr(sweep, "run", told)
    assert main(["run", "published/small/study.yaml", "--no-published"]) == 1
    assert asked["use_published"] is False
    assert main(["run", "published/small/study.yaml"]) == 1
    assert asked["use_published"] is True


def test_the_variable_names_another_folder_or_none(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(published()) == ["small"]
    monkeypatch.setenv("ROBUSTNESS_PUBLISHED", "")
    assert published() == {}
    moved = given.parent.rename(given.parent.parent / "elsewhere")
    monkeypatch.setenv("ROBUSTNESS_PUBLISHED", str(moved))
    assert str(published()["small"].root) == str(moved / "small")
    monkeypatch.setenv("ROBUSTNESS_PUBLISHED", str(moved / "nothing"))
    assert published() == {}
    monkeypatch.delenv("ROBUSTNESS_PUBLISHED")
    assert published() == {}
    monkeypatch.setattr("robustness.published.shipped.PACKAGED", moved)
    assert list(published()) == ["small"], "what came with the package is found from any folder"


@pytest.mark.parametrize("which", ["runs", "curves"])
def test_a_damaged_file_is_a_warning_and_its_runs_are_trained(
    given: Path, study: Study, which: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # the command line puts its own there
    warnings.simplefilter("always", ResultsWarning)
    path = given / which / "small.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    before = content(given)
    with (
        pytest.warns(ResultsWarning, match=f"are left out: .*{which}/small.parquet is not the file that was published"),
        begin(study, "results") as start,
    ):
        assert (start.taken, start.source.done) == (0, 0)
    assert content(given) == before, "it is not moved either"
    assert main(["report", str(given)]) == 1
    said = capsys.readouterr().err
    assert f"error: {given}/{which}/small.parquet is not the file that was published: its SHA-256 is" in said
    assert "publish the study anew with `robustness publish`" in said
    assert content(given) == before


def test_results_of_a_newer_version_are_left_out(given: Path, study: Study) -> None:
    path = given / "runs" / "small.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({b"robustness_schema_version": b"99"}), path)
    digested(given)
    store = Store("results/small")
    with pytest.warns(ResultsWarning, match="are left out: .* newer version"):
        assert take(study, store, store.runs()) == 0


def test_nobody_trains_into_a_published_study(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(given)
    assert main(["run", "published/small/study.yaml", "--results", "published"]) == 1
    assert "published results are not written to" in capsys.readouterr().err
    assert content(given) == before


def test_a_search_takes_what_it_chose_under_its_own_name(
    tmp_path: Path, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FILE.replace("lr: [0.003, 0.03, 0.3]", "lr: {low: 0.003, high: 0.3}").replace("seeds", "search: {}\nseeds")
    few, many = (text.replace("{}", f"{{sampler: random, cells: {cells}}}") for cells in (2, 3))
    run_here(Study.parse(few, "found.yaml"), tmp_path / "first", quiet=True, use_published=False)
    assert main(["publish", "found", "--results", str(tmp_path / "first"), "--to", "published"]) == 0
    with begin(Study.parse(many, "found.yaml"), "results") as start:
        assert (start.taken, start.source.done, start.source.total) == (8, 8, 12)
    with begin(Study.parse(f"name: another\n{many}", "another.yaml"), "results") as start:
        assert (start.taken, start.source.done) == (0, 0)
