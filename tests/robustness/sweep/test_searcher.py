"""What a searcher is asked from other threads: from that which stops the sweep, in the middle of anything."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from robustness import Store
from robustness.search.make import make_source
from robustness.sweep.capacity import Room
from robustness.sweep.progress import Progress
from robustness.sweep.searcher import StackSearcher
from robustness.sweep.trial import REPORT
from robustness.worker.report import Report
from tests.support.studies import make

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SPACE = {"lr": {"low": 1e-4, "high": 1, "points": 40}, "weight_decay": {"low": 1e-5, "high": 1, "points": 10}}


def test_how_many_run_can_be_asked_while_stacks_come_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robustness.sweep.progress.Progress.add", lambda *_: None)
    study = make(space=SPACE, seeds=3, resources={"stack_size": 1})
    store = Store(tmp_path)
    source = make_source(study, store.runs())
    progress = Progress(study, total=source.total, done=0, quiet=True)
    room = Room({}, now=400, most=400)
    searcher = StackSearcher(study=study, source=source, store=store, progress=progress, room=lambda: room)
    over, errors = threading.Event(), list[BaseException]()

    def ask() -> None:
        try:
            while not over.is_set():
                assert 0 <= searcher.running <= 400
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for trial in range(400):
            searcher.suggest(str(trial))
        for trial in range(400, 2000):
            searcher.on_trial_complete(str(trial - 400), {REPORT: Report().to_json()})
            searcher.suggest(str(trial))
    finally:
        sys.setswitchinterval(interval)
        over.set()
        asking.join()
    assert errors == []
