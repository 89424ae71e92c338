"""cluster.yaml against Ray's own schema and launcher checks, offline."""

from __future__ import annotations

import copy
from pathlib import Path

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

FILE = Path(__file__).resolve().parents[1] / "cluster.yaml"


@pytest.fixture
def config():
    config = yaml.safe_load(FILE.read_text())
    # What the AWS provider would look up in the account: how many cores and GPUs an instance type has.
    for node_type in config["available_node_types"].values():
        node_type["resources"] = node_type["resources"] or {"CPU": 16}
    return config


def test_ray_accepts_it(config):
    validate_config(prepare_config(config))


def test_ray_would_refuse_an_unknown_key(config):
    config["max_worker"] = 3
    with pytest.raises(jsonschema.ValidationError, match="max_worker"):
        validate_config(config)


def test_node_settings_are_those_of_run_instances(config):
    import boto3
    from botocore.validate import ParamValidator

    shape = boto3.client("ec2", region_name="us-east-1").meta.service_model.operation_model("RunInstances").input_shape
    for name, node_type in config["available_node_types"].items():
        request = {"MinCount": 1, "MaxCount": 1, **node_type["node_config"]}
        assert not ParamValidator().validate(request, shape).has_errors(), name
        misspelt = copy.deepcopy(request) | {"InstanceTyp": "x"}
        assert ParamValidator().validate(misspelt, shape).has_errors()


def test_idle_nodes_stop_costing(config):
    assert config["provider"]["cache_stopped_nodes"] is False
    assert config["available_node_types"]["worker"]["min_workers"] == 0
    assert config["idle_timeout_minutes"] <= 10
    for node_type in config["available_node_types"].values():
        assert node_type["node_config"]["ImageId"].startswith("ami-")


def test_nodes_run_the_pinned_set_and_no_nightly(config):
    commands = " ".join(config["setup_commands"])
    assert "constraints.txt" in commands
    assert "nightly" not in commands
    assert config["file_mounts"] == {"~/robustness": "."}
