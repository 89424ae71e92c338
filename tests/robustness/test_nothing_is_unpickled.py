"""No file is unpickled: whoever can write one could run code as its reader."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("robustness", "analysis", "benchmarks", "docs")

READERS = {
    ("pickle", "load"), ("pickle", "loads"), ("pickle", "Unpickler"), ("cloudpickle", "load"), ("cloudpickle", "loads"),
    ("marshal", "load"), ("marshal", "loads"), ("shelve", "open"), ("joblib", "load"), ("pd", "read_pickle"),
    ("pandas", "read_pickle"), ("dill", "load"), ("dill", "loads"),
}  # fmt: skip
MODULES = {module for module, _ in READERS} - {"pd", "pandas"}

ALLOWED = {
    ("robustness/worker/parcel.py", "pickle.loads"): "the study, which the driver hands to Ray in memory",
    ("robustness/dry_run/process.py", "pickle.loads"): "the study, which whoever starts it writes to its input",
    ("robustness/sweep/transfer.py", "pickle.loads"): "a function, which the driver hands to Ray in memory",
    ("robustness/workloads/cifar.py", "pickle.Unpickler"): "knows arrays alone, of bytes with a known digest",
}
"""What unpickles, and why it may."""


def unpicklers(source: str) -> set[str]:
    """Return the calls in a module that unpickle, or would with what they are given."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in READERS:
                found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            found.update(f"{node.module}.{each.name}" for each in node.names if (node.module, each.name) in READERS)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            called = ast.unparse(node.func)
            if called == "torch.load" and given.get("weights_only") != "True":
                found.add("torch.load")
            if called.rpartition(".")[2] == "load" and given.get("allow_pickle", "False") != "False":
                found.add("numpy.load")
    return found


def test_nothing_that_lies_on_disk_is_unpickled() -> None:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    assert files
    found = {(file.relative_to(ROOT).as_posix(), call) for file in files for call in unpicklers(file.read_text())}
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("import pickle\nerror = pickle.loads(Path(file).read_bytes())", "pickle.loads"),
        ("from pickle import load", "pickle.load"),
        ("from ray import cloudpickle\ncloudpickle.load(file)", "cloudpickle.load"),
        ("torch.load(file)", "torch.load"),
        ("torch.load(file, weights_only=False)", "torch.load"),
        ("np.load(file, allow_pickle=True)", "numpy.load"),
        ("pd.read_pickle(file)", "pd.read_pickle"),
    ],
)
def test_a_call_that_unpickles_is_found(source: str, call: str) -> None:
    assert unpicklers(source) == {call}


def test_a_call_that_reads_data_alone_is_none() -> None:
    assert unpicklers("torch.load(file, weights_only=True)\nnp.load(file)\njson.load(file)\npickle.dumps(x)") == set()
