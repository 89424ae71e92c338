"""The command that shows stored studies in a browser, while they are trained too."""

from __future__ import annotations

import argparse
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from robustness.console import BAD_INPUT, FAILED, err, out, takes_results
from robustness.private_files import SharedFileError, secret_text

if TYPE_CHECKING:
    from robustness.console import Add

TOKEN = "ROBUSTNESS_TOKEN"  # noqa: S105 - the name of a variable
LEAST = 16


def add_commands(add: Add) -> None:
    """Add serve."""
    command = add("serve", serve, "show the stored studies in a browser, as they grow")
    takes_results(command)
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; any but a loopback address asks visitors for a token (default: 127.0.0.1)",
    )
    command.add_argument("--port", type=_port, default=8050, help="default: 8050; 0 takes a free one")
    command.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"a file that holds the token (default: ${TOKEN}; without it one is made and printed once)",
    )
    command.add_argument(
        "--name", action="append", default=[], help="a further name of this machine, as browsers ask for it"
    )
    command.add_argument(
        "--address",
        default=os.environ.get("RAY_API_SERVER_ADDRESS"),
        help="dashboard of the Ray cluster whose jobs are shown (default: $RAY_API_SERVER_ADDRESS, else none; with "
        "--allow-submit http://127.0.0.1:8265)",
    )
    command.add_argument(
        "--allow-submit",
        action="store_true",
        help="let visitors who know the token start and stop studies on that cluster",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be 0 to 65535, got {text}")
    return int(text)


class TokenError(Exception):
    """There is no usable token where one was said to be; the text says why."""


def serve(options: argparse.Namespace) -> int:
    """Answer until Ctrl-C; 2 for a token that is none or a key that is not to be seen, 1 where it cannot listen."""
    from analysis.service.server import ServiceError
    from analysis.service.server import serve as answer
    from analysis.service.web.guard import LOOPBACK
    from robustness.jobs.cluster import DEFAULT_ADDRESS
    from robustness.jobs.submit import SEEN

    if options.allow_submit and options.results.has_keys:
        err.print(f"error: {options.results}: the URI holds a key, which {SEEN}")
        return BAD_INPUT
    try:
        given = _given(options.token_file)
    except TokenError as error:
        err.print(f"error: {error}")
        return BAD_INPUT
    wanted = options.host not in LOOPBACK or options.allow_submit
    token = given or (secrets.token_urlsafe(24) if wanted else None)

    def ready(address: str) -> None:
        # The token by itself: what stands in a URI's query is blotted out, and this one is to be read once.
        out.print(f"studies in {options.results}: {address}", f"/?token={token}" if token and not given else "", sep="")
        if token:
            out.print("visitors sign in with the token" + (", which is not printed again" if not given else ""))
        out.print("Ctrl-C ends it.")

    try:
        answer(
            options.results,
            options.host,
            options.port,
            ready,
            token=token,
            names=options.name,
            address=options.address or (DEFAULT_ADDRESS if options.allow_submit else None),
            allow_submit=options.allow_submit,
        )
    except ServiceError as error:
        err.print(f"error: {error}")
        return FAILED
    except KeyboardInterrupt:
        out.print("ended")
    return 0


def _given(path: Path | None) -> str | None:
    """Return the token of a file or of the environment; None where neither is named.

    Raises:
        TokenError: It cannot be read, others can read it too, or it is no token.
    """
    name = f"--token-file {path}" if path is not None else f"${TOKEN}"
    try:
        token = secret_text(path).strip() if path is not None else os.environ.get(TOKEN, "").strip()
    except SharedFileError as error:
        raise TokenError(f"--token-file: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"{name}: cannot be read: {error}") from error
    if path is None and not token:
        return None
    if len(token) < LEAST or len(token.split()) != 1 or not token.isascii():
        raise TokenError(f"{name}: a token is one word of at least {LEAST} ASCII characters")
    return token
