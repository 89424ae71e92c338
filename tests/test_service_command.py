"""`robustness serve` and what its pages say of a study's progress."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest

from analysis.service import ServiceError, serve, words
from analysis.service.stored import Line, ago
from robustness.cli import main

SPACE = "\N{NO-BREAK SPACE}"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def line(done, asked, failed=0, last=NOW):
    return Line("t", ("digits",), done, asked, failed, last, {"digits": {"adams": 1.234}})


def test_the_state_is_what_the_last_write_says():
    later = NOW + timedelta(seconds=30)
    assert words.state(line(5, 5), later) == "complete, last run 30 s ago"
    assert words.state(line(4, 5), later) == "running, last run 30 s ago"
    assert words.state(line(4, None), later) == "running, last run 30 s ago"
    assert words.state(line(4, 5), NOW + timedelta(hours=3)) == "incomplete, last run 3 h ago"
    assert words.state(line(0, 5, last=None)) == "no run yet"
    assert words.runs(line(4, 5, failed=1)) == "4 of 5, 1 failed"
    assert words.runs(line(4000, None)) == f"4{SPACE}000"
    assert words.best(line(4, 5)) == ["adams 1.23 %"]


def test_how_long_ago_is_said_in_a_unit_that_suits_it():
    seconds = {-5: "0 s ago", 5: "5 s ago", 600: "10 min ago", 7200: "2 h ago", 864000: "10 days ago"}
    assert {each: ago(NOW - timedelta(seconds=each), NOW) for each in seconds} == seconds


def test_failed_runs_and_the_best_of_several_workloads_are_told_apart():
    several = Line("t", ("a", "b"), 1, 2, 0, NOW, {"a": {"adams": 1.0}, "b": {}})
    assert words.best(several) == ["a: adams 1.00 %"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", ""])
def test_it_serves_this_machine_alone(host, capsys):
    assert main(["serve", "--host", host]) == 2
    error = capsys.readouterr().err
    assert "ssh -L 8050:localhost:8050" in error
    assert "ray attach -p 8050" in error


def test_a_port_that_is_taken_is_a_clear_error(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--results", str(tmp_path), "--port", str(port)]) == 1
        assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err
        with pytest.raises(ServiceError, match="give another --port"):
            serve(str(tmp_path), "127.0.0.1", port, print)


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_is_a_number_of_16_bits(port, capsys):
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert "must be 0 to 65535" in capsys.readouterr().err
