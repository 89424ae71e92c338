from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

pytest.register_assert_rewrite("tests.support")

ROOT = Path(__file__).resolve().parents[1]

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


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Sends a file to one process, which makes its fixtures once; files that start Ray take turns in two.

    Ray fills a machine. xdist's own groups are put into the ids of tests, which pytest does not let it change any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Divide tests among processes by `FileScheduling` (`--dist loadgroup`)."""
    return FileScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what starts Ray (`--dist loadgroup`), which takes longest and leaves the cores idle at times.

    Then come browsers and slow files, and the shortest last, for all processes to end at once.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    groups = {item: group_of(item.nodeid.partition("::")[0]) for item in items}
    sizes, turns = Counter(groups.values()), dict[str, int]()
    for item, group in groups.items():
        turns[group] = min(_turn(item), turns.get(group, _turn(item)))
    items.sort(key=lambda item: (turns[groups[item]], -sizes[groups[item]], groups[item]))


@cache
def group_of(file: str) -> str:
    """Return what of the tests goes to one process: a file, or one half of those that start Ray."""
    if "pytest.mark.sweep" not in (ROOT / file).read_text(encoding="utf-8"):
        return file
    return "sweeps" if file.startswith("tests/robustness/sweep/") else "clusters"


def _turn(item: pytest.Item) -> int:
    kinds = ("sweep", "browser", "slow")
    return next((place for place, kind in enumerate(kinds) if item.get_closest_marker(kind)), len(kinds))
