"""A cell as a study file of its own."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    import pandas as pd

    from analysis.service.web.look import CellOf


def cell_file(name: str, cell: CellOf, runs: pd.DataFrame) -> str:
    """Return a study file, YAML, that asks for these runs of one cell and no others; every option is written out.

    Args:
        name: The study's.
        cell: The cell.
        runs: Its runs, at least one.
    """
    first = runs.iloc[0]
    asked = {
        "name": f"{name[:59]}-cell",
        "workload": {"name": str(first["workload"]), **_known(first["workload_options"])},
        "optimizers": [{"name": str(first["optimizer"]), "label": cell.label, **_known(first["optimizer_options"])}],
        "space": {"lr": [cell.lr], "weight_decay": [cell.weight_decay]},
        "seeds": [int(seed) for seed in runs["seed"]],
    }
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 100
    stream = StringIO()
    yaml.dump(asked, stream)
    return stream.getvalue()


def _known(options: object) -> dict[str, Any]:
    return {key: value for key, value in json.loads(str(options)).items() if value is not None}
