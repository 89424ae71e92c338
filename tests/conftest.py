from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import suppress

import pytest

pytest.register_assert_rewrite("tests.support")

# Before anything imports torch: two threads would make a run's outcome depend on its stack.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What is published would not be trained, and tests count what is.
os.environ["ROBUSTNESS_PUBLISHED"] = ""
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


# Tests that are started in the background of a shell, or by a service, may find Ctrl-C switched off, and the processes
# that they start and interrupt would inherit that.
with suppress(ValueError):  # not in the main thread
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Divide tests among processes (`--dist loadgroup`): a file goes to one, which makes its fixtures once.

    Ray fills a machine, so what starts it takes turns in two processes; that begins first, as it takes longest and
    leaves the cores idle at times. Then come browsers and slow files, and the shortest last, to end all at once.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    sizes = Counter(_group(item) for item in items)
    turns: dict[str, int] = {}
    for item in items:
        turns[_group(item)] = min(_turn(item), turns.get(_group(item), _turn(item)))
    items.sort(key=lambda item: (turns[_group(item)], -sizes[_group(item)], _group(item)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    file = item.path.relative_to(item.config.rootpath).as_posix()
    if item.get_closest_marker("sweep") is None:
        return file
    return "sweeps" if file.startswith("tests/robustness/sweep/") else "clusters"


def _turn(item: pytest.Item) -> int:
    kinds = ("sweep", "browser", "slow")
    return next((place for place, kind in enumerate(kinds) if item.get_closest_marker(kind)), len(kinds))
