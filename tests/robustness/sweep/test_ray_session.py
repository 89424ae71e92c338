"""How a sweep on Ray ends: a second Ctrl-C goes past all that could crash, and Ray is not shut down under anybody."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import ray

from robustness.errors import ClusterError
from robustness.sweep import ray_session
from tests.support.studies import FILE

if TYPE_CHECKING:
    from pathlib import Path

# The command line, on a Ray that is not there. In the middle of a sweep come two Ctrl-C; Ray's shutdown and Python's
# own end crash, as they may where threads of Ray still run.
INTERRUPTED = """
import atexit, os, signal, sys, threading
import ray
from ray import tune

def crash(*_, **__):
    os.kill(os.getpid(), signal.SIGSEGV)

class Tuner:
    def __init__(self, *_, **__):
        pass

    def fit(self):
        signal.raise_signal(signal.SIGINT)
        assert told.wait(60)
        signal.raise_signal(signal.SIGINT)

told = threading.Event()
atexit.register(crash)
ray.is_initialized, ray.init, ray.shutdown = (lambda: False), (lambda **_: None), crash
ray.nodes = lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}]
tune.with_parameters = tune.with_resources = lambda function, *_, **__: function
tune.Tuner = Tuner

from robustness.cli import main
from robustness.sweep import ray_session

ray_session.set_flag = lambda _: told.set()
sys.exit(main(["run", sys.argv[1], "--results", sys.argv[2]]))
"""


@pytest.mark.slow
def test_a_second_ctrl_c_ends_the_process_past_all_that_could_crash(tmp_path: Path) -> None:
    study, results = tmp_path / "x.yaml", tmp_path / "results"
    study.write_text(FILE)
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, study, results], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr.endswith("stopped; what was stored stays, and the same command goes on from there\n")
    assert "Traceback" not in done.stderr
    assert (results / "x" / "study.yaml").read_text() == FILE
    assert not (results / "x" / "sweep.json").exists(), "a sweep that ended has no claim left"


def test_who_stops_the_sweep_has_ended_before_ray_is_shut_down() -> None:
    begun, ended = threading.Event(), threading.Event()

    def stop() -> None:
        begun.set()
        threading.Event().wait(0.3)
        ended.set()

    def interrupt_twice() -> None:
        with ray_session.interruptible(stop):
            signal.raise_signal(signal.SIGTERM)
            assert begun.wait(60)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        interrupt_twice()
    assert ended.is_set()


@pytest.mark.parametrize("process_ends", [False, True])
def test_ray_is_left_running_only_where_the_process_ends(process_ends: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: calls.append("init"))
    monkeypatch.setattr(ray, "shutdown", lambda: calls.append("shutdown"))
    for error in (KeyboardInterrupt, ValueError):
        with pytest.raises(error), ray_session.connect(None, verbose=True, process_ends=process_ends):
            raise error
    ended = ["init", "shutdown"]
    assert calls == (["init"] if process_ends else ended) + ended


def test_a_ray_that_does_not_start_in_time_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", late)
    with (
        pytest.raises(ClusterError, match="Ray does not start: The current node timed out"),
        ray_session.connect(None, verbose=True),
    ):
        raise AssertionError
