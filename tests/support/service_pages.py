"""Asking the service for its pages as a browser does, without one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from analysis.service.pages.data.downloads import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dash import Dash
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from analysis.service.studies.snapshot import Snapshot
    from analysis.service.studies.studies import Studies

HOME = "http://localhost:8050"
SPACE = "\N{NO-BREAK SPACE}"
# What stands for a field of a rule, besides the study.
FIELDS = {"section": ("basins", "claims", "curves"), "file": tuple(KINDS), "job_id": ("job-1",), "name": ("digits",)}


def called(
    client: FlaskClient, output: str, inputs: Mapping[str, Any], state: Mapping[str, Any] | None = None, /, **more: Any
) -> Any:
    """Call a callback by its output, "a.x" or "..a.x...b.y..", with inputs and state by id.property.

    `more` stands in the body in the place of what it would have.
    """
    outputs: Any = [_named(name) for name in output.strip(".").split("...")]
    content = {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": [_named(name) | {"value": value} for name, value in inputs.items()],
        "state": [_named(name) | {"value": value} for name, value in (state or {}).items()],
        "changedPropIds": list(inputs)[:1],
    }
    return client.post("/_dash-update-component", json=content | more, base_url=HOME)


def content(answer: TestResponse) -> Any:
    """Return the JSON of an answer."""
    return answer.json


def asked(client: FlaskClient, output: str, inputs: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> Any:
    """Return what a callback answers for its first output, as JSON; None where nothing changes."""
    answer = called(client, output, inputs, state)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    component, prop = output.strip(".").split("...")[0].split(".")
    return answer.json["response"].get(component, {}).get(prop)


def page(client: FlaskClient, path: str, search: str = "") -> Any:
    """Return the components of a page, as JSON."""
    return asked(client, "page.children", {"route.data": path}, {"url.pathname": path, "url.search": search})


def shown(client: FlaskClient, path: str, search: str = "") -> str:
    """Return the components of a page, as JSON text."""
    return plain(page(client, path, search))


def text(answer: Any) -> str:
    """Return what a callback has answered, as JSON text."""
    return plain(answer.json["response"])


def snapshot_of(studies: Studies, name: str) -> Snapshot:
    """Return the snapshot of a study that is there."""
    snapshot = studies.snapshot(name)
    assert snapshot is not None
    return snapshot


def plain(content: Any) -> str:
    """Return JSON text, its no-break spaces as plain ones."""
    return json.dumps(content, ensure_ascii=False).replace(SPACE, " ")


def _named(name: str) -> dict[str, str]:
    component, _, prop = name.rpartition(".")
    return {"id": component, "property": prop}


def found(tree: Any, kind: str, **props: Any) -> list[dict[str, Any]]:
    """Return the props of the components of a kind, in their order; those with these props."""
    if isinstance(tree, list):
        return [one for each in tree for one in found(each, kind, **props)]
    if not isinstance(tree, dict):
        return []
    own = tree.get("props", tree)
    this = [own] if tree.get("type") == kind and all(own.get(key) == value for key, value in props.items()) else []
    return this + found(own.get("children"), kind, **props)


def words(tree: Any) -> str:
    """Return all that is to be read, with a blank between two components."""
    if isinstance(tree, list):
        return " ".join(words(each) for each in tree)
    if isinstance(tree, dict):
        return words(tree.get("props", tree).get("children"))
    return "" if tree is None else str(tree)


def drawn(client: FlaskClient, address: str) -> dict[str, Any]:
    """Return the figure at an address."""
    answer = client.get(address, base_url=HOME)
    content: dict[str, Any] = json.loads(answer.get_data())
    return content


def paths(rule: str, study: str) -> list[str]:
    """Return paths of a rule, one a value of its field."""
    rule = rule.replace("<study>", study)
    found = re.search(r"<(?:path:)?(\w+)>", rule)
    return [rule] if found is None else [rule.replace(found[0], value) for value in FIELDS[found[1]]]


def told(app: Dash, path: str, search: str) -> list[Any]:
    """Return what every callback answers while a path is looked at."""
    client, answers = app.server.test_client(), []
    values = {"pathname": path, "search": search, "n_intervals": 1}
    for output, callback in app.callback_map.items():
        if "callback" not in callback:  # it runs in the browser
            continue
        asked = [
            {f"{each['id']}.{each['property']}": values.get(each["property"]) for each in callback[kind]}
            for kind in ("inputs", "state")
        ]
        answers.append(called(client, output, *asked))
    return answers
