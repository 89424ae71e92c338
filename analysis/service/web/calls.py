"""What is asked of Dash itself: what no page asks is refused here, for Dash would fail over it and log that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash.exceptions import DependencyException
from flask import Response, request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dash import Dash

PATH = "/_dash-update-component"
SCRIPTS = "/_dash-component-suites/"


def check_calls(app: Dash) -> None:
    """Answer 400 to a call whose outputs, inputs or states are not those of a callback."""

    def check() -> Response | None:
        if request.path != PATH or request.method != "POST":
            return None
        try:
            body = request.get_json(silent=True)
        except RecursionError:
            body = None
        return None if _is_call(body, app.callback_map) else Response("no page asks this\n", 400, mimetype="text/plain")

    app.server.before_request(check)


def check_scripts(app: Dash) -> None:
    """Answer 404 where Dash has no such script, or its file is away."""
    for rule in app.server.url_map.iter_rules():
        if rule.rule.startswith(SCRIPTS):
            app.server.view_functions[rule.endpoint] = _or_none(app.server.view_functions[rule.endpoint])


def _or_none(serve: Callable[..., Any]) -> Callable[..., Any]:
    def served(**fields: Any) -> Any:
        try:
            return serve(**fields)
        except (DependencyException, OSError):
            return Response("there is no such script\n", 404, mimetype="text/plain")

    return served


def _is_call(body: Any, known: Mapping[str, Any]) -> bool:
    name = body.get("output") if isinstance(body, dict) else None
    callback = known.get(name) if isinstance(name, str) else None
    if not isinstance(name, str) or callback is None or "callback" not in callback:  # one without runs in the browser
        return False
    several = name.startswith("..")
    outputs = body.get("outputs") if several else [body.get("outputs")]
    wanted = [dict(zip(("id", "property"), each.rsplit(".", 1), strict=True)) for each in name.strip(".").split("...")]
    changed = body.get("changedPropIds", [])
    return (
        _named(outputs) == wanted
        and all(_named(body.get(key, [])) == callback[key] for key in ("inputs", "state"))
        and all(_is_value(each) for key in ("inputs", "state") for each in body.get(key, []))
        and isinstance(changed, list)
        and all(isinstance(each, str) for each in changed)
    )


def _named(given: Any) -> Sequence[dict[str, Any]] | None:
    """Return what is named, without its values; None where it is no list of names."""
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        return None
    return [{key: each.get(key) for key in ("id", "property")} for each in given]


def _is_value(given: dict[str, Any]) -> bool:
    """Whether a value is of its property's type: the clocks count, all else is text."""
    value = given.get("value")
    return value is None or isinstance(value, int if given["property"] == "n_intervals" else str)
