"""The commands of docs/cluster.md: which of them need somebody's account, and which can be run anywhere."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "cluster.md"

NEEDS = {
    r"aws ": "an account on AWS",
    r"gcloud |ray (up|down) -y clusters/gcp\.yaml|pip install google-api-python-client": "an account on Google Cloud",
    r"ray (up|down|dashboard)( -y)? cluster\.yaml": "an account on AWS",
    r"docker ": "a registry of images",
    r"kubectl ": "a Kubernetes cluster",
}
"""What a command needs that is not to be had here, by how it begins."""


def commands() -> list[str]:
    """Return the guide's commands in their order."""
    blocks = re.findall(r"^```console\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def needs(command: str) -> str | None:
    """Return what a command needs that is not to be had here, None if it can be run."""
    return next((what for pattern, what in NEEDS.items() if re.match(pattern, command)), None)
