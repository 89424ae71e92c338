"""What is on the screen while a sweep runs."""

from __future__ import annotations

import io
import time
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from robustness import Study
from robustness.search.source import RunOutcome
from robustness.sweep import progress as module
from robustness.sweep.progress import WAITING, Progress, ProgressLine
from robustness.worker.report import Report
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from robustness.study import Run


@pytest.fixture
def study() -> Study:
    return Study(
        name="t",
        workload="digits",
        optimizers=[{"name": "adams", "label": "A"}, {"name": "adam", "label": "B [x]"}],
        space={"lr": [1e-3, 1e-2, 1e-1], "weight_decay": [0, 1e-3]},
        seeds=1,
    )


def on_screen(study: Study, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> tuple[Progress, io.StringIO]:
    progress, text = Progress(study, total=12, done=2), StringIO()
    console = Console(file=text, force_terminal=terminal, width=100, highlight=False)
    monkeypatch.setattr(progress, "console", console)
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    return progress, text


def report(runs: list[Run], *outcomes: Any) -> Report:
    return Report(tuple(RunOutcome(run.run_id, *outcome) for run, outcome in zip(runs, outcomes, strict=True)))


def test_counts_and_best_errors(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, text = on_screen(study, monkeypatch, terminal=False)
    runs = study.grid()
    adams, adam = runs[:3], runs[6:8]
    with progress:
        progress.say(WAITING)
        progress.add(report(adams, ("completed", 4.0, 3.5), ("diverged", 90.0, 90.0), ("failed", None, None)), adams)
        progress.running = 2
        progress.add(report(adam, ("completed", 9.0, 2.25), ("completed", 1.0, 2.5)), adam)
    # Of B's cells the validation error chooses the second.
    lines = text.getvalue().splitlines()
    assert lines[0] == f"t: 2 of 12 runs · 0 running · 0 diverged · 0 failed · {WAITING}"
    assert lines[1] == "t: 5 of 12 runs · 0 running · 1 diverged · 1 failed · best A 3.50 %"
    assert lines[2] == "t: 5 of 12 runs · 2 running · 1 diverged · 1 failed · best A 3.50 %"
    assert lines[3].startswith(
        "t: 7 of 12 runs · 2 running · 1 diverged · 1 failed · best A 3.50 %, B [x] 2.50 % · 0 s left"
    )
    assert (progress.trained, progress.failed) == (4, 1)


def test_long_stacks_move_the_bar_and_the_time_left(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, text = on_screen(study, monkeypatch, terminal=False)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    runs = study.grid()
    progress.running = 6
    progress.part("a", runs[:4], 0.25)
    assert progress.line().begun == 1.0
    monkeypatch.setattr(time, "monotonic", lambda: 130.0)
    progress.part("a", runs[:4], 0.5)
    progress.part("b", runs[4:6], 0.5)
    line = str(progress.line())
    # Two runs' worth in 30 s, and 10 - 3 to go.
    assert line == "t: 2 of 12 runs · 6 running, 50 % through · 0 diverged · 0 failed · 105 s left".replace(
        "105 s", "2 min"
    )
    assert ProgressLine.parse(line) == progress.line(), "who follows a job sees its bar move too"
    assert text.getvalue().splitlines()[-1] == line
    progress.part("a", runs[:4], 0.0)
    progress.part("b", runs[4:6], 0.0)
    progress.add(Report(suspended=6), runs[:6])
    assert progress.line().begun == 0.0
    assert "6 runs are set down: the next sweep goes on with them" in text.getvalue()


def test_the_time_left_follows_the_pace_since_the_first_report(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, _ = on_screen(study, monkeypatch, terminal=False)
    runs = study.grid()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    progress.add(report(runs[:2], ("completed", 1.0, 1.0), ("completed", 1.0, 1.0)), runs[:2])
    assert progress.line().left is None
    progress.add(report(runs[2:4], ("completed", 1.0, 1.0), ("completed", 1.0, 1.0)), runs[2:4])
    monkeypatch.setattr(time, "monotonic", lambda: 110.0)
    assert progress.line().left == "30 s left", "two runs in 10 s, six to go"
    progress.total = 2000
    assert progress.line().left == "166 min left"


def test_a_terminal_gets_a_bar(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, _ = on_screen(study, monkeypatch, terminal=True)
    text = StringIO()
    runs = study.grid()[:1]
    progress.add(report(runs, ("completed", 4.0, 3.5)), runs)
    Console(file=text, width=100, force_terminal=False).print(progress)
    bar, status = text.getvalue().splitlines()
    assert "t" in bar
    assert "3/12 runs" in bar
    assert status == "0 running · 0 diverged · 0 failed · best A 3.50 %"


def test_the_first_ctrl_c_says_what_happens(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, _ = on_screen(study, monkeypatch, terminal=True)
    progress.stopping(36)
    words = "stopping: up to 36 runs are being finished and stored, or set down"
    assert progress.line().status.endswith(f"{words}; Ctrl-C again stops now")
    job, text = on_screen(study, monkeypatch, terminal=False)
    job.stopping(36)
    assert text.getvalue().endswith(f"{words}\n"), "a job has no keyboard"


@pytest.mark.parametrize("left", [None, "9 s left", "166 min left"])
@pytest.mark.parametrize("status", ["0 running · 0 diverged · 0 failed", "1 failed · best B [x] 2.25 %, a · b 1.00 %"])
def test_a_line_is_read_back(status: str, left: str) -> None:
    line = ProgressLine("digits-2.x", 7, 12, status, left)
    assert ProgressLine.parse(str(line)) == line


def test_what_progress_prints_is_read_back(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, text = on_screen(study, monkeypatch, terminal=False)
    runs = study.grid()
    progress.add(report(runs[:2], ("completed", 1.0, 1.0), ("completed", 1.0, 1.0)), runs[:2])
    progress.add(report(runs[6:7], ("completed", 1.0, 1.0)), runs[6:7])
    printed = text.getvalue().splitlines()
    assert ProgressLine.parse(printed[-1]) == progress.line()
    assert progress.line().done == 5
    assert "B [x] 1.00 %" in progress.line().status


@pytest.mark.parametrize(
    "text", ["", "error: 3 of 4 runs have no result:", "Digits: 1 of 2 runs · x", "t: 1 of 2 runs"]
)
def test_other_lines_are_none_of_progress(text: str) -> None:
    assert ProgressLine.parse(text) is None


def test_what_changes_within_moments_is_printed_once_and_not_lost(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress, text = on_screen(study, monkeypatch, terminal=False)
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.2)
    runs = study.grid()
    progress.say(WAITING)
    for count in (2, 4, 6):
        progress.running = count
    progress.add(report(runs[:1], ("completed", 1.0, 1.0)), runs[:1])
    assert len(text.getvalue().splitlines()) == 1
    wait_for(lambda: len(text.getvalue().splitlines()) > 1, 10)
    assert text.getvalue().splitlines()[1:] == ["t: 3 of 12 runs · 6 running · 0 diverged · 0 failed · best A 1.00 %"]


def test_quiet_shows_nothing(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(study, total=1, done=0, quiet=True) as progress:
        progress.say("anything")
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
