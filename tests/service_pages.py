"""Asking the service for its pages as a browser does, without one."""

from __future__ import annotations

import json
from typing import Any

HOME = "http://localhost:8050"


def asked(client: Any, output: str, prop: str, inputs: list[tuple[str, str, Any]], states: list[tuple[str, str, Any]]):
    """Return what a callback answers, as JSON."""
    named = [[{"id": i, "property": p, "value": v} for i, p, v in each] for each in (inputs, states)]
    body = {
        "output": f"{output}.{prop}",
        "outputs": {"id": output, "property": prop},
        "inputs": named[0],
        "state": named[1],
        "changedPropIds": [f"{inputs[0][0]}.{inputs[0][1]}"],
    }
    answer = client.post("/_dash-update-component", json=body, base_url=HOME)
    if answer.status_code == 204:  # nothing changes
        return None
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json["response"].get(output, {}).get(prop)


def page(client: Any, path: str, search: str = "") -> Any:
    """Return the components of a page, as JSON."""
    where = [("url", "pathname", path), ("url", "search", search)]
    return asked(client, "page", "children", [("route", "data", path)], where)


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


def drawn(client: Any, address: str) -> dict[str, Any]:
    """Return the figure at an address."""
    answer = client.get(address, base_url=HOME)
    content: dict[str, Any] = json.loads(answer.get_data())
    return content
