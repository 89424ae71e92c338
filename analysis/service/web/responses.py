"""Figures as the pages fetch them: JSON with both layouts, sent again only when it has changed."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from flask import Response, request
from plotly.io.json import to_json_plotly
from werkzeug.wsgi import wrap_file

from analysis.figures.base.figure import NotDrawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.figures.base.theme import Drawing

MOST_BYTES = 64 * 2**20
"""Of answers that are kept, packed."""
KEEPING = 500
"""Bytes that keeping an answer takes beside it, about: many small ones must not fill the memory either."""

DOCUMENT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads"
)
"""Of a whole page that carries its scripts: it gets an origin of its own, and so nothing of the service's."""


class KeptAnswers:
    """The answers that were asked for last, by what they answer; many threads may ask.

    Attributes:
        size: Bytes that they take, about.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self.size, self._lock = 0, threading.Lock()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._answers)

    def get(self, key: str) -> bytes | None:
        """Return an answer; None where it is not kept."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer, in the place of those that nobody has asked for longest."""
        with self._lock:
            before = self._answers.pop(key, None)
            self.size += len(answer) + KEEPING - (0 if before is None else len(before) + KEEPING)
            self._answers[key] = answer
            while self.size > MOST_BYTES and len(self._answers) > 1:
                self.size -= len(self._answers.popitem(last=False)[1]) + KEEPING


_kept = KeptAnswers()


def respond(make: Callable[[], Drawing | NotDrawn], stamp: str) -> Response:
    """Answer the request with a drawing, or with the reason why there is none.

    Args:
        make: Draws; is called only where the answer is not known yet.
        stamp: Changes whenever the answer to this address may.
    """
    return answer(lambda: plain(make()), stamp)


def answer(make: Callable[[], Any], stamp: str) -> Response:
    """Answer the request with what `make` returns as JSON; see `respond`."""
    key = hashlib.sha256(f"{stamp} {request.full_path}".encode()).hexdigest()[:32]
    if request.if_none_match.contains(key):
        return _tagged(Response(status=304), key)
    body = _kept.get(key)
    if body is None:
        content = make()
        body = gzip.compress(json.dumps(content, allow_nan=False, separators=(",", ":")).encode(), 5)
        _kept.put(key, body)
    return _tagged(_unpacked(body), key)


def plain(drawn: Drawing | NotDrawn) -> dict[str, Any]:
    """Return a drawing as JSON takes it, or why there is none."""
    if isinstance(drawn, NotDrawn):
        return {"problem": f"Nothing is drawn: {drawn.reason}."}
    wide = json.loads(drawn.figure.to_json())
    narrow = json.loads(to_json_plotly(drawn.narrow))
    return {"data": wide["data"], "wide": wide["layout"], "narrow": narrow, "caption": drawn.caption}


def unavailable(error: Exception) -> Response:
    """Answer that the results are out of reach."""
    return problem(f"The results cannot be read: {error}", 503)


def problem(text: str, status: int = 404) -> Response:
    """Answer with the reason why there is no answer; by default, that there is no such thing."""
    return Response(json.dumps({"problem": text}), status, mimetype="application/json")


def document(text: str) -> Response:
    """Answer with a whole page that carries its own scripts; it may ask the service for nothing."""
    return Response(text, mimetype="text/html", headers={"Content-Security-Policy": DOCUMENT_POLICY})


def sent(content: str, mimetype: str) -> Response:
    """Answer with a text that changes with the program only."""
    tag = hashlib.sha256(content.encode()).hexdigest()[:32]
    known = request.if_none_match.contains(tag)
    return _tagged(Response(status=304) if known else _unpacked(packed(content), mimetype), tag)


class Shared(io.BytesIO):
    """Bytes that all who read them share: a copy each, for those who do not read on, would add up."""


def lasting(content: bytes, plain: Callable[[], bytes], mimetype: str) -> Response:
    """Answer with what stands under an address that stands for nothing else, ever.

    Args:
        content: Packed; the same object each time.
        plain: Returns it unpacked; the same object each time.
        mimetype: Of it.
    """
    is_packed = bool(request.accept_encodings["gzip"])
    body = content if is_packed else plain()
    response = Response(wrap_file(request.environ, Shared(body)), mimetype=mimetype, direct_passthrough=True)
    response.content_length = len(body)
    response.headers["Vary"] = "Accept-Encoding"
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def packed(content: str) -> bytes:
    """Return a text as browsers take it."""
    return gzip.compress(content.encode(), 6, mtime=0)


def _unpacked(body: bytes, mimetype: str = "application/json") -> Response:
    if request.accept_encodings["gzip"]:
        response = Response(body, mimetype=mimetype)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = Response(gzip.decompress(body), mimetype=mimetype)
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _tagged(response: Response, key: str) -> Response:
    response.set_etag(key)
    response.headers["Cache-Control"] = "no-cache"  # kept, but asked about each time
    return response
