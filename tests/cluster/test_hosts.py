"""A cluster on separate hosts: brought up for real, submitted to from elsewhere, and broken in the middle of sweeps.

The tests go through the life of one cluster and stand in its order: the last takes it down.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import psutil
import pytest

from robustness.results.tables.schema import IDENTITY_COLUMNS, OUTCOME_COLUMNS
from robustness.study import Study
from robustness.sweep.in_process import run_here
from tests.support import guide
from tests.support import hosts as separate
from tests.support.hosts import CLIENT, HEAD, PROJECT, WORKERS, Hosts, missing
from tests.support.hosts_cluster import ADDRESS, CLONE, Cluster
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.sweep, pytest.mark.slow]

SIZE = 9
# A stack takes every core of its host, so that there is one process a worker that must load torch.
STUDY = f"""
workload: {{name: digits, epochs: 12}}
optimizers: [adams, adamw, adam]
space:
  lr: {{low: 1e-4, high: 1, points: 6}}
  weight_decay: {{low: 1e-4, high: 10, points: 3, zero: true}}
seeds: 3
resources: {{stack_size: {SIZE}, cpus: {os.cpu_count()}}}
"""
RUNS = 3 * 6 * 4 * 3
STACKS = RUNS // SIZE
DIGITS = 3 * 5 * 6 * 3  # of the coarser study that the client has
COLUMNS = [*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]
SWEEP_S = 200

FOR_A_WHILE = """
import pathlib, sys, time
from tests.support import hosts
with hosts.Hosts(pathlib.Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(100)
"""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    if why_not := missing():
        pytest.skip(why_not)
    with Hosts(tmp_path_factory.mktemp("hosts")) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    started = Cluster(hosts, tmp_path_factory.mktemp("said"))
    started.prepare()
    started.up()
    return started


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The table of a sweep on one machine."""
    study = tmp_path_factory.mktemp("study") / "alone.yaml"
    study.write_text(STUDY)
    run_here(Study.load(study), study.parent, quiet=True)
    return in_order(pd.read_parquet(study.parent / "alone" / "runs"))


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[COLUMNS].sort_values("run_id").reset_index(drop=True)


def write_study(cluster: Cluster, name: str) -> str:
    path = f"/root/{name}.yaml"
    cluster.hosts.path(CLIENT, path).write_text(STUDY)
    return path


def begin(cluster: Cluster, name: str) -> subprocess.Popen[bytes]:
    """Submit the study as `name` and return when its sweep is well under way."""
    following = cluster.follow(write_study(cluster, name), name)
    wait_for(lambda: cluster.parts(name) >= 4 or following.poll() is not None, SWEEP_S, why="first stacks")
    assert following.poll() is None, cluster.said(name)
    assert cluster.parts(name) < STACKS - 4, "it is in the middle"
    return following


def finish(cluster: Cluster, name: str, following: subprocess.Popen[bytes]) -> None:
    assert following.wait(SWEEP_S) == 0, cluster.said(name)


def check(cluster: Cluster, name: str, expected: pd.DataFrame) -> pd.DataFrame:
    """Compare all stored rows with a single machine's; return them."""
    rows = cluster.raw(name)
    assert len(rows) == RUNS == rows["run_id"].nunique()
    pd.testing.assert_frame_equal(in_order(rows), expected)
    return rows


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 1000)
        assert missing() == "separate hosts need root"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(separate, "SYSTEM_PATH", "/nowhere")
    assert re.match(r"separate hosts need sshd, .*nsenter.* \(Debian: openssh-server", str(missing()))


def test_hosts_share_nothing(hosts: Hosts) -> None:
    first, second = WORKERS
    hosts.run(first, "touch", "/tmp/mark", "/etc/mark")
    for elsewhere in (second, CLIENT):
        assert hosts.run(elsewhere, "ls", "/tmp/mark", "/etc/mark", check=False).stdout == ""
    assert not Path("/etc/mark").exists()
    assert hosts.run(first, "hostname").stdout.strip() == first
    assert "pytest" not in hosts.run(first, "ps", "-e", "-o", "args").stdout
    assert hosts.run(first, "ls", PROJECT).stdout.strip() in {"", ".venv"}, "only what is carried there can run there"
    assert "default" not in hosts.run(first, "ip", "route").stdout


def test_a_cable_can_be_pulled(hosts: Hosts) -> None:
    login = ("ssh", "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=1", WORKERS[0], "hostname")
    hosts.link(WORKERS[0], up=False)
    assert hosts.run(CLIENT, *login, check=False).returncode != 0
    hosts.link(WORKERS[0], up=True)
    wait_for(lambda: hosts.run(CLIENT, *login, check=False).stdout == f"{WORKERS[0]}\n", 10, why="a login")


def test_a_power_cut_leaves_an_empty_machine(hosts: Hosts) -> None:
    hosts.run(WORKERS[1], "touch", "/root/mark")
    hosts.power_off(WORKERS[1])
    hosts.boot(WORKERS[1])
    hosts.wait_for_sshd(WORKERS[1])
    assert hosts.run(WORKERS[1], "ls", "/root/mark", check=False).returncode != 0


def test_hosts_end_with_the_process_that_made_them(hosts: Hosts, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FOR_A_WHILE, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "up\n"
        made = psutil.Process(maker.pid).children(recursive=True)
        assert len(made) > 8
        maker.kill()
    _, alive = psutil.wait_procs(made, timeout=10)
    assert alive == []


def test_the_guide_from_submitting_to_a_report(cluster: Cluster) -> None:
    """Every command of docs/cluster.md between `ray up` and `ray down` that needs nobody's account."""
    run = cluster.guide
    assert "3 of 3 runs" in run("robustness submit digits --smoke --follow")
    assert "submitted as digits-" in run("robustness submit digits")
    wait_for(lambda: re.search(r"digits-\w+-1 .* running", run("robustness jobs")), why="no job runs", pause=1)
    said = run("robustness logs digits --follow")
    assert f"{DIGITS} runs trained, 0 failed" in said
    assert re.search(r"digits-\w+-1 is done, after", said)
    assert "nothing to train" in run("robustness plan digits --gpu-hour-price 0.6")
    rows = cluster.raw("digits")
    assert len(rows) == DIGITS == rows["run_id"].nunique()
    assert set(rows["host"]) == set(WORKERS), "every worker trained, and the head did not"
    run("robustness compact digits")
    assert f"{DIGITS} runs pulled" in run("robustness pull digits --to results")
    pulled = pd.read_parquet(cluster.hosts.path(CLIENT, f"{CLONE}/results/digits/runs"))
    pd.testing.assert_frame_equal(in_order(pulled), in_order(rows))
    assert "report.html" in run("robustness report digits --results results")
    assert "0 runs trained" in run("robustness submit digits --follow")


def test_what_the_cluster_says_afterwards(cluster: Cluster) -> None:
    listed = cluster.robustness("jobs", "--all", "--address", ADDRESS).stdout
    assert re.search(r"digits-\w+-2 .* succeeded", listed), listed
    assert "0 runs trained, 0 failed" in cluster.robustness("logs", "digits", "--address", ADDRESS).stdout
    assert "ended" in cluster.robustness("stop", "digits", "--address", ADDRESS).stdout
    done = re.compile(r"Ray job digits-\w+-2: done")
    wait_for(lambda: done.search(cluster.studies()), 60, why="Ray's word on the pages", pause=2)
    assert f"{DIGITS} of {DIGITS}" in cluster.studies().replace("\\u00a0", " ")


def test_without_the_token_nobody_is_let_in(cluster: Cluster) -> None:
    refused = cluster.robustness("jobs", "--address", ADDRESS, env={"HOME": "/tmp"}, check=False)
    assert refused.returncode == 1
    assert re.fullmatch(rf"error: .*{ADDRESS} wants its token.*RAY_AUTH_TOKEN.*\n", refused.stderr), refused.stderr


def test_a_raylet_is_killed(cluster: Cluster, expected: pd.DataFrame) -> None:
    following = begin(cluster, "raylet")
    cluster.hosts.run(WORKERS[0], "pkill", "--signal", "KILL", "--exact", "raylet")
    finish(cluster, "raylet", following)
    check(cluster, "raylet", expected)
    assert "a node died: its " in cluster.said("raylet"), "and was told from a run that kills its worker"
    assert "Traceback" not in cluster.said("raylet")


def test_a_cable_is_pulled_in_mid_sweep(cluster: Cluster, expected: pd.DataFrame) -> None:
    cluster.settle()  # Ray has started again where it was killed
    following = begin(cluster, "cable")
    cluster.hosts.link(WORKERS[1], up=False)
    wait_for(lambda: WORKERS[1] not in cluster.nodes(), 60, why="Ray to notice", pause=1)
    cluster.hosts.link(WORKERS[1], up=True)
    finish(cluster, "cable", following)
    check(cluster, "cable", expected)
    assert "a node died: its " in cluster.said("cable")


def test_the_driver_is_killed(cluster: Cluster, expected: pd.DataFrame) -> None:
    cluster.settle()
    following = begin(cluster, "driver")
    cluster.hosts.run(HEAD, "pkill", "--signal", "KILL", "--full", "robustness.cli run")
    assert following.wait(SWEEP_S) == 1, cluster.said("driver")
    stored = cluster.parts("driver")
    finish(cluster, "driver", cluster.follow(write_study(cluster, "driver"), "again"))
    check(cluster, "driver", expected)
    first = re.search(rf"driver: (\d+) of {RUNS} runs", cluster.said("again"))
    assert first is not None
    assert int(first[1]) >= stored * SIZE, "what was stored was not trained again"


def test_the_cluster_is_taken_down(cluster: Cluster) -> None:
    cluster.down()
    for name in (HEAD, *WORKERS):
        wait_for(lambda name=name: cluster.rays(name) == [], 60, why=f"the end of Ray on {name}")  # type: ignore[misc]


def test_nothing_of_the_guide_was_left_out(cluster: Cluster) -> None:
    """What needs nobody's account was run, by the tests before this one."""
    assert {line for line in guide.commands() if guide.needs(line) is None} == cluster.done
