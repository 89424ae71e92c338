"""The command line: exit codes, messages, and no traceback for whatever a person may type."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from robustness import Store, Study, load
from robustness.cli import main
from robustness.results.tables.arrow import to_table
from robustness.results.tables.parquet import encode
from robustness.results.tables.schema import RUNS, VERSION_KEY
from robustness.worker.attempts import lost_row
from tests.support.stored_rows import row

if TYPE_CHECKING:
    from pathlib import Path

STUDY = """\
name: t
workload: digits
optimizers: [adams, adam]
space: {lr: [1e-3, 1e-2], weight_decay: [0, 1e-3]}
seeds: 2
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    path = tmp_path / "t.yaml"
    path.write_text(STUDY)
    return path


def store_some(path: Path, results: Path, count: int) -> None:
    study = Study.load(path)
    store = Store(results / study.name)
    for run in study.grid()[:count]:
        row = lost_row(run, "", "grid") | {"status": "completed", "reason": None, "duration_s": 2.0}
        store.write(run.run_id, [row | {"test_error": 5.0, "finished_at": datetime.now(UTC)}], [])
    store.write_study(study.text)


def test_validate_a_good_and_a_bad_file(study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(study_file)]) == 0
    assert "a valid study" in capsys.readouterr().out
    bad = tmp_path / "bad.yaml"
    bad.write_text(STUDY.replace("seeds: 2", "seed: 2").replace("digits", "digit"))
    assert main(["validate", str(study_file), str(bad)]) == 2
    captured = capsys.readouterr()
    assert "a valid study" in captured.out
    assert f"{bad}:5: seed: unknown key" in captured.err
    assert f"{bad}:2: workload: unknown workload 'digit'" in captured.err


@pytest.mark.parametrize("command", ["run", "plan", "validate"])
def test_bad_studies_are_exit_code_2_without_a_traceback(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(tmp_path / "absent.yaml")]) == 2
    error = capsys.readouterr().err
    assert "there is no such file" in error
    assert "Traceback" not in error


def test_plan_counts_what_is_stored_and_estimates_the_rest(
    study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    assert main(["plan", str(study_file), "--results", str(results)]) == 0
    out = capsys.readouterr().out
    assert "16 runs, 0 stored, 16 to train" in out
    assert "no run of this workload is stored" in out
    assert not results.exists(), "planning writes nothing"
    store_some(study_file, results, 6)
    main(["plan", str(study_file), "--results", str(results)])
    out = capsys.readouterr().out
    assert "16 runs, 6 stored, 10 to train" in out
    assert "2 s a run" in out
    store_some(study_file, results, 16)
    main(["plan", str(study_file), "--results", str(results)])
    assert "nothing to train" in capsys.readouterr().out


def test_list_names_study_files_and_stored_studies(
    study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--results", str(tmp_path / "none")]) == 0
    out = capsys.readouterr().out
    assert "digits" in out
    assert "nothing yet" in out
    store_some(study_file, tmp_path / "results", 3)
    main(["list", "--results", str(tmp_path / "results")])
    assert "3 completed" in capsys.readouterr().out


@pytest.fixture
def beside_a_newer(study_file: Path, tmp_path: Path) -> Path:
    """A results folder with a study of this version, and one that a newer version wrote."""
    store_some(study_file, tmp_path / "results", 3)
    newer = to_table([row(1)], RUNS).replace_schema_metadata({VERSION_KEY: b"999"})
    folder = tmp_path / "results" / "newer" / "runs"
    folder.mkdir(parents=True)
    (folder / "one.parquet").write_bytes(encode(newer))
    return tmp_path / "results"


def test_list_says_of_a_study_that_it_cannot_read_why_and_lists_the_others(
    beside_a_newer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--results", str(beside_a_newer)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("  newer ", "  t  "))]
    assert "cannot be read: " in lines[0]
    assert "was written by a newer version" in lines[0]
    assert lines[1].endswith("3 completed")


@pytest.mark.filterwarnings("always::robustness.results.ResultsWarning")
def test_plan_looks_past_a_study_that_it_cannot_read(
    beside_a_newer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(STUDY.replace("name: t", "name: other"))
    assert main(["plan", str(other), "--results", str(beside_a_newer)]) == 0
    captured = capsys.readouterr()
    assert "2 s a run" in captured.out, "by the runs of the study that can be read"
    assert "warning: the times of newer are left out: " in captured.err
    assert "was written by a newer version" in captured.err


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


def test_a_complete_study_needs_no_ray(study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results"
    store_some(study_file, results, 16)
    assert main(["run", str(study_file), "--results", str(results), "--no-report"]) == 0
    assert "0 runs trained" in capsys.readouterr().out
    assert len(load("t", results).runs) == 16


def test_failures_are_told_with_their_reasons(
    study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from robustness import sweep

    def fail_some(study: Study, results: str, **_: object) -> sweep.Sweep:
        store = Store(tmp_path / "results" / study.name)
        for place, run in enumerate(study.grid()[:5]):
            store.write_failed(lost_row(run, "MemoryError: no room" if place else "ValueError: odd", "grid"))
        return sweep.Sweep(store.root, 11, 5, interrupted=False)

    monkeypatch.setattr(sweep, "run", fail_some)
    assert main(["run", str(study_file), "--results", str(tmp_path / "results"), "--no-report"]) == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "16 of 16 runs have no result:"
    assert error[1] == "  adams, lr 0.001, weight decay 0, seeds 0 1: ValueError: odd"
    assert error[2] == "  adams, lr 0.001, weight decay 0.001, seeds 0 1: MemoryError: no room"
    assert error[-2].endswith("seeds 0 1: not trained")
    assert "tries them again" in error[-1]


def test_results_that_cannot_be_written_are_a_clear_error(
    study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").write_text("a file where a folder should be")
    assert main(["run", str(study_file), "--results", str(tmp_path / "results")]) == 1
    error = capsys.readouterr().err
    assert str(tmp_path / "results") in error
    assert "Traceback" not in error


def test_a_report_that_cannot_be_written_is_a_clear_error(
    study_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_some(study_file, tmp_path / "results", 4)
    (tmp_path / "file").write_text("")
    arguments = ["report", "t", "--results", str(tmp_path / "results"), "--out", str(tmp_path / "file" / "r.html")]
    assert main(arguments) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


@pytest.mark.slow
def test_an_address_where_nothing_answers_is_a_clear_error(study_file: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "robustness.cli", "run", str(study_file), "--address", "127.0.0.1:9"),
            *("--results", str(tmp_path / "results")),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "no Ray cluster answers at '127.0.0.1:9'" in done.stderr
    assert "Traceback" not in done.stderr


def test_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["train"])
    assert stopped.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        "robustness",
        "robustness.cli",
        "analysis",
        "analysis.report.report",
        "analysis.claims.terminal",
        "robustness.plan",
    ],
)
def test_looking_loads_neither_torch_nor_ray(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('torch', 'ray', 'optuna') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
