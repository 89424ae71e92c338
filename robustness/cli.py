"""The command line: a thin layer over `Study`, `run` and `load`; `robustness/commands/` has the commands."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from robustness.commands import GROUPS
from robustness.console import BAD_INPUT, FAILED, INTERRUPTED, STOPPED, Parser, err
from robustness.machine.home import HomeError
from robustness.own_arguments import own_arguments
from robustness.plugins import PluginError
from robustness.results import ResultsWarning, StorageError
from robustness.study import StudyError
from robustness.transcription import readable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 (something failed), 2 (the input is wrong) or 130 (interrupted)."""
    for stream in (sys.stdout, sys.stderr):  # what is printed by argparse, and by modules of a user's
        readable(stream)
    options = _parser().parse_args(own_arguments() if arguments is None else arguments)
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except StudyError as error:
        err.print(str(error))
        return BAD_INPUT
    except HomeError as error:
        err.print(f"error: a path {error}")
        return BAD_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except (PluginError, StorageError, OSError) as error:
        err.print(f"error: {error}")
        return FAILED
    except KeyboardInterrupt:
        err.print(STOPPED)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="robustness", description="Map how robust an optimizer is to its learning rate and weight decay."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(command=function)
        return command

    for group in GROUPS:
        group.add_commands(add)
    return parser


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    if issubclass(category, ResultsWarning):
        err.print(f"warning: {message}")


if __name__ == "__main__":
    sys.exit(main())
