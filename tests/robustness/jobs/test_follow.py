"""Following a job: each line once over connections that break, and what is on the screen."""

from __future__ import annotations

import time
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from robustness.jobs import follow as module
from robustness.jobs.errors import MissingJobError, UnreachableError
from robustness.jobs.follow import LogLines, follow
from robustness.jobs.job import Job
from robustness.jobs.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINE = "digits: 12 of 40 runs · 6 running · 1 diverged · 0 failed · best adams 3.50 % · 9 s left"
LOG = f"a\nb\n{LINE}\nc\nend"


def job(status: str = "RUNNING") -> Job:
    return Job("digits-0123abcd-1", "digits", "v1", "s3://b/r", status, "", 1000.0, None, None)


class Scripted:
    """A cluster whose connections yield what is written down, and then end or break."""

    def __init__(self, connections: Sequence[Sequence[str | Exception]], end: str = "SUCCEEDED") -> None:
        self._connections, self._end = list(connections), end

    def job(self, _job_id: str) -> Job:
        if self._connections and isinstance(self._connections[0], Exception):
            raise self._connections.pop(0)  # type: ignore[misc]
        return job("RUNNING" if self._connections else self._end)

    def log(self, _job_id: str) -> str:
        return LOG

    def tail(self, _job_id: str) -> Iterator[str]:
        for piece in self._connections.pop(0):
            if isinstance(piece, Exception):
                raise piece
            yield piece


class Told:
    """Who takes note of all."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.said: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no time pass between tries, but for the one that was to be waited."""
    now = [0.0]
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(time, "monotonic", lambda: 1.0 + now[0])
    return now


LOST = UnreachableError("no Ray cluster answers at x: gone")


@pytest.mark.parametrize(
    "connections",
    [
        [[LOG]],
        [list(LOG)],
        [["a\nb"], ["a\n", "b\n" + LINE], []],
        [["a\n", LOST], [LOST], ["a", "\nb\n"]],
        [],
    ],
)
def test_each_line_is_shown_once_however_the_log_comes(connections: list[list[str | Exception]]) -> None:
    told = Told()
    assert follow(Scripted(connections), "x", told).status == "SUCCEEDED"  # type: ignore[arg-type]
    assert told.lines == LOG.split("\n")


def test_a_lost_connection_is_told_once_and_so_is_its_return() -> None:
    told = Told()
    cluster = Scripted([["a\n", LOST], LOST, LOST, ["a\nb\n"]])  # type: ignore[list-item]
    follow(cluster, "x", told)  # type: ignore[arg-type]
    assert told.said == ["no Ray cluster answers at x: gone; trying again", "connected again"]


def test_after_half_an_hour_without_an_answer_it_gives_up(at_once: list[float]) -> None:
    with pytest.raises(UnreachableError, match="gone"):
        follow(Scripted([LOST] * 1000), "x", Told())  # type: ignore[arg-type, list-item]
    assert module.GIVE_UP_S < at_once[0] < module.GIVE_UP_S + 60


def test_a_job_that_the_cluster_forgot_is_a_clear_error() -> None:
    cluster = Scripted([["a\n"], MissingJobError("the job server at x says: Job y does not exist")])  # type: ignore[list-item]
    with pytest.raises(MissingJobError, match=r"does not exist\. If its head was started anew, submit the study again"):
        follow(cluster, "x", Told())  # type: ignore[arg-type]


def test_what_was_seen_is_left_out() -> None:
    told = Told()
    follow(Scripted([[LOG]]), "x", told, seen=LOG.index("c\n"))  # type: ignore[arg-type]
    assert told.lines == ["c", "end"]


def test_a_letter_that_is_cut_off_waits_for_its_line() -> None:
    lines = LogLines()
    assert lines.feed("one\ntw") == ["one"]
    lines.restart()
    assert lines.feed("on") == []
    assert lines.feed("e\ntwo\nthr") == ["two"]
    assert lines.rest() == ["thr"]
    assert lines.rest() == []


RAYS = [
    "2026-01-02 03:04:05,678\tINFO job_manager.py:581 -- Runtime env is setting up.",
    "Running entrypoint for job digits-0123abcd-1: exec python -m robustness.cli run digits.yaml",
]


def test_without_a_terminal_lines_are_as_of_run(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(job()) as screen:
        for line in [*RAYS, LINE, "40 runs trained [b]"]:
            screen.line(line)
        screen.say("trying again")
    captured = capsys.readouterr()
    assert captured.out == "40 runs trained [b]\n"
    assert captured.err == f"{LINE}\ntrying again\n"


def test_a_terminal_gets_a_bar_below_the_other_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, text = Screen(job()), StringIO()
    monkeypatch.setattr(screen, "console", Console(file=text, force_terminal=True, width=100, color_system=None))

    def shown() -> list[str]:
        screen_text = StringIO()
        Console(file=screen_text, width=100).print(screen)
        return screen_text.getvalue().splitlines()

    assert shown() == ["waiting for the cluster to start the job"]
    for line in [*RAYS, LINE, "a word"]:
        screen.line(line)
    assert text.getvalue() == "a word\n"
    bar, status = shown()
    assert "12/40 runs" in bar
    assert "9 s left" in bar
    assert status == "6 running · 1 diverged · 0 failed · best adams 3.50 %"
    screen.say("trying again")
    assert shown()[2:] == ["trying again"]
    screen.line(LINE)
    assert len(shown()) == 2
