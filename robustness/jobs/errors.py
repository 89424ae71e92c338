"""What can go wrong between here and a cluster's job server, in one line each."""

from __future__ import annotations

import re
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING

from robustness import redaction
from robustness.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATUS = re.compile(r"(?:status code|check returned) (\d+)(?:: (.*))?", re.DOTALL)

NO_JOB_SERVER = (
    "{} answers, but not as a Ray dashboard with a job server does: give the dashboard's address (port 8265 by "
    "default), of a head that was installed with ray[default] in about this machine's version"
)


class JobsError(ClusterError):
    """A cluster's job server cannot be used as asked; the text names the address and what to do."""


class UnreachableError(JobsError):
    """The job server did not answer; it may in a while."""


class MissingJobError(JobsError):
    """The job server has no such job."""


class AnswerError(Exception):
    """What answered did so as no job server does."""


@contextmanager
def explained(address: str, token: str) -> Iterator[None]:
    """Turn what Ray's client raises into a JobsError.

    Args:
        address: the job server's.
        token: words on where this machine's token came from.
    """
    import aiohttp
    import requests
    from ray.exceptions import AuthenticationError

    try:
        yield
    except AuthenticationError as error:
        raise JobsError(refused(address, token)) from error
    except aiohttp.WSServerHandshakeError as error:
        if error.status in {401, 403}:
            raise JobsError(refused(address, token)) from error
        raise _of_status(address, error.status, error.message) from error
    except requests.HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        raise _of_status(address, status, "") from error
    except AnswerError as error:
        raise JobsError(NO_JOB_SERVER.format(address)) from error
    except (requests.exceptions.InvalidURL, requests.URLRequired) as error:
        raise JobsError(f"{address}: {redaction.text(str(error))}") from error
    except (OSError, aiohttp.ClientError) as error:
        raise UnreachableError(f"no Ray cluster answers at {address}: {_cause(error)}") from error
    except RuntimeError as error:
        raise _of_text(address, str(error)) from error


def refused(address: str, token: str) -> str:
    """Return what to do about a cluster that wants another token."""
    return (
        f"the Ray cluster at {address} wants its token, and {token}: put the cluster's token into the environment "
        "variable RAY_AUTH_TOKEN, into a file that RAY_AUTH_TOKEN_PATH names, or into ~/.ray/auth_token"
    )


def _of_text(address: str, text: str) -> JobsError:
    """Return what Ray's client says of an answer that it does not like."""
    if match := _STATUS.search(text):
        return _of_status(address, int(match[1]), match[2] or "")
    if "WebSocket" in text:
        return UnreachableError(f"the job server at {address} hung up")
    return JobsError(f"{address}: {redaction.text(text)}")


def _of_status(address: str, status: int, text: str) -> JobsError:
    # A traceback within a traceback, each with a full stop behind it: its last line says what happened.
    lines = [line for each in text.splitlines() if (line := each.strip().rstrip("."))]
    last = lines[-1] if lines else f"HTTP status {status}"
    if status == 404 and "does not exist" not in text:
        return JobsError(NO_JOB_SERVER.format(address))
    if status == 404:
        return MissingJobError(f"the job server at {address} says: {last}")
    if status >= 500:
        return UnreachableError(f"the job server at {address} failed: {last}")
    return JobsError(f"the job server at {address} refused: {last}")


def _cause(error: BaseException) -> str:
    """Return the innermost reason of a failed connection: what wraps it says the same at length."""
    import requests

    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    if any(isinstance(each, (requests.Timeout, TimeoutError)) for each in chain):
        return "no answer in time"
    innermost = chain[-1]
    if isinstance(innermost, HTTPException):
        return "what listens there speaks no HTTP; the dashboard's port is 8265 by default"
    text = innermost.strerror if isinstance(innermost, OSError) else None
    return text or redaction.text(" ".join(str(innermost).split()))[:200] or type(innermost).__name__
