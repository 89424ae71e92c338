"""The study service's answers to tests, asked for as a browser does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.testing import FlaskClient

HOME = "http://localhost:8050"
SPACE = "\N{NO-BREAK SPACE}"


def shown(client: FlaskClient, path: str, search: str = "") -> str:
    """Return what Dash puts on the page at an address, as JSON text."""
    answer = called(
        client,
        {"page.children": {"route.data": path}},
        {"url.pathname": path, "url.search": search},
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return text(answer)


def called(
    client: FlaskClient,
    asked: Mapping[str, Mapping[str, Any]],
    state: Mapping[str, Any] | None = None,
) -> Any:
    """Call a callback: {output, or "..a.x...b.y..": {input: value}}, each named id.property."""
    [(output, inputs)] = asked.items()
    outputs: Any = [_named(name) for name in output.strip(".").split("...")]
    content = {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": [_named(name) | {"value": value} for name, value in inputs.items()],
        "state": [_named(name) | {"value": value} for name, value in (state or {}).items()],
        "changedPropIds": list(inputs),
    }
    return client.post("/_dash-update-component", json=content, base_url=HOME)


def text(answer: Any) -> str:
    """Return the JSON text of an answer, its no-break spaces as plain ones."""
    return json.dumps(answer.json["response"], ensure_ascii=False).replace(SPACE, " ")


def _named(name: str) -> dict[str, str]:
    component, _, prop = name.rpartition(".")
    return {"id": component, "property": prop}
