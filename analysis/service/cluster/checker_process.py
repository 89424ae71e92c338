"""A process apart that reads study files somebody typed: what one asks of it may hang, fill the memory or end it.

It takes a line of JSON on its input for each question and answers with one; see `checker`, which starts and ends it.
Checking a study imports the modules that its import strings name, which is one more reason not to do it in the service.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any

from analysis.service.studies.limits import MOST_RUNS, runs
from robustness.errors import ClusterError
from robustness.jobs.package import pack
from robustness.plan import plan, plan_text
from robustness.results import StorageError, Store, child
from robustness.study import Study, StudyError

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY_BYTES = 4 * 2**30
IDLE_S = 300.0
"""Without a question for so long it ends; the next one starts it anew."""

MOST_PROBLEMS = 100
MOST_CHARACTERS = 500


def parsed(asked: dict[str, Any]) -> Study:
    """Return the study of a question.

    Raises:
        StudyError: it is none.
    """
    return Study.parse(asked["text"], asked["file"])


def check(asked: dict[str, Any]) -> dict[str, Any]:
    """Return everything that is wrong with a study, or its name and size."""
    try:
        study = parsed(asked)
    except StudyError as error:
        rest = len(error.problems) - MOST_PROBLEMS
        problems = [
            problem(each.message, each.line, each.key.replace("\n", " ")) for each in error.problems[:MOST_PROBLEMS]
        ]
        return {"problems": problems + ([problem(f"and {rest} more problems")] if rest > 0 else [])}
    size = runs(study)
    if size > MOST_RUNS:
        words = f"the study has {size} runs; from the browser it may have {MOST_RUNS} (robustness submit takes more)"
        return {"problems": [problem(words)]}
    return {"problems": [], "name": study.name, "runs": size}


def planned(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the plan of a study that is right, as `robustness plan` words it."""
    study = parsed(asked)
    try:
        found = plan(study, Store(child(asked["results"], study.name), read_only=True))
    except StorageError as error:
        return {"plan": [f"no plan: {error}"]}
    return {
        "plan": plan_text.plan_summary(found, asked["price"]).splitlines(),
        "stored": found.stored,
        "left": found.left,
    }


def packed(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the package of a study that is right, its archive in base 64."""
    study = parsed(asked)
    try:
        package = pack(study)
    except ClusterError as error:
        return {"problems": [problem(str(error))]}
    archive = base64.b64encode(package.archive).decode()
    return {"study": study.name, "file": package.file, "archive": archive, "version": package.version}


def problem(message: str, line: int | None = None, key: str = "") -> dict[str, Any]:
    """Return a problem as JSON has it."""
    return {"line": line, "key": key[:MOST_CHARACTERS], "message": message[:MOST_CHARACTERS]}


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"check": check, "plan": planned, "pack": packed}


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a question; whatever goes wrong is a problem of the study."""
    try:
        return ANSWERS[asked["what"]](asked)
    except MemoryError:
        return {"problems": [problem("reading it takes too much memory")]}
    except Exception as error:  # noqa: BLE001 - a study's own module may raise anything
        return {"problems": [problem(f"it cannot be checked: {type(error).__name__}: {error}")]}


def main() -> None:
    """Answer until the input ends, or nothing is asked for long."""
    _limit()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a study's module prints is no answer
    questions = sys.stdin.buffer
    while select.select([questions], [], [], IDLE_S)[0] and (line := questions.readline()):
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def _limit() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    main()
