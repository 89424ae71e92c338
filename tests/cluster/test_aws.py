"""cluster.yaml through Ray's own AWS launcher, in an account that exists in this process alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
import yaml
from cfnlint.api import lint_all
from cfnlint.decode import decode
from moto import mock_aws

from tests.support.cluster_checks import ROOT, load

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ACCOUNT = ROOT / "clusters" / "aws-account.yaml"
MINE = "203.0.113.7/32"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An account with the stack of clusters/aws-account.yaml."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))  # where Ray puts the key it makes
        patch.setenv("AWS_DEFAULT_REGION", load(ROOT / "cluster.yaml")["provider"]["region"])
        boto3.client("cloudformation").create_stack(
            StackName="robustness",
            TemplateBody=ACCOUNT.read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": "Bucket", "ParameterValue": "basins"},
                {"ParameterKey": "SshFrom", "ParameterValue": MINE},
            ],
        )
        yield


@pytest.fixture(scope="module")
def cluster(account: None) -> tuple[dict[str, Any], Any]:
    """What `ray up` makes of cluster.yaml: the filled-in file, and the provider with a head and two workers."""
    from ray.autoscaler._private.aws.config import bootstrap_aws
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = AWSNodeProvider.fillout_available_node_types_resources(prepare_config(load(ROOT / "cluster.yaml")))
    validate_config(config)
    config = bootstrap_aws(config)
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for kind in ("head", "worker", "worker"):
        provider.create_node(dict(config["available_node_types"][kind]["node_config"]), {"ray-node-type": kind}, 1)
    return config, provider


def instances(kind: str) -> list[dict[str, Any]]:
    """The instances of `head` or `worker`, as EC2 has them."""
    found = boto3.client("ec2").describe_instances(Filters=[{"Name": "tag:ray-node-type", "Values": [kind]}])
    return [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]


def test_a_worker_has_a_gpu_and_the_head_takes_no_work(cluster: tuple[dict[str, Any], Any]) -> None:
    types = cluster[0]["available_node_types"]
    assert types["worker"]["resources"]["GPU"] == 1
    assert types["worker"]["resources"]["CPU"] >= 1
    assert (types["head"]["resources"]["CPU"], types["head"]["resources"]["GPU"]) == (0, 0)


def test_workers_are_spot_and_the_head_is_not(cluster: tuple[dict[str, Any], Any]) -> None:
    (head,) = instances("head")
    assert "InstanceLifecycle" not in head
    workers = instances("worker")
    assert [worker["InstanceLifecycle"] for worker in workers] == ["spot"] * 2
    assert head["ImageId"] == workers[0]["ImageId"]


def test_all_that_costs_is_tagged(cluster: tuple[dict[str, Any], Any]) -> None:
    for instance in instances("head") + instances("worker"):
        assert {"Key": "project", "Value": "robustness"} in instance["Tags"]
        (disk,) = [each["Ebs"]["VolumeId"] for each in instance["BlockDeviceMappings"]]
        volume = boto3.client("ec2").describe_volumes(VolumeIds=[disk])["Volumes"][0]
        assert {"Key": "project", "Value": "robustness"} in volume["Tags"]


def test_only_ssh_from_one_place_comes_in(cluster: tuple[dict[str, Any], Any]) -> None:
    for instance in instances("head") + instances("worker"):
        (group,) = instance["SecurityGroups"]
        assert group["GroupName"] == "robustness"
    rules = boto3.client("ec2").describe_security_groups(GroupNames=["robustness"])["SecurityGroups"][0][
        "IpPermissions"
    ]
    outside = [(rule["FromPort"], rule["ToPort"], each["CidrIp"]) for rule in rules for each in rule["IpRanges"]]
    assert outside == [(22, 22, MINE)]
    assert not any(rule["Ipv6Ranges"] or rule["PrefixListIds"] for rule in rules)


def test_every_zone_of_the_region_is_tried(cluster: tuple[dict[str, Any], Any]) -> None:
    zones = boto3.client("ec2").describe_availability_zones()["AvailabilityZones"]
    assert len(cluster[0]["available_node_types"]["worker"]["node_config"]["SubnetIds"]) == len(zones)


def documents(kind: str) -> list[dict[str, Any]]:
    """The policies of the role that the instances of `head` or `worker` have."""
    iam = boto3.client("iam")
    name = instances(kind)[0]["IamInstanceProfile"]["Arn"].rpartition("/")[2]
    (role,) = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
    of_role = {"RoleName": role["RoleName"]}
    attached = [each["PolicyArn"] for each in iam.list_attached_role_policies(**of_role)["AttachedPolicies"]]
    assert not any(arn.startswith("arn:aws:iam::aws:") for arn in attached), "a policy for all of S3 or EC2"
    found = [iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] for arn in attached]
    inline = iam.list_role_policies(**of_role)["PolicyNames"]
    found += [iam.get_role_policy(**of_role, PolicyName=policy)["PolicyDocument"] for policy in inline]
    return [yaml.safe_load(each) if isinstance(each, str) else each for each in found]  # moto has Python's repr


def test_nodes_may_use_the_bucket_and_only_the_head_may_start_nodes(cluster: tuple[dict[str, Any], Any]) -> None:
    head, worker = (
        {action for document in documents(kind) for each in document["Statement"] for action in each["Action"]}
        for kind in ("head", "worker")
    )
    assert {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= worker <= head
    assert all(action.startswith("s3:") for action in worker)
    assert {"ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateTags", "iam:PassRole"} <= head


def test_a_reclaimed_worker_is_no_longer_counted_and_an_idle_one_is_terminated(
    cluster: tuple[dict[str, Any], Any],
) -> None:
    _, provider = cluster
    reclaimed, idle = provider.non_terminated_nodes({"ray-node-type": "worker"})
    boto3.client("ec2").terminate_instances(InstanceIds=[reclaimed])
    assert provider.non_terminated_nodes({"ray-node-type": "worker"}) == [idle]
    provider.terminate_node(idle)
    states = {instance["InstanceId"]: instance["State"]["Name"] for instance in instances("worker")}
    assert states == {reclaimed: "terminated", idle: "terminated"}


def test_the_bucket_is_private_and_outlives_the_stack() -> None:
    bucket = decode(str(ACCOUNT))[0]["Resources"]["Results"]
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_cloudformation_would_take_the_template() -> None:
    found = [match for match in lint_all(ACCOUNT.read_text()) if not match.rule.id.startswith("I")]
    assert found == []
