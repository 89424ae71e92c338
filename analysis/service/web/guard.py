"""Who is answered, and what a page may do: known visitors, under this machine's own names, nothing from elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flask import Response, redirect, request

from analysis.service.base.paths import is_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dash import Dash
    from werkzeug.wrappers import Response as AnyResponse

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "robustness-session"
MONTH_S = 30 * 86400

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

SIGN_IN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

_DASH = re.compile(r"/(_dash-[a-z-]+(/.*)?|assets/.*|_reload-hash|_favicon\.ico)")


class Guard:
    """Lets known visitors in, and dresses what they are answered."""

    def __init__(self, host: str = "127.0.0.1", token: str | None = None, names: Sequence[str] = ()) -> None:
        """Take the address that is listened on, what visitors must know (None: nothing), and the machine's names."""
        own = [] if host in LOOPBACK else [socket.gethostname(), socket.getfqdn()]
        self._names = {name.lower() for name in ("localhost", *own, *names)}
        self._anywhere = host not in LOOPBACK
        self._token = token
        self._shown: tuple[str, ...] = ()
        self._others: tuple[str, ...] = ()

    def protect(self, app: Dash, shown: Iterable[str], others: Iterable[str] = ()) -> None:
        """Stand before every request to the application.

        Args:
            app: The application.
            shown: The rules of what is answered, and may be asked for by whoever has just signed in.
            others: The rules of what is answered beside that; further paths are Dash's own, and there are no others.
        """
        self._shown, self._others = tuple(shown), tuple(others)
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
        if self._token is not None and not _same(request.cookies.get(COOKIE, ""), _session(self._token)):
            return self._sign_in(self._token)
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

    def _sign_in(self, token: str) -> AnyResponse:
        """Take the token from the address or the form into a cookie, or ask for it."""
        given = request.form.get("token", "") if request.method == "POST" else request.args.get("token", "")
        if not _same(given, token):
            if request.path.startswith("/_dash") or request.is_json:
                return _words("sign in first\n", 401)
            return _asking(wrong=bool(given))
        rest = urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "token"])
        # Nothing else of what was asked for: a browser reads more than one path as another host's address.
        path = request.path if self._is_shown(request.path) else "/"
        response = redirect(path + (f"?{rest}" if rest else ""), 303)
        response.set_cookie(
            COOKIE, _session(token), max_age=MONTH_S, httponly=True, samesite="Lax", secure=request.is_secure
        )
        return response


def _session(token: str) -> str:
    """Return what the cookie holds: not the token itself, for that may stand in a file that opens other doors."""
    return hmac.new(token.encode(), b"robustness serve: session", hashlib.sha256).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _asking(*, wrong: bool) -> Response:
    words = "That is not the token." if wrong else "These pages ask who you are."
    page = SIGN_IN.replace("WORDS", words)
    response = Response(page, 401, mimetype="text/html")
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
