"""What the optimizer of a row is called: in the study as it was resolved last, else as the row itself has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

IDENTITY = ["optimizer", "optimizer_options"]


def labelled(runs: pd.DataFrame, resolved: str | None) -> pd.DataFrame:
    """Return the runs with a text column `label`, so that two entries of one optimizer are told apart.

    Args:
        runs: A runs table.
        resolved: The stored `resolved.json`; None without one.
    """
    pairs = list(zip(*(runs[name].astype(str) for name in IDENTITY), strict=True))
    keys = {pair: (pair[0], canonical(pair[1])) for pair in dict.fromkeys(pairs)}
    called, plain = _labels(resolved), told_apart(list(dict.fromkeys(keys.values())))
    own = runs["label"] if "label" in runs.columns else pd.Series(None, index=runs.index, dtype="object")
    names = [
        called.get(keys[pair]) or _text(label) or plain[keys[pair]] for pair, label in zip(pairs, own, strict=True)
    ]
    return runs.assign(label=pd.Series(names, index=runs.index, dtype="object"))


def canonical(options: str) -> str:
    """Return a JSON text with sorted keys, so that equal options are equal texts."""
    return json.dumps(json.loads(options), sort_keys=True)


def told_apart(found: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return (name, options as JSON) -> a title: the name, and the options that differ where one name has several."""
    labels = {}
    for name, options in found:
        rivals = [json.loads(other) for rival, other in found if rival == name]
        own = json.loads(options)
        differing = [k for k in own if any(rival.get(k) != own[k] for rival in rivals)]
        labels[name, options] = " ".join([name, *(f"{key}={own[key]}" for key in differing)])
    return labels


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _labels(resolved: str | None) -> dict[tuple[str, str], str]:
    """Return (name, canonical options) -> label, as far as a `resolved.json` can be read."""
    try:
        entries: Any = json.loads(resolved or "{}")["optimizers"]
        return {(one["name"], canonical(one["options"])): str(one["label"]) for one in entries if one.get("options")}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}
