"""What a sweep ran on: commit, versions, machine and command line. Nothing here names a user."""

from __future__ import annotations

import os
import platform
import re
import shlex
import socket
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustness import redaction
from robustness.machine import cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from robustness.plugins import Package

_DISTRIBUTION = "hyperparameter-robustness"
PACKAGES = ("torch", "ray", "optuna", "numpy", "pandas", "pyarrow")
"""Whose versions a record has, beside that of this package."""
ROOT = Path(__file__).resolve().parents[1]
"""Our checkout. git may read it whoever owns it: it is the code that runs. A checkout around it stays refused."""
_TIMEOUT_S = 10.0


def collect(command_line: Sequence[str] | str, plugins: Iterable[Package] = ()) -> dict[str, Any]:
    """Return the record of a sweep that starts now; it holds only what JSON can.

    Args:
        command_line: Program and arguments, or the line itself. Keys are blotted out.
        plugins: Packages that bring a workload or an optimizer of the study; the record has their versions by name,
            under `plugins`, where there are any.

    Versions are read from the packages' metadata, so nothing heavy is imported; one that is not installed
    is null. `git` is null outside of a checkout.
    """
    if isinstance(command_line, str):
        text = redaction.text(command_line)
    else:
        text = shlex.join(map(redaction.argument, command_line))
    # A word that is not of the terminal's encoding came in as it is, and UTF-8 may well read it.
    text = os.fsencode(text).decode("utf-8", "replace")
    brought = {package.name: package.version for package in plugins}
    return {
        "started_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "command_line": text,
        "git": git_commit(),
        "versions": versions(),
        **({"plugins": brought} if brought else {}),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpu": {"model": cpu_model(), "count": os.cpu_count(), "usable": cores.usable()},
        "gpus": gpu_models(),
    }


def versions() -> dict[str, str | None]:
    """Return the versions of Python, of this package and of `PACKAGES`, by name."""
    return {
        "python": platform.python_version(),
        "robustness": version_of(_DISTRIBUTION),
        **{name: version_of(name) for name in PACKAGES},
    }


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the package's version and short commit, as in `0.1.0+3f2a1bc` or `0.1.0+3f2a1bc.dirty`."""
    version, commit = version_of(_DISTRIBUTION) or "unknown", git_commit()
    if commit is None:
        return version
    return f"{version}+{commit['commit'][:7]}{'.dirty' if commit['dirty'] else ''}"


def version_of(distribution: str) -> str | None:
    """Return the version of an installed package; None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def git_commit(file: Path = Path(__file__)) -> dict[str, Any] | None:
    """Return the commit that `file` belongs to and whether tracked files differ from it; None outside of a checkout."""
    # An installed package may lie inside somebody else's checkout: the commit is ours if git tracks us.
    if _run_git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    commit = _run_git(file.parent, "rev-parse", "--verify", "HEAD")
    changes = _run_git(file.parent, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changes is None:
        return None
    return {"commit": commit, "dirty": bool(changes)}


def _run_git(folder: Path, *arguments: str) -> str | None:
    # A git hook's variables would point at another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str | None:
    """Return what the processor calls itself; None where the system does not say."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text("utf-8", errors="replace"), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or None


def gpu_models(driver: Path = Path("/proc/driver/nvidia/gpus")) -> list[str]:
    """Return the models that NVIDIA's driver knows: torch would tell too, but takes seconds to load."""
    try:
        texts = [path.read_text("utf-8", errors="replace") for path in sorted(driver.glob("*/information"))]
    except OSError:
        return []
    return [match.group(1).strip() for text in texts if (match := re.search(r"^Model:\s*(.+)$", text, re.MULTILINE))]
