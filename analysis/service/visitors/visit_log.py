"""The log: who asked for what, and who started and stopped which study, a line each."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from io import FileIO, TextIOWrapper
from logging.handlers import WatchedFileHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from analysis.service.visitors.visitor import noted
from robustness.redaction import names_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from analysis.service.visitors.visitor import Visitor

TEXT, JSON = "text", "json"
KINDS = (TEXT, JSON)

LONGEST = 1000
"""Characters of a path or a query that are written."""

HIDDEN = "***"


class VisitLog:
    """Writes lines that no path and no name can break: what is not plain ASCII is escaped.

    A token is never written: not the value of `token` in a query, and not one of the visitors' wherever it stands.
    """

    def __init__(self, kind: str | None = None, path: Path | None = None, hidden: Sequence[str] = ()) -> None:
        """Take how it is written, and where.

        Args:
            kind: `text` or `json`; None writes no requests, and what was started and stopped as text.
            path: Of the file that lines are added to; None is the standard error.
            hidden: Tokens.

        Raises:
            OSError: The file cannot be written.
        """
        self._kind, self._hidden = kind, tuple(each for each in hidden if each)
        self._handler: logging.Handler = logging.StreamHandler() if path is None else _LogFile(path)

    def watch(self, application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """Return a WSGI application that answers as this one does, and has a line written for every request."""
        if self._kind is None:
            return application

        def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            begun, said = time.perf_counter(), {"status": 500, "bytes": 0}

            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                length = {name.lower(): value for name, value in headers}.get("content-length", "0")
                said["status"] = int(status.split(" ", 1)[0])
                said["bytes"] = int(length) if environ.get("REQUEST_METHOD") != "HEAD" else 0
                return start_response(status, headers, *more)

            try:
                return application(environ, start)
            finally:
                self._request(environ, said, round((time.perf_counter() - begun) * 1000))

        return watched

    def submitted(self, environ: dict[str, Any], study: str, job: str, *, new: bool) -> None:
        """Set down that a study was started as a job, or was running as one already."""
        words = f"submitted study {_plain(study)}: job {_plain(job)}{'' if new else ', which was running already'}"
        self._write(environ, words, {"event": "submit", "study": study, "job": job, "new": new})

    def stopped(self, environ: dict[str, Any], study: str, job: str) -> None:
        """Set down that the job of a study was asked to stop."""
        words = f"stopped study {_plain(study)}: job {_plain(job)}"
        self._write(environ, words, {"event": "stop", "study": study, "job": job})

    def close(self) -> None:
        """Write no more."""
        self._handler.close()

    def _request(self, environ: dict[str, Any], said: dict[str, int], took_ms: int) -> None:
        method = str(environ.get("REQUEST_METHOD", "-"))[:20]
        path = self._address(environ)
        words = f"{_plain(method)} {path} {said['status']} {took_ms} ms {said['bytes']} B"
        fields = {"event": "request", "method": method, "path": path, "status": said["status"], "ms": took_ms}
        self._write(environ, words, {**fields, "bytes": said["bytes"]})

    def _address(self, environ: dict[str, Any]) -> str:
        """Return the path and the query of a request, percent-encoded, without secrets."""
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode(errors="replace")
        path = quote(self._without(path)[:LONGEST], safe="/@:~")
        try:
            pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=200)
        except ValueError:
            return f"{path}?{HIDDEN}"
        shown = [(self._without(key), HIDDEN if _is_secret(key) else self._without(value)) for key, value in pairs]
        return f"{path}?{urlencode(shown, safe='*/@:~')[:LONGEST]}" if shown else path

    def _without(self, text: str) -> str:
        for token in self._hidden:
            text = text.replace(token, HIDDEN)
        return text

    def _write(self, environ: dict[str, Any], words: str, fields: dict[str, Any]) -> None:
        visitor: Visitor | None = noted(environ)
        who = "-" if visitor is None else visitor.name
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        address = str(environ.get("REMOTE_ADDR") or "-")
        if self._kind == JSON:
            role = visitor.role if visitor else None
            line = json.dumps({"time": at, "who": who, "role": role, "address": address, **fields})
        else:
            line = f"{at} {_plain(who)} {'-' if visitor is None else visitor.role} {_plain(address)} {words}"
        self._handler.handle(logging.makeLogRecord({"msg": line}))


def _is_secret(key: str) -> bool:
    return "token" in key.lower() or names_key(key)


def _plain(text: str) -> str:
    return quote(text[:LONGEST], safe=".:@~", errors="replace") or "-"


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


class _LogFile(WatchedFileHandler):
    """A file that its owner alone can read; one that was moved away is begun anew."""

    def __init__(self, path: Path) -> None:
        self._failed = False
        super().__init__(path, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(FileIO(self.baseFilename, self.mode, opener=_private), encoding=self.encoding)

    def handleError(self, _record: logging.LogRecord) -> None:  # noqa: N802 - a name of logging
        """Say once that a line could not be written; whoever asks is answered all the same."""
        if not self._failed:
            self._failed = True
            print(f"the log {self.baseFilename} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)
