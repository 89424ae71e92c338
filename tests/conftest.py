from __future__ import annotations

import os
import signal
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
