"""What only looks loads neither torch nor ray: each command in a process in which neither can be imported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = """
import sys

class Blocked:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "ray"}:
            raise ImportError(f"{name} is blocked here")

sys.meta_path.insert(0, Blocked)
"""
MAIN = f"{BLOCKED}\nfrom robustness.cli import main\nsys.exit(main(sys.argv[1:]))"
EACH = f"""{BLOCKED}
import json
from robustness.cli import main
for arguments in json.loads(sys.argv[1]):
    print("=>", arguments[0], main(arguments))
"""
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "ROBUSTNESS_PUBLISHED": str(ROOT / "published"),
    "ROBUSTNESS_TOKEN": "",
}
COMMANDS = [
    ["list"],
    ["plan", "digits"],
    ["plan", "treebank"],
    ["validate", "digits", "paper/figure-11", "treebank"],
    ["schema"],
    ["report", "treebank"],
    ["claims", "treebank"],
    ["compare", "treebank", "cifar10"],
    ["figures", "cifar10", "--figure", "tuning"],
    ["compact", "mine"],
    ["check", "mine", "treebank"],
    ["pull", "treebank", "--to", "elsewhere"],
    ["publish", "mine", "--to", "published-here"],
]


@pytest.fixture(scope="module", name="folder")
def folder_with_a_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of a study in several parts."""
    folder = tmp_path_factory.mktemp("looking")
    place = folder / "results" / "mine"
    shutil.copytree(ROOT / "published" / "treebank", place)
    (place / "published.json").unlink()
    return folder


@pytest.mark.slow
def test_commands_that_look_need_neither(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", EACH, json.dumps(COMMANDS)],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "is blocked here" not in done.stderr
    ended = dict(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("=> "))
    assert list(ended) == list(dict.fromkeys(arguments[0] for arguments in COMMANDS))
    figures = ended.pop("figures")
    assert figures == "0" or "Chrom" in done.stderr, done.stderr  # which makes the pictures
    assert set(ended.values()) == {"0"}, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("module", ["robustness", "analysis", "analysis.service.server"])
def test_a_package_that_looks_needs_neither(module: str) -> None:
    whole = "; from analysis import *" if module == "analysis" else ""
    code = f"{BLOCKED}\nimport {module}{whole}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_service_starts_and_answers_without(folder: Path) -> None:
    command = [sys.executable, "-P", "-c", MAIN, "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as service:
        try:
            assert service.stdout
            said = service.stdout.readline()
            address = said.rpartition(" ")[2].strip()
            assert address.startswith("http://127.0.0.1:"), said
            with urllib.request.urlopen(f"{address}/study/mine", timeout=60) as answer:
                assert answer.status == 200
                assert "_dash-renderer" in answer.read().decode()
        finally:
            service.terminate()
