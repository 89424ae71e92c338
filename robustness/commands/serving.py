"""The command that shows stored studies in a browser, while they are trained too."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from robustness.commands.console import BAD_INPUT, FAILED, err, out, takes_results

if TYPE_CHECKING:
    from robustness.commands.console import Add


def add_commands(add: Add) -> None:
    """Add serve."""
    command = add("serve", serve, "show the stored studies in a browser on this machine, as they grow")
    takes_results(command)
    command.add_argument("--host", default="127.0.0.1", help="a loopback address; default: 127.0.0.1")
    command.add_argument("--port", type=_port, default=8050, help="default: 8050; 0 takes a free one")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be 0 to 65535, got {text}")
    return int(text)


def serve(options: argparse.Namespace) -> int:
    """Answer until Ctrl-C; 2 for a host that is not this machine alone, 1 where the port is taken."""
    from analysis.service import LOOPBACK, ServiceError
    from analysis.service import serve as answer

    try:
        answer(
            options.results,
            options.host,
            options.port,
            lambda address: out.print(f"studies in {options.results}: {address}\nCtrl-C ends it."),
        )
    except ServiceError as error:
        err.print(f"error: {error}")
        return FAILED if options.host in LOOPBACK else BAD_INPUT
    except KeyboardInterrupt:
        out.print("ended")
    return 0
