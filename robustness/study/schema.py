"""The JSON Schema of a study file, with which an editor completes and checks it.

`make schema` writes search_spaces/study.schema.json anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from robustness.claims.catalogue import paper_claims
from robustness.optimizers import OPTIMIZERS
from robustness.study.study import Study
from robustness.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

Schema = dict[str, Any]

IMPORT_STRING = r"^[\w.]+:\w+$"


def study_schema() -> Schema:
    """Return the schema, in JSON Schema 2020-12.

    It is pydantic's, with the short forms that the model takes before pydantic sees them. It can't say all
    that the model checks: labels that clash, or low > high, are found when the study is read.
    """
    schema = Study.model_json_schema()
    properties, definitions = schema["properties"], schema["$defs"]
    for name in ("Grid", "Workload", "Optimizer"):
        definitions.pop(name, None)
    definitions["Axis"] = _axis(definitions["Axis"])
    definitions["DecayAxis"] = _axis(definitions["DecayAxis"])
    definitions["Workload"] = _by_name(WORKLOADS, definitions, {})
    entry = definitions["OptimizerEntry"]["properties"]
    own = {"label": entry["label"], "space": _described(entry["space"], {"$ref": "#/$defs/OwnSpace"})}
    definitions["OptimizerEntry"] = _by_name(OPTIMIZERS, definitions, own)
    several = {"type": "array", "items": {"$ref": "#/$defs/Workload"}, "minItems": 1, "uniqueItems": True}
    properties["workload"] = _described(properties["workload"], {"anyOf": [{"$ref": "#/$defs/Workload"}, several]})
    properties["search"] = _described(
        properties["search"], {"anyOf": [{"const": "grid"}, {"$ref": "#/$defs/Sampled"}], "default": "grid"}
    )
    seeds = {key: properties["seeds"][key] for key in ("type", "items", "minItems")} | {"uniqueItems": True}
    properties["reference"] = _without_null(properties["reference"])
    count = {"type": "integer", "minimum": 1, "maximum": 10_000}
    properties["seeds"] = _described(properties["seeds"], {"anyOf": [count, seeds], "default": 3})
    for name in ("Resources", "Claim", "Where", "OwnSpace"):
        fields = definitions[name]["properties"]
        fields |= {key: _without_null(field) for key, field in fields.items()}
    ids = {"enum": list(paper_claims()), "description": "A claim of the paper."}
    properties["claims"]["items"] = {"anyOf": [ids, properties["claims"]["items"]]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "required": [key for key in schema["required"] if key != "name"],
        "if": {"properties": {"search": {"const": "grid"}}},
        "then": {"properties": {"space": {"additionalProperties": _grid_axis()}}},
    }


def text() -> str:
    """Return the schema as its file has it."""
    return json.dumps(study_schema(), indent=2, ensure_ascii=False) + "\n"


def _axis(definition: Schema) -> Schema:
    """Return the two forms of an axis: numbers in a list, or a range."""
    fields = {name: _without_null(field) for name, field in definition["properties"].items()}
    values = fields.pop("values") | {"uniqueItems": True}
    return _described(
        definition,
        {
            "anyOf": [
                values,
                _object(fields, ["low", "high"]),
                _object({"values": values}, ["values"]),
            ]
        },
    )


def _grid_axis() -> Schema:
    return {"if": {"type": "object", "required": ["low"]}, "then": {"required": ["points"]}}


def _by_name(known: Mapping[str, type[BaseModel]], definitions: Schema, more: Schema) -> Schema:
    """Return the forms of something with a name: the name, or a mapping with its options.

    What the options refer to goes into `definitions`; `more` are keys that every mapping may have too.
    """
    forms: list[Schema] = [{"enum": sorted(known), "description": "With its default options."}]
    for name, model in sorted(known.items()):
        schema = model.model_json_schema()
        definitions |= schema.pop("$defs", {})
        fields = schema["properties"] | {"name": {"const": name}} | more
        forms.append(_described(schema, _object(fields, ["name"])))
    own = {"type": "string", "pattern": IMPORT_STRING, "description": "An import string, `package.module:Class`."}
    forms += [own, {"type": "object", "properties": {"name": own} | more, "required": ["name"]}]
    return {"anyOf": forms}


def _object(fields: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


def _described(source: Schema, schema: Schema) -> Schema:
    return {key: source[key] for key in ("title", "description") if key in source} | schema


def _without_null(field: Schema) -> Schema:
    """Drop the null that stands for a key that is absent: in a file it is absent."""
    if {"type": "null"} not in field.get("anyOf", []):
        return field
    (given,) = (form for form in field["anyOf"] if form != {"type": "null"})
    return _described(field, given)
