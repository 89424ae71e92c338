"""The files for `ray up`, offline: against Ray's schema and the clouds' own, and what neither sees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cluster_checks import ROOT, changed, commands, launcher_files, load, problems

if TYPE_CHECKING:
    from pathlib import Path

FILES = launcher_files()
CLOUDS = [file for file in FILES if load(file)["provider"]["type"] != "local"]
NAMES = {file.stem: file for file in FILES}


def by_name(file: Path) -> str:
    return file.stem


def test_there_is_a_file_for_every_provider() -> None:
    assert {load(file)["provider"]["type"] for file in FILES} == {"aws", "gcp", "local"}


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_nothing_is_wrong(file: Path) -> None:
    assert problems(load(file)) == []


WORKER = "available_node_types.worker"
MISTAKES = [
    ("cluster", "max_worker", 3, "max_worker"),
    ("cluster", "max_workers", "eight", "eight"),
    ("cluster", "provider.cache_stoped_nodes", False, "provider.cache_stoped_nodes: no such key"),
    ("cluster", "provider.security_group.Name", "x", "Name"),
    ("cluster", "auth", None, "auth.ssh_user: missing"),
    ("cluster", "file_mounts.~/notes", "notes-that-are-not-there", "notes-that-are-not-there does not exist"),
    ("cluster", "setup_commands", ["pip install -c ~/robustness/constrains.txt x"], "constrains.txt is not there"),
    ("cluster", "head_node_type", "hed", "head_node_type"),
    ("cluster", f"{WORKER}.min_workers", 9, "sum of `min_workers`"),
    ("cluster", f"{WORKER}.max_workers", 20, "max_workers 20 is more than the cluster's 8"),
    ("cluster", f"{WORKER}.resources", None, "resources"),
    ("cluster", f"{WORKER}.node_config.InstanceTyp", "x", "InstanceTyp"),
    ("cluster", f"{WORKER}.node_config.InstanceMarketOptions", {"MarketTyp": "spot"}, "MarketTyp"),
    ("cluster", "available_node_types.head.resources", {"CPU": 0, "GPU": 1}, "would train"),
    ("gcp", f"{WORKER}.node_config.machinType", "x", "machinType"),
    ("gcp", f"{WORKER}.node_config.scheduling.provisioningModel", "SPOTS", "SPOTS"),
    ("gcp", f"{WORKER}.node_config.scheduling.preemtible", True, "preemtible"),
    ("gcp", "provider.region", "europe-west4", "no zone of europe-west4"),
    ("gcp", "provider.availability_zone", "us-central1-b", "zone us-central1-a is not the cluster's"),
    ("gcp", "provider.project_id", "mine", "project PROJECT is not the cluster's"),
    ("on-premise", "provider.head_address", "10.0.0.1", "provider.head_address: no such key"),
    ("on-premise", "provider.worker_ips", "10.0.0.2", "10.0.0.2"),
]


def _problems_or_missing(config: dict[str, Any]) -> list[str]:
    """As `problems`; what it cannot even read without a key names that key."""
    try:
        return problems(config)
    except KeyError as error:
        return [str(error)]


@pytest.mark.parametrize(("name", "path", "value", "words"), MISTAKES, ids=[f"{m[0]}-{m[1]}-{m[2]}" for m in MISTAKES])
def test_a_mistake_is_found(name: str, path: str, value: object, words: str) -> None:
    assert any(words in line for line in _problems_or_missing(changed(load(NAMES[name]), path, value)))


def test_more_workers_at_least_than_at_most_are_found() -> None:
    config = changed(changed(load(NAMES["cluster"]), f"{WORKER}.min_workers", 5), f"{WORKER}.max_workers", 3)
    assert "worker: min_workers 5 is more than max_workers 3" in problems(config)


@pytest.mark.parametrize("file", CLOUDS, ids=by_name)
def test_an_idle_cluster_is_a_head_alone(file: Path) -> None:
    config = load(file)
    worker = config["available_node_types"]["worker"]
    assert worker["min_workers"] == 0
    assert config["idle_timeout_minutes"] <= 10
    assert config["provider"]["cache_stopped_nodes"] is False
    assert config["max_workers"] == worker["max_workers"]


def test_a_reclaimed_worker_leaves_nothing_behind() -> None:
    aws = load(NAMES["cluster"])["available_node_types"]["worker"]["node_config"]
    assert aws["InstanceMarketOptions"] == {"MarketType": "spot"}  # terminated on interruption, EC2's default
    assert all(disk["Ebs"]["DeleteOnTermination"] for disk in aws["BlockDeviceMappings"])
    gcp = load(NAMES["gcp"])["available_node_types"]["worker"]["node_config"]
    assert gcp["scheduling"]["provisioningModel"] == "SPOT"
    assert gcp["scheduling"]["instanceTerminationAction"] == "DELETE"
    assert all(disk["autoDelete"] for disk in gcp["disks"])


@pytest.mark.parametrize("file", CLOUDS, ids=by_name)
def test_head_and_workers_have_one_pinned_image(file: Path) -> None:
    nodes = [each["node_config"] for each in load(file)["available_node_types"].values()]
    images = {node.get("ImageId") or node["disks"][0]["initializeParams"]["sourceImage"] for node in nodes}
    assert len(images) == 1
    assert re.search(r"^ami-[0-9a-f]{17}$|/images/(?!family)\S+-v\d{8}$", images.pop())


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_nodes_run_this_project_with_the_pinned_set(file: Path) -> None:
    config = load(file)
    assert config["file_mounts"]["~/robustness"] == "."
    everything = " ".join(commands(config))
    assert "nightly" not in everything
    for command in commands(config):
        if "pip install" in command:
            assert "-c ~/robustness/constraints.txt" in command
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"~/robustness\[(\w+)\]", everything)) <= set(extras)


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_the_code_goes_along_and_nothing_else(file: Path, tmp_path: Path) -> None:
    """By rsync itself, with Ray's arguments: a bare `results` would leave out the package robustness.results."""
    from ray.autoscaler._private.command_runner import SSHCommandRunner

    code = [f"robustness/results/{name}" for name in ("__init__.py", "store.py")] + ["robustness/workloads/data.py"]
    other = [
        ".git/HEAD",
        ".venv/bin/python",
        "results/digits/runs/a.parquet",
        "robustness/__pycache__/cli.pyc",
        "build/x",
    ]
    for name in [*code, *other]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    shutil.copy(ROOT / ".gitignore", tmp_path)
    config = load(file)
    options = {key: config.get(key) for key in ("rsync_exclude", "rsync_filter")}
    rules = SSHCommandRunner._create_rsync_filter_args(object.__new__(SSHCommandRunner), options)
    if not shutil.which("rsync"):
        pytest.skip("rsync is not installed (Debian: apt-get install rsync)")
    command = ["rsync", *rules, "-a", "--dry-run", "--out-format=%n", f"{tmp_path}/", f"{tmp_path}-there/"]
    sent = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert {name for name in sent if not name.endswith("/")} == {*code, ".gitignore"}


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_only_who_has_the_token_gets_in(file: Path) -> None:
    config = load(file)
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    (environment,) = [command for command in commands(config) if "RAY_AUTH_MODE=token" in command]
    assert "> ~/robustness.env" in environment
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        (start,) = [command for command in config[key] if "ray start" in command]
        assert start.startswith(". ~/robustness.env")
        assert "dashboard-host=0.0.0.0" not in start


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_a_shell_can_read_every_command(file: Path) -> None:
    for command in commands(load(file)):
        found = subprocess.run(["bash", "-n", "-c", f"({command})"], check=False, capture_output=True, text=True)
        assert not found.stderr, command


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_the_environment_is_what_the_file_says(file: Path, tmp_path: Path) -> None:
    """The commands that write ~/robustness.env, run twice as two calls of `ray up` do."""
    lines = [command for command in load(file)["setup_commands"] if "robustness.env" in command]
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for command in lines * 2:
        subprocess.run(["bash", "-c", command], check=True, env=home)
    ask = '. ~/robustness.env; echo "$ROBUSTNESS_RESULTS $RAY_AUTH_MODE $PATH"'
    told = subprocess.run(["bash", "-c", ask], check=True, env=home, capture_output=True, text=True).stdout.split()
    assert told[0].endswith("/results")
    assert told[1:] == ["token", f"{tmp_path}/venv/bin:{os.environ['PATH']}"]
    assert (tmp_path / ".bashrc").read_text().count("robustness.env") == 1


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_the_place_of_results_is_in_one_line(file: Path) -> None:
    text = file.read_text()
    assert text.count("export ROBUSTNESS_RESULTS=") == 1
    assert len(re.findall(r"(s3|gs)://BUCKET", text)) <= 1


GUIDE = (ROOT / "docs" / "cluster.md").read_text()
GUIDE_COMMANDS = [
    line for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()
]


def test_every_line_of_the_guide_s_blocks_is_a_command() -> None:
    assert GUIDE_COMMANDS
    assert [line for line in GUIDE_COMMANDS if not line.startswith("$ ")] == []


def test_the_guide_names_files_that_are_there() -> None:
    named = [name for line in GUIDE_COMMANDS for name in re.findall(r"[\w/-]+\.yaml|\S*Dockerfile", line)]
    assert {"cluster.yaml", *(f"clusters/{file.name}" for file in FILES if file.stem != "cluster")} <= set(named)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_guide_uses_what_the_files_say() -> None:
    assert (
        f"google-api-python-client=={re.findall(r'google-api-python-client==([0-9.]+)', NAMES['gcp'].read_text())[0]}"
        in GUIDE
    )
    assert f"ray-autoscaler_{load(NAMES['cluster'])['provider']['region']}" in GUIDE
    for kind in ("head", "worker"):
        assert load(NAMES["cluster"])["available_node_types"][kind]["node_config"]["InstanceType"] in GUIDE
