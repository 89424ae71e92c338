"""How many cores this process may use: a batch system or a container may give it fewer than the machine has."""

from __future__ import annotations

import os
from pathlib import Path

OWN_GROUP = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
ON_NODE = "SLURM_CPUS_ON_NODE"
"""What SLURM gave a job, or a step of it, on this machine: not every site binds its processes to them."""


def usable() -> int:
    """Return the cores that the affinity, the quota of a container and SLURM leave to this process, at least 1."""
    counts = [_bound()]
    if (quota := _quota()) is not None:
        counts.append(int(quota))
    if (given := os.environ.get(ON_NODE, "")).isdecimal():
        counts.append(int(given))
    return max(1, min(counts))


def _bound() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota() -> float | None:
    """Return the least quota of the control groups that this process is in, in cores; None where there is none."""
    found = []
    for group in _groups():
        words = _words(group / "cpu.max") or [*_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us")]
        if len(words) == 2 and words[0].isdecimal() and words[1].isdecimal() and int(words[1]):
            found.append(int(words[0]) / int(words[1]))
    return min(found, default=None)


def _groups() -> list[Path]:
    """Return the folders of this process's control groups, of version 2 or of the controller `cpu` of version 1."""
    found = [GROUPS, GROUPS / "cpu"]  # in a container the group itself is mounted there
    for line in _text(OWN_GROUP).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        top = GROUPS if number == "0" else GROUPS / "cpu"
        if number == "0" or "cpu" in controllers.split(","):
            place = Path(path.lstrip("/"))
            found += [top / each for each in (place, *place.parents)]
    return found


def _words(file: Path) -> list[str]:
    return _text(file).split()


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
