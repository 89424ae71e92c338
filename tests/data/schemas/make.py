"""Makes the schemas of this folder from what their projects publish; README.md says from which files.

python make.py kuberay ray.io_rayjobs.yaml > rayjob.schema.json
python make.py compute compute.v1.json > gcp-instance.schema.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

WORTH_SHARING = 200
"""Characters from which a part that occurs several times is written once."""


def kuberay(path: Path) -> dict[str, Any]:
    """Return the schema of a RayJob of ray.io/v1, whole but for descriptions, fields that it does not name refused."""
    versions = yaml.safe_load(path.read_text())["spec"]["versions"]
    (v1,) = (version for version in versions if version["name"] == "v1")
    schema = _closed(v1["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return _shared(schema)


def compute(path: Path) -> dict[str, Any]:
    """Return the schema of a Compute Engine instance, as `instances.insert` takes it."""
    schemas = json.loads(path.read_text())["schemas"]
    found: dict[str, Any] = {}
    waiting = ["Instance"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _discovered(schemas[name])
            waiting += _names(schemas[name])
    return {"$ref": "#/$defs/Instance", "$defs": found}


def _closed(node: Any) -> Any:
    """Return a part of an OpenAPI schema as JSON Schema that refuses unknown fields."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    known = ("type", "enum", "items", "minimum", "maximum", "pattern", "maxLength", "minLength", "maxItems")
    result = {key: _closed(node[key]) for key in known if key in node}
    if "properties" in node:
        result["properties"] = {name: _closed(each) for name, each in node["properties"].items()}
        result["additionalProperties"] = False
        # Kubernetes fills in defaults before it asks what is required.
        result["required"] = [name for name in node.get("required", ()) if "default" not in node["properties"][name]]
    elif "additionalProperties" in node:
        result["additionalProperties"] = _closed(node["additionalProperties"])
    return result


def _discovered(node: Any) -> Any:
    """Return a part of a discovery document as JSON Schema that refuses unknown fields."""
    if "$ref" in node:
        return {"$ref": f"#/$defs/{node['$ref']}"}
    kind = node.get("type")
    if kind == "string" and node.get("format") in ("int64", "uint64"):
        return {"type": ["integer", "string"]}
    if kind == "array":
        return {"type": "array", "items": _discovered(node["items"])}
    if kind == "object" and "properties" in node:
        fields = {name: _discovered(each) for name, each in node["properties"].items()}
        return {"type": "object", "properties": fields, "additionalProperties": False}
    if kind == "object":
        return {"type": "object", "additionalProperties": _discovered(node["additionalProperties"])}
    return {key: node[key] for key in ("type", "enum") if key in node}


def _names(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for each in node for name in _names(each)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [name for each in node.values() for name in _names(each)]


def _shared(schema: dict[str, Any]) -> dict[str, Any]:
    """Write parts that are alike once: a pod's template occurs in a RayJob three times."""
    parts: dict[str, str] = {}

    def share(node: Any) -> Any:
        if isinstance(node, list):
            return [share(each) for each in node]
        if not isinstance(node, dict):
            return node
        result = {key: share(each) for key, each in node.items()}
        text = json.dumps(result, sort_keys=True)
        # A map of fields may have one that is called "type"; only a schema has a word there.
        if not isinstance(node.get("type"), (str, list)) or len(text) < WORTH_SHARING:
            return result
        return {"$ref": f"#/$defs/{parts.setdefault(text, str(len(parts)))}"}

    whole = share(schema)
    return {**whole, "$defs": {name: json.loads(text) for text, name in parts.items()}}


if __name__ == "__main__":
    made = {"kuberay": kuberay, "compute": compute}[sys.argv[1]](Path(sys.argv[2]))
    json.dump(made, sys.stdout, sort_keys=True, separators=(",", ":"))
    sys.stdout.write("\n")
