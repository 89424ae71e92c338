"""One Ray, started once for a file's tests, for all sweeps that need no driver and no Ray of their own."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from robustness.cli import main
from robustness.sweep import ray_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    stdout: str
    stderr: str


class Here:
    """The command line in this process, whose sweeps join the Ray that is there."""

    def sweep(self, study: Path, results: Path, *more: str) -> Said:
        """Run a study to its end, which is a success; return what was printed."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["run", str(study), "--results", str(results), "--no-report", *more])
        assert code == 0, err.getvalue()
        return Said(out.getvalue(), err.getvalue())


@pytest.fixture(scope="module", name="here")
def started() -> Iterator[Here]:
    """Start Ray, once for the tests of a file."""
    with ray_session.connect(None, verbose=False):
        yield Here()
