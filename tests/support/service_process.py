"""The service in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def served(results: Path | str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """Serve in a process of its own; yield it and its port."""
    command = [sys.executable, "-m", "robustness.cli", "serve", "--results", str(results), "--port", "0", *options]
    environ = {**os.environ, "ROBUSTNESS_TOKEN": "", "RAY_API_SERVER_ADDRESS": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            yield process, said, int(said.rpartition(":")[2].partition("/")[0])
        finally:
            process.kill()
