"""Which pieces have passed a dry run on this machine: they need not be tried again."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from robustness.dry_run.finding import Finding
from robustness.worker.digests import code_of
from robustness.worker.own_modules import own_modules
from robustness.worker.parcel import current_folder
from robustness.workloads.places import DataError, data_folder

if TYPE_CHECKING:
    from robustness.study import Study

ROOMS = ("dry_run", "training", "optimizers", "optimizers/behavior", "workloads", ".")


def key_of(study: Study) -> str:
    """Return a digest of all that a dry run depends on: the classes' modules, their options, and what tries them.

    The folders in which they and the command are belong to it, for beside them lie files that they read.
    """
    spaces = [study.space_of(entry).model_dump_json() for entry in study.optimizers]
    parts = {
        "code": code_of(study),
        "folders": [current_folder(), *map(str, own_modules(study).values())],
        "workloads": [[each.name, type(each).version, each.model_dump_json()] for each in study.workloads],
        "optimizers": [[each.optimizer.name, each.optimizer.model_dump_json()] for each in study.optimizers],
        "spaces": spaces,
        "seed": study.seeds[0],
        "versions": [version("torch"), _own_code()],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode(errors="surrogatepass")).hexdigest()


@cache
def _own_code() -> str:
    """Return a digest of what tries and what trains: a checkout's commit does not say what was changed since."""
    root = Path(__file__).parents[1]
    files = sorted(file for room in ROOMS for file in (root / room).glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def remembered(key: str) -> list[Finding] | None:
    """Return what was found of pieces that passed; None where they have not been tried here."""
    with suppress(OSError, ValueError, TypeError, DataError):
        return [Finding(**each) for each in json.loads(_file(key).read_text("utf-8"))]
    return None


def remember(key: str, found: list[Finding]) -> None:
    """Keep what was found of pieces that passed; where no file can be written they are tried again another time."""
    with suppress(OSError, DataError):
        file = _file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([each.plain() for each in found]), "utf-8")


def _file(key: str) -> Path:
    return data_folder() / "dry-runs" / f"{key}.json"
