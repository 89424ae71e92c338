"""The arguments of this process, whose keys no other user of the machine reads: a list of processes shows them all."""

from __future__ import annotations

import json
import os
import sys
from typing import NoReturn

from robustness import redaction

VARIABLE = "ROBUSTNESS_ARGUMENTS"
"""In which a program that starts itself anew finds its arguments; only its own user reads its environment."""


def own_arguments() -> list[str]:
    """Return the arguments of this process; where they hold a key, start the program anew without it first.

    The program that is started anew is the same process: its id, its files and its terminal stay. What starts it in
    another way, such as a script that calls the command line with arguments of its own, is left as it is.
    """
    moved = os.environ.pop(VARIABLE, None)  # no process that is started from here is to have it
    if moved is not None:
        found: list[str] = json.loads(moved)
        return found
    arguments = sys.argv[1:]
    shown = [redaction.argument(word) for word in arguments]
    count = len(arguments)
    if shown != arguments and sys.orig_argv[-count:] == arguments:
        _start_anew([*sys.orig_argv[:-count], *shown], arguments)
    return arguments


def _start_anew(command: list[str], arguments: list[str]) -> NoReturn:
    os.execve(sys.executable, command, {**os.environ, VARIABLE: json.dumps(arguments)})  # noqa: S606 - our own program
