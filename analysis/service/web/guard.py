"""Who is answered, and what a page may do: known visitors, under this machine's own names, nothing from elsewhere."""

from __future__ import annotations

import ipaddress
import math
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flask import Response, redirect, request

from analysis.service.base.paths import is_at
from analysis.service.visitors.door import MONTH_S
from analysis.service.visitors.visitor import LOCAL, note, noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dash import Dash
    from werkzeug.wrappers import Response as AnyResponse

    from analysis.service.visitors.door import Door
    from analysis.service.visitors.visitor import Visitor

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "robustness-session"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

ONLY_LOOKS = "your token lets you look, not submit: ask for one with the role submit"

SIGN_IN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

_DASH = re.compile(r"/(_dash-[a-z-]+(/.*)?|assets/.*|_reload-hash|_favicon\.ico)")


class Guard:
    """Lets known visitors in, and dresses what they are answered."""

    def __init__(self, host: str = "127.0.0.1", door: Door | None = None, names: Sequence[str] = ()) -> None:
        """Take the address that is listened on, who may come in (None: anybody), and the machine's names."""
        own = [] if host in LOOPBACK else [socket.gethostname(), socket.getfqdn()]
        self._names = {name.lower() for name in ("localhost", *own, *names)}
        self._anywhere = host not in LOOPBACK
        self._door = door
        self._shown: tuple[str, ...] = ()
        self._others: tuple[str, ...] = ()
        self._submitting: tuple[str, ...] = ()

    def protect(
        self, app: Dash, shown: Iterable[str], others: Iterable[str] = (), submitting: Iterable[str] = ()
    ) -> None:
        """Stand before every request to the application.

        Args:
            app: The application.
            shown: The rules of what is answered, and may be asked for by whoever has just signed in.
            others: The rules of what is answered beside that; further paths are Dash's own, and there are no others.
            submitting: Those of them that are answered only to visitors who may submit.
        """
        self._shown, self._others, self._submitting = tuple(shown), tuple(others), tuple(submitting)
        policy = _policy(app)

        def refuse() -> AnyResponse | None:
            return self._refused()

        def dress(response: Response) -> Response:
            response.headers.update(HEADERS)
            # Who answers with another kind of page gives it its own policy: no path says what it is.
            response.headers.setdefault("Content-Security-Policy", policy)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        # Before Dash's own, so that a foreign host learns nothing.
        app.server.before_request_funcs.setdefault(None, []).insert(0, refuse)
        app.server.after_request(dress)

    def _refused(self) -> AnyResponse | None:
        if not self._is_own(request.host):  # a foreign name that resolves to this machine
            return _words("this answers to its own names alone, such as localhost; `--name` adds one\n", 403)
        origin = request.headers.get("Origin")
        if origin is not None and origin not in {f"http://{request.host}", f"https://{request.host}"}:
            return _words("only its own pages may ask\n", 403)
        visitor = LOCAL if self._door is None else self._door.by_cookie(request.cookies.get(COOKIE, ""))
        if visitor is None:
            assert self._door is not None
            return self._sign_in(self._door)
        note(request.environ, visitor)
        if not visitor.submits and any(is_at(rule, request.path) for rule in self._submitting):
            return _words(f"{ONLY_LOOKS}\n", 403)
        if not self._is_known(request.path):
            return _words("there is no such page\n", 404)
        return None

    def _is_known(self, path: str) -> bool:
        other = any(is_at(rule, path) for rule in self._others)
        return other or self._is_shown(path) or _DASH.fullmatch(path) is not None

    def _is_shown(self, path: str) -> bool:
        return any(is_at(rule, path) for rule in self._shown)

    def _is_own(self, host: str) -> bool:
        """Whether a page may have come under this name: only a name can be made to point elsewhere, no address."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._anywhere or address.is_loopback

    def _sign_in(self, door: Door) -> AnyResponse:
        """Take the token from the address or the form into a cookie, or ask for it."""
        given = request.form.get("token", "") if request.method == "POST" else request.args.get("token", "")
        if not given:
            return _asking("These pages ask who you are.")
        address = request.remote_addr or ""
        if wait_s := door.brake.admit(address):  # whether the token is right is not said either: it is not looked at
            return _waiting(math.ceil(wait_s))
        visitor = door.by_token(given)
        if visitor is None:
            return _asking("That is not the token.")
        door.brake.forgive(address)
        note(request.environ, visitor)
        return self._let_in(door.cookie(visitor))

    def _let_in(self, cookie: str) -> AnyResponse:
        """Lead on to what was asked for, without the token."""
        rest = urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "token"])
        # Nothing else of what was asked for: a browser reads more than one path as another host's address.
        path = request.path if self._is_shown(request.path) else "/"
        response = redirect(path + (f"?{rest}" if rest else ""), 303)
        response.set_cookie(COOKIE, cookie, max_age=MONTH_S, httponly=True, samesite="Lax", secure=request.is_secure)
        return response


def visitor() -> Visitor:
    """Return who makes the request that is answered now; the guard has let them in."""
    found = noted(request.environ)
    assert found is not None
    return found


def _waiting(seconds: int) -> Response:
    words = f"Too many wrong tokens came from here: the next one is looked at in {seconds} s."
    response = _asking(words, 429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _asking(words: str, status: int = 401) -> Response:
    if request.path.startswith("/_dash") or request.is_json:
        return _words("sign in first\n" if status == 401 else f"{words}\n", status)
    response = Response(SIGN_IN.replace("WORDS", words), status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = SIGN_IN_POLICY
    return response


SIGN_IN = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in · robustness</title>
<link rel="icon" href="data:,">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 18vh auto 0; padding: 0 16px; }
input, button { font: inherit; padding: 6px 12px; } input { width: 100%; box-sizing: border-box; margin: 4px 0 12px; }
</style>
</head>
<body>
<h1>robustness</h1>
<p role="alert">WORDS The token was printed where <code>robustness serve</code> was started.</p>
<form method="post">
<label>Token <input name="token" type="password" autocomplete="current-password" autofocus required></label>
<button>Sign in</button></form>
</body>
</html>
"""


def _policy(app: Dash) -> str:
    """Return the policy of Dash's pages: Dash has inline scripts, known by their hashes, and Plotly inline styles."""
    scripts = " ".join(["'self'", *app.csp_hashes()])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _words(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
