"""The RayJob and its image, offline: against KubeRay's schema, and what it does not see."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from robustness.package_finder import PACKAGES
from tests.support.cluster_checks import ROOT, changed, pinned, rayjob_problems

if TYPE_CHECKING:
    from pathlib import Path

RAYJOB = ROOT / "clusters" / "kuberay-rayjob.yaml"
DOCKERFILE = ROOT / "clusters" / "Dockerfile"


@pytest.fixture
def rayjob() -> tuple[Any, Any]:
    study, job = yaml.safe_load_all(RAYJOB.read_text())
    return study, job


def test_kuberay_accepts_the_job(rayjob: tuple[Any, Any]) -> None:
    assert rayjob_problems(rayjob[1]) == []


HEAD = "spec.rayClusterSpec.headGroupSpec"
GROUP = "spec.rayClusterSpec.workerGroupSpecs.0"
JOB_MISTAKES = [
    ("spec.shutdownAfterJobFinish", True, "shutdownAfterJobFinish"),
    ("spec.entrypoint", 3, "entrypoint"),
    (f"{GROUP}.maxReplica", 3, "maxReplica"),
    (f"{GROUP}.minReplicas", 20, "minReplicas is more than maxReplicas"),
    (f"{GROUP}.template.spec.containers.0.resource", {}, "resource"),
    (f"{GROUP}.template.spec.containers.0.resources.limits.cpu", [1], "cpu"),
    (f"{HEAD}.template.spec.volumes.0.configMap.nam", "x", "nam"),
    (f"{HEAD}.template.spec.containers.0.resources.limits", {"nvidia.com/gpu": 1}, "the head would train"),
    (f"{HEAD}.rayStartParams", {}, "the head would train"),
    ("spec.rayClusterSpec.authOptions.mode", "password", "password"),
]


@pytest.mark.parametrize(
    ("path", "value", "words"), JOB_MISTAKES, ids=[m[0].removeprefix("spec.") for m in JOB_MISTAKES]
)
def test_a_mistake_in_the_job_is_found(rayjob: tuple[Any, Any], path: str, value: object, words: str) -> None:
    assert any(words in line for line in rayjob_problems(changed(rayjob[1], path, value)))


def test_the_job_trains_a_valid_study_and_goes_away(rayjob: tuple[Any, Any], tmp_path: Path) -> None:
    from robustness import Study

    study, job = rayjob
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    (mount,) = head["containers"][0]["volumeMounts"]
    assert head["volumes"] == [{"name": mount["name"], "configMap": {"name": study["metadata"]["name"]}}]
    ((name, text),) = study["data"].items()
    assert (
        f"robustness run {mount['mountPath']}/{name} --address auto --no-report --results s3://"
        in job["spec"]["entrypoint"]
    )
    (tmp_path / name).write_text(text)
    assert Study.load(str(tmp_path / name)).resources.gpus == 1  # `auto` cannot tell before there are nodes
    assert job["spec"]["shutdownAfterJobFinishes"] is True


def test_versions_are_the_pinned_ones(rayjob: tuple[Any, Any]) -> None:
    dockerfile = DOCKERFILE.read_text()
    assert re.findall(r"^FROM rayproject/ray:(\S+)-py312$", dockerfile, re.MULTILINE)[0] == pinned("ray")
    assert rayjob[1]["spec"]["rayClusterSpec"]["rayVersion"] == pinned("ray")


def test_the_image_has_all_that_the_package_needs() -> None:
    dockerfile = DOCKERFILE.read_text()
    copied = {name for line in re.findall(r"^COPY (.*)$", dockerfile, re.MULTILINE) for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = PACKAGES | {
        "published",
        project["project"]["readme"],
        *project["project"]["license-files"],
        "constraints.txt",
    }
    assert needed | {"pyproject.toml", "setup.py"} == copied
