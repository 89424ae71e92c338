"""What is wrong with a cluster file, as far as it can be seen without an account or a cluster."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"

PROVIDER_KEYS = {
    "aws": {
        "type",
        "region",
        "availability_zone",
        "cache_stopped_nodes",
        "security_group",
        "key_pair",
        "use_internal_ips",
    },
    "gcp": {"type", "region", "availability_zone", "project_id", "cache_stopped_nodes", "use_internal_ips"},
    "local": {"type", "head_ip", "worker_ips"},
}
"""What each provider reads; Ray's schema lets any other key through, and nothing reads it."""

MADE_BY_THE_USER = {"~/.ray/auth_token"}
"""Files outside the project that docs/cluster.md has made before `ray up`."""


def load(path: Path) -> dict[str, Any]:
    """Return a launcher's file as `ray up` reads it."""
    config: dict[str, Any] = yaml.safe_load(path.read_text())
    return config


def launcher_files() -> list[Path]:
    """Return every file that is for `ray up`."""
    files = [ROOT / "cluster.yaml", *sorted((ROOT / "clusters").glob("*.yaml"))]
    return [file for file in files if re.search(r"^cluster_name:", file.read_text(), re.MULTILINE)]


def problems(config: dict[str, Any], folder: Path = ROOT) -> list[str]:
    """Return all that is wrong with a launcher's file called in `folder`, a line each."""
    found = _schema(config)
    if found:
        return found
    found = [*_provider(config), *_mounts(config, folder), *_node_types(config)]
    check = {"aws": _aws, "gcp": _gcp}.get(config["provider"].get("type", ""))
    return found + (check(config) if check else [])


def _schema(config: dict[str, Any]) -> list[str]:
    """What Ray itself refuses."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    filled = copy.deepcopy(config)
    try:
        validate_config(prepare_config(filled))
    except jsonschema.ValidationError as error:
        return [error.message]
    except (ValueError, KeyError, RuntimeError) as error:
        return [str(error)]
    return []


def _provider(config: dict[str, Any]) -> list[str]:
    provider = config["provider"]
    known = PROVIDER_KEYS.get(provider.get("type", ""), set())
    found = [f"provider.{key}: no such key" for key in provider if key not in known]
    if not config.get("auth", {}).get("ssh_user"):
        found.append("auth.ssh_user: missing")
    return found


def _mounts(config: dict[str, Any], folder: Path) -> list[str]:
    """Sources that do not exist, and installed files that the mounts do not bring."""
    mounts = config.get("file_mounts", {})
    found = [
        f"file_mounts: {source} does not exist"
        for source in mounts.values()
        if source not in MADE_BY_THE_USER and not (folder / Path(source).expanduser()).exists()
    ]
    named = re.findall(r"~/robustness/([\w./-]+)", " ".join(commands(config)))
    gone = [path for path in named if not (folder / path).exists() or "~/robustness" not in mounts]
    return found + [f"commands: ~/robustness/{path} is not there" for path in gone]


def commands(config: dict[str, Any]) -> list[str]:
    """Return every command that the launcher runs on a node."""
    return [command for key, value in config.items() if key.endswith("_commands") for command in value]


def _node_types(config: dict[str, Any]) -> list[str]:
    """Numbers of workers that contradict each other, and a head that would train."""
    found = []
    for name, node_type in config.get("available_node_types", {}).items():
        least, most = node_type.get("min_workers", 0), node_type.get("max_workers", 0)
        if least > most:
            found.append(f"{name}: min_workers {least} is more than max_workers {most}")
        if most > config["max_workers"]:
            found.append(f"{name}: max_workers {most} is more than the cluster's {config['max_workers']}")
        given = node_type["resources"]
        if name == config.get("head_node_type") and (given.get("CPU") != 0 or given.get("GPU") != 0):
            found.append(f"{name}: the head has {given}, and would train")
    return found


def _aws(config: dict[str, Any]) -> list[str]:
    import boto3
    from botocore.validate import ParamValidator

    model = boto3.client("ec2", region_name="us-east-1").meta.service_model
    shape = model.operation_model("RunInstances").input_shape
    found = []
    for name, node_type in config["available_node_types"].items():
        request = {"MinCount": 1, "MaxCount": 1, **node_type["node_config"]}
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            found.append(f"{name}: {report.generate_report()}")
    return found


def _gcp(config: dict[str, Any]) -> list[str]:
    nodes = {name: node_type["node_config"] for name, node_type in config["available_node_types"].items()}
    found = [f"{name}: {line}" for name, node in nodes.items() for line in _against("gcp-instance", node)]
    provider = config["provider"]
    if not provider["availability_zone"].startswith(provider["region"]):
        found.append(f"provider: {provider['availability_zone']} is no zone of {provider['region']}")
    text = json.dumps(nodes)
    found += [
        f"zone {zone} is not the cluster's"
        for zone in re.findall(r"zones/([\w-]+)/", text)
        if zone != provider["availability_zone"]
    ]
    accounts = re.findall(r"@([\w-]+)\.iam", text)
    return found + [f"project {each} is not the cluster's" for each in accounts if each != provider["project_id"]]


def changed(config: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy of `config` with the value at a dotted path replaced, or removed if it is None."""
    result = copy.deepcopy(config)
    *parents, last = path.split(".")
    place: Any = result
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result


def rayjob_problems(job: dict[str, Any]) -> list[str]:
    """Return what KubeRay would refuse of a RayJob, and numbers of workers that contradict each other."""
    found = _against("rayjob", job)
    if found:
        return found
    spec = job["spec"]["rayClusterSpec"]
    for group in spec["workerGroupSpecs"]:
        if group.get("minReplicas", 0) > group["maxReplicas"]:
            found.append(f"{group['groupName']}: minReplicas is more than maxReplicas")
    if (
        "nvidia.com/gpu" in json.dumps(spec["headGroupSpec"])
        or spec["headGroupSpec"]["rayStartParams"].get("num-cpus") != "0"
    ):
        found.append("the head would train")
    return found


def _against(schema: str, document: Any) -> list[str]:
    rules = json.loads((SCHEMAS / f"{schema}.schema.json").read_text())
    errors = jsonschema.Draft202012Validator(rules).iter_errors(document)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def pinned(package: str) -> str:
    """Return the version of `package` in constraints.txt."""
    found = re.search(rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert found, package
    return found[1]
