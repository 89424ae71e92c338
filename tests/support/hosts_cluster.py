"""A Ray cluster on separate hosts: `ray up`, on the client, of the twin of clusters/on-premise.yaml."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from robustness.results import child
from tests.support import guide
from tests.support.hosts import ADDRESSES, CLIENT, HEAD, PROJECT, WORKERS
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    import subprocess

    from tests.support.hosts import Hosts

FILE = PROJECT / "clusters" / "on-premise.yaml"
CLONE, TWIN = "/root/project", "/root/twin.yaml"
ADDRESS = "http://127.0.0.1:8265"
STORAGE_PORT, STORAGE_LOG = 5000, "storage.txt"
STORAGE = f"http://{ADDRESSES[CLIENT]}:{STORAGE_PORT}"
RESULTS = f"s3://bucket/results?endpoint_override={STORAGE}"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}

GUIDE_S = 300.0
"""For the longest command of the guide: to watch a sweep to its end."""

# A lost node is noticed and its Ray started again, and what lost its head gives up, in seconds rather than in minutes.
QUICK = {
    "AUTOSCALER_UPDATE_INTERVAL_S": 1,
    "AUTOSCALER_HEARTBEAT_TIMEOUT_S": 10,
    "RAY_health_check_initial_delay_ms": 1000,
    "RAY_health_check_period_ms": 1000,
    "RAY_health_check_timeout_ms": 2000,
    "RAY_health_check_failure_threshold": 3,
    "RAY_gcs_rpc_server_reconnect_timeout_s": 10,
}

# What the client does for the test, in Python that starts in a moment.
ASK = """
import pathlib, sys, urllib.request
token = pathlib.Path.home().joinpath(".ray/auth_token").read_text()
request = urllib.request.Request(sys.argv[1], headers={"Authorization": f"Bearer {token}"}, method=sys.argv[2])
sys.stdout.write(urllib.request.urlopen(request, timeout=10).read().decode())
"""
# As a page in the browser asks for its content.
LIST = """
import json, sys, urllib.request
asked = {
    "output": "page.children", "outputs": {"id": "page", "property": "children"},
    "inputs": [{"id": "route", "property": "data", "value": "/"}], "changedPropIds": ["route.data"],
    "state": [{"id": "url", "property": name, "value": value} for name, value in (("pathname", "/"), ("search", ""))],
}
where, kind = "http://127.0.0.1:8050/_dash-update-component", {"Content-Type": "application/json"}
request = urllib.request.Request(where, json.dumps(asked).encode(), kind)
sys.stdout.write(urllib.request.urlopen(request, timeout=30).read().decode())
"""
COPY = """
import sys
from pyarrow import fs
fs.copy_files(sys.argv[1], sys.argv[2])
"""


def twin() -> dict[str, Any]:
    """Return clusters/on-premise.yaml with the hosts' addresses and login, quick health checks and no downloads."""
    config: dict[str, Any] = yaml.safe_load(FILE.read_text())
    config["provider"] |= {"head_ip": ADDRESSES[HEAD], "worker_ips": [ADDRESSES[name] for name in WORKERS]}
    config["auth"] = {"ssh_user": "root", "ssh_private_key": "~/.ssh/id_ed25519"}
    quick = " ".join(f"{name}={value}" for name, value in QUICK.items())
    # Keys that the machines have by themselves, as in a cloud those of their role.
    keys = " ".join(f"{name}={value}" for name, value in CREDENTIALS.items())
    keys += " ROBUSTNESS_PUBLISHED="  # tests count what is trained
    instead = {
        "ROBUSTNESS_RESULTS=": f"echo \"export ROBUSTNESS_RESULTS='{RESULTS}' {quick} {keys}\" > ~/robustness.env",
        "-m venv": f"ln -sfn {sys.prefix} ~/venv",
        # What was carried is what runs, as if it had been installed.
        "pip install": "echo 'export PYTHONPATH=$HOME/robustness' >> ~/robustness.env",
    }
    for mark, command in instead.items():
        (place,) = (index for index, found in enumerate(config["setup_commands"]) if mark in found)
        config["setup_commands"][place] = command
    return config


class Cluster:
    """The cluster, an S3 server that all hosts reach, and a user at the client."""

    def __init__(self, hosts: Hosts, folder: Path) -> None:
        self.hosts, self._folder = hosts, folder
        self.done: set[str] = set()
        """Commands of the guide that were run."""
        self._exported: dict[str, str] = {}

    def client(self, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the user would, in the clone of the project."""
        return self.hosts.run(CLIENT, *command, **self._user(options))

    def robustness(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of the project as the user would."""
        return self.client("python", "-m", "robustness.cli", *arguments, **options)

    def guide(self, line: str, *, log: str = "") -> str:
        """Run a command of docs/cluster.md as the user would, and return what it said; with `log`, only start it."""
        assert line in guide.commands(), f"the guide says nothing of {line}"
        self.done.add(line)
        here = line.replace("clusters/on-premise.yaml", TWIN).replace("s3://BUCKET/results", RESULTS)
        if here.startswith("export "):
            name, _, value = here.removeprefix("export ").partition("=")
            self._exported[name] = value
            return ""
        shell = ("bash", "-c", f'robustness() {{ python -m robustness.cli "$@"; }}; {here}')
        if log:
            self.hosts.start(CLIENT, *shell, log=self._folder / log, **self._user({}))
            return ""
        done = self.client(*shell, timeout=GUIDE_S)
        return done.stdout + done.stderr

    def follow(self, study: str, name: str) -> subprocess.Popen[bytes]:
        """Start `robustness submit --follow` of the client's file `study`; what it prints is `said(name)`."""
        command = ["python", "-m", "robustness.cli", "submit", study, "--address", ADDRESS, "--follow"]
        return self.hosts.start(CLIENT, *command, log=self._folder / f"{name}.txt", **self._user({}))

    def said(self, name: str) -> str:
        """Return what a started command has printed so far."""
        return (self._folder / f"{name}.txt").read_text()

    def prepare(self) -> None:
        """Give the client a clone of the project, a token and the cluster's file, and start the S3 server."""
        self._clone()
        self.hosts.path(CLIENT, TWIN).write_text(yaml.safe_dump(twin()))
        server = ("moto_server", "--host", "0.0.0.0", "--port", str(STORAGE_PORT))
        self.hosts.start(CLIENT, *server, log=self._folder / STORAGE_LOG)
        self.guide("export ROBUSTNESS_RESULTS=s3://BUCKET/results")
        self.guide("ray get-auth-token --generate")
        self.guide("chmod 600 ~/.ray/auth_token")
        wait_for(lambda: self._answers(f"{STORAGE}/bucket", "PUT"), 60, why="the S3 server")

    def up(self) -> None:
        """Bring the cluster up, open the way to its dashboard, and wait for the workers."""
        self.guide("ray up -y clusters/on-premise.yaml")
        self.guide("ray dashboard clusters/on-premise.yaml", log="dashboard.txt")
        self.settle()

    def down(self) -> None:
        """Take the cluster down."""
        self.guide("ray down -y clusters/on-premise.yaml")

    def settle(self) -> None:
        """Wait until all nodes are there."""
        wait_for(lambda: len(self.nodes()) == 1 + len(WORKERS), 120, why="a head and two workers", pause=1)

    def nodes(self) -> list[str]:
        """Return the names of the hosts that Ray takes for alive; none while the dashboard does not answer."""
        done = self.client("python", "-ISc", ASK, f"{ADDRESS}/nodes?view=summary", "GET", check=False)
        if done.returncode:
            return []
        raylets = [node["raylet"] for node in json.loads(done.stdout)["data"]["summary"]]
        return [raylet["nodeManagerHostname"] for raylet in raylets if raylet.get("state") == "ALIVE"]

    def studies(self) -> str:
        """Return the list of studies that the head's service shows, asked through a tunnel; "" without an answer."""
        # One shell: a tunnel in the background would hold the pipes of a command of its own until it closes.
        login = "ssh -f -o StrictHostKeyChecking=no -o ExitOnForwardFailure=yes"
        tunnel = f"{login} -L 8050:127.0.0.1:8050 {HEAD} sleep 5 > /dev/null 2>&1"
        return self.client("bash", "-c", f'{tunnel}; python -ISc "$0"', LIST, check=False).stdout

    def parts(self, study: str) -> int:
        """Return how many stacks of a study are stored, by the S3 server's log: asking it would cost the sweep time."""
        log = (self._folder / STORAGE_LOG).read_text()
        return len(set(re.findall(rf"PUT /bucket/results/{study}/runs/(\S+)", log)))

    def raw(self, study: str) -> pd.DataFrame:
        """Return the stored rows of a study as pandas reads its files: every row that is there."""
        copy = f"/root/raw/{study}"
        self.client("mkdir", "-p", copy)
        self.client("python", "-c", COPY, child(RESULTS, f"{study}/runs").with_keys, copy)
        return pd.read_parquet(self.hosts.path(CLIENT, copy))

    def rays(self, name: str) -> list[str]:
        """Return the processes of Ray on a host, but for its agents: they seek their head for a minute, then end."""
        found = self.hosts.run(name, "pgrep", "--full", "--list-full", "gcs_server|raylet|ray::|/ray/", check=False)
        return [line for line in found.stdout.splitlines() if not re.search(r"ray::(Dashboard|RuntimeEnv)Agent", line)]

    def _user(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"cwd": CLONE, **options, "env": CREDENTIALS | self._exported | dict(options.get("env", {}))}

    def _answers(self, url: str, method: str) -> bool:
        return self.client("python", "-ISc", ASK, url, method, check=False).returncode == 0

    def _clone(self) -> None:
        """Copy the project's files to the client, without what git leaves out."""
        clone = self.hosts.path(CLIENT, CLONE)
        shutil.copytree(PROJECT, clone, ignore=_left_out)
        # The study of the guide with fewer cells, for the time it takes; its name and all else are the same.
        study = clone / "search_spaces" / "digits.yaml"
        study.write_text(re.sub(r"points: \d+", "points: 5", study.read_text()))


def _left_out(folder: str, names: list[str]) -> set[str]:
    there = {".git", ".venv", "results", "build", "dist"} if Path(folder) == PROJECT else set()
    return {name for name in names if name in there or name.endswith(("__pycache__", "_cache", ".egg-info"))}
