"""Who is answered, and what a page may do: this machine's browser alone, and nothing from elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Response, request

from analysis.service.stored import is_name

if TYPE_CHECKING:
    from dash import Dash

HOSTS = ("localhost", "127.0.0.1", "[::1]")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

REPORT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads"
)
"""A report is a whole page that carries its scripts; it gets an origin of its own, and so nothing of the service's."""

_OWN = re.compile(r"/(_dash-[a-z-]+(/.*)?|assets/.*|_reload-hash|_favicon\.ico)?")
_STUDY = re.compile(r"/study/([^/]*)(/report)?")


def protect(app: Dash, port: int) -> None:
    """Let the application answer only to loopback names with its port, and only where there is a page."""
    hosts = {f"{host}:{port}" for host in HOSTS}
    origins = {f"http://{host}" for host in hosts}
    policy = _policy(app)

    def refuse() -> Response | None:
        if request.host not in hosts:  # a foreign name that resolves to 127.0.0.1
            return _words(f"this answers to http://localhost:{port} alone; forward that very port\n", 403)
        if request.headers.get("Origin", next(iter(origins))) not in origins:
            return _words("only its own pages may ask\n", 403)
        study = _STUDY.fullmatch(request.path)
        if not (is_name(study[1]) if study else _OWN.fullmatch(request.path)):
            return _words("there is no such page\n", 404)
        return None

    def dress(response: Response) -> Response:
        response.headers.update(HEADERS)
        is_report = request.path.endswith("/report") and response.mimetype == "text/html"
        response.headers["Content-Security-Policy"] = REPORT_POLICY if is_report else policy
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    # Before Dash's own, so that a foreign host learns nothing.
    app.server.before_request_funcs.setdefault(None, []).insert(0, refuse)
    app.server.after_request(dress)


def _policy(app: Dash) -> str:
    """Return the policy of Dash's pages: Dash has inline scripts, known by their hashes, and Plotly inline styles."""
    scripts = " ".join(["'self'", *app.csp_hashes()])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _words(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
