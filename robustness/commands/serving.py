"""The command that shows stored studies in a browser, while they are trained too."""

from __future__ import annotations

import argparse
import ipaddress
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from robustness.console import BAD_INPUT, FAILED, err, out, takes_results

if TYPE_CHECKING:
    from analysis.service.visitors.door import Door
    from robustness.console import Add

TOKEN = "ROBUSTNESS_TOKEN"  # noqa: S105 - the name of a variable


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
        help="a file of lines NAME ROLE TOKEN, the role look or submit, or of one token that allows both (default: "
        f"${TOKEN}; without it one is made and printed once)",
    )
    command.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="a file that keeps what cookies are signed with, made if absent; visitors then stay signed in when the "
        "service starts anew (default: a new secret at each start)",
    )
    command.add_argument(
        "--name", action="append", default=[], help="a further name of this machine, as browsers ask for it"
    )
    command.add_argument(
        "--proxy",
        type=_address,
        metavar="ADDRESS",
        help="address of a proxy before this service, which is believed when X-Forwarded-For says who asks",
    )
    command.add_argument(
        "--log",
        choices=("text", "json"),
        help="write a line for each request (default: for each study that is started or stopped only)",
    )
    command.add_argument(
        "--log-file", type=Path, metavar="FILE", help="add these lines to a file (default: the standard error)"
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
        help="let visitors whose token has the role submit start and stop studies on that cluster",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be 0 to 65535, got {text}")
    return int(text)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be an address such as 127.0.0.1, got {text}") from error


def serve(options: argparse.Namespace) -> int:
    """Answer until Ctrl-C; 2 for a token, secret, log or key that will not do, 1 where it cannot listen."""
    from analysis.service.server import ServiceError
    from analysis.service.server import serve as answer
    from analysis.service.visitors.secret_file import SecretError
    from analysis.service.visitors.token_file import TokenError
    from analysis.service.visitors.visit_log import VisitLog
    from robustness.jobs.cluster import DEFAULT_ADDRESS
    from robustness.jobs.submit import SEEN

    if options.allow_submit and options.results.has_keys:
        err.print(f"error: {options.results}: the URI holds a key, which {SEEN}")
        return BAD_INPUT
    try:
        door, made = _door(options)
        hidden = [visitor.token for visitor in door.visitors] if door else []
        log = VisitLog(options.log, options.log_file, hidden)
    except (TokenError, SecretError) as error:
        err.print(f"error: {error}")
        return BAD_INPUT
    except OSError as error:
        err.print(f"error: --log-file {options.log_file}: cannot be written: {error}")
        return BAD_INPUT
    try:
        answer(
            options.results,
            options.host,
            options.port,
            lambda address: _ready(options, address, door, made),
            door=door,
            names=options.name,
            address=options.address or (DEFAULT_ADDRESS if options.allow_submit else None),
            allow_submit=options.allow_submit,
            proxy=options.proxy,
            log=log,
        )
    except ServiceError as error:
        err.print(f"error: {error}")
        return FAILED
    except KeyboardInterrupt:
        out.print("ended")
    finally:
        log.close()
    return 0


def _ready(options: argparse.Namespace, address: str, door: Door | None, made: str | None) -> None:
    # The token by itself: what stands in a URI's query is blotted out, and this one is to be read once.
    out.print(f"studies in {options.results}: {address}", f"/?token={made}" if made else "", sep="")
    if made:
        out.print("visitors sign in with the token, which is not printed again")
    elif door:
        out.print(f"visitors sign in with {'the token' if len(door.visitors) == 1 else 'their tokens'}")
    out.print("Ctrl-C ends it.")


def _door(options: argparse.Namespace) -> tuple[Door | None, str | None]:
    """Return who may come in, None for anybody; and the token, where it was made here.

    Raises:
        TokenError: A file or the environment has no usable token.
        SecretError: The file of the secret has none.
    """
    from analysis.service.visitors.door import Door
    from analysis.service.visitors.secret_file import kept_secret
    from analysis.service.visitors.token_file import TokenError, visitors_of
    from analysis.service.visitors.visitor import only, problem_of
    from analysis.service.web.guard import LOOPBACK

    made = None
    if options.token_file is not None:
        visitors = visitors_of(options.token_file)
    elif token := os.environ.get(TOKEN, "").strip():
        if problem := problem_of(token):
            raise TokenError(f"${TOKEN}: {problem}")
        visitors = only(token)
    elif options.host not in LOOPBACK or options.allow_submit:
        made = secrets.token_urlsafe(24)
        visitors = only(made)
    else:
        return None, None
    return Door(visitors, kept_secret(options.secret_file) if options.secret_file is not None else None), made
