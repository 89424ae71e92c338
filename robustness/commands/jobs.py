"""Commands about studies as jobs of a Ray cluster: submit, jobs, logs, stop."""

from __future__ import annotations

import argparse
import os
import re
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

from robustness import redaction
from robustness.console import FAILED, INTERRUPTED, err, out, place, takes_study
from robustness.errors import ClusterError
from robustness.jobs import Cluster, choose, pack
from robustness.jobs.cluster import DEFAULT_ADDRESS
from robustness.jobs.follow import follow
from robustness.jobs.job_text import ending, going_on, jobs_table
from robustness.jobs.screen import Screen
from robustness.jobs.submit import SEEN, Order, start
from robustness.results.files.place import is_uri
from robustness.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.console import Add
    from robustness.jobs import Job
    from robustness.results import Place

    Command = Callable[[argparse.Namespace], int]

_VARIABLE = re.compile(r"[A-Za-z_]\w*")


def add_commands(add: Add) -> None:
    """Add submit, jobs, logs and stop."""
    command = add("submit", _told(submit), "run a study as a job of a Ray cluster; attaches where it runs already")
    takes_study(command)
    _takes_address(command)
    command.add_argument(
        "--follow", action="store_true", help="show its progress until it ends; Ctrl-C only looks away"
    )
    _submit_options(command)

    command = add("jobs", _told(jobs), "list the studies that are jobs of a Ray cluster, newest first")
    _takes_address(command)
    command.add_argument("--all", action="store_true", help="the earlier jobs of each study too")

    command = add("logs", _told(logs), "print what a job has printed")
    _takes_job(command)
    command.add_argument(
        "--follow", action="store_true", help="show its progress until it ends; Ctrl-C only looks away"
    )

    command = add("stop", _told(stop), "stop a job: what runs is finished and stored, and the next submit goes on")
    _takes_job(command)


def _submit_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--results",
        type=_shared_place,
        default=_shared(os.environ.get("ROBUSTNESS_RESULTS", "")),
        help="URI of all results, or an absolute path that all nodes share (default: $ROBUSTNESS_RESULTS here if it is"
        " one of these, else what it is on the cluster)",
    )
    command.add_argument(
        "--env",
        type=_variable,
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="an environment variable of the job and its workers, with this machine's value if none is given; Ray"
        " replaces $OTHER in it. No keys: whoever may see the cluster's jobs can read it",
    )
    command.add_argument("--data-dir", type=_folder, metavar="DIR", help="folder of downloaded data, on every node")
    command.add_argument("--smoke", action="store_true", help="the study's smallest version, stored as STUDY-smoke")
    command.add_argument(
        "--no-published", action="store_true", help="train also what is published, rather than take it from there"
    )


def _takes_address(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--address",
        default=os.environ.get("RAY_API_SERVER_ADDRESS") or DEFAULT_ADDRESS,
        help=f"address of the cluster's dashboard (default: $RAY_API_SERVER_ADDRESS, else {DEFAULT_ADDRESS})",
    )


def _takes_job(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "job", metavar="ID", help="a job's id, how it begins, or its study's name: the newest job then"
    )
    _takes_address(command)


def _shared_place(text: str) -> Place:
    if not _shared(text):
        raise argparse.ArgumentTypeError(
            f"{text} is another folder on each node: give a URI such as s3://bucket/results, or an absolute path that"
            " all nodes share"
        )
    return place(text)


def _shared(text: str) -> str | None:
    """Return a URI or absolute path; None of a relative one."""
    return text if is_uri(text) or text.startswith("file:") or Path(text).is_absolute() else None


def _folder(text: str) -> str:
    if not text.startswith(("/", "~")):
        raise argparse.ArgumentTypeError(f"{text} is another folder on each node: give an absolute path")
    return text


def _variable(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not _VARIABLE.fullmatch(name):
        raise argparse.ArgumentTypeError(f"'{name}' is no name of an environment variable")
    if name == "ROBUSTNESS_RESULTS":
        raise argparse.ArgumentTypeError("say with --results where results go")
    if redaction.names_key(name) or redaction.text(value) != value:
        raise argparse.ArgumentTypeError(f"{name} holds a key, which {SEEN}")
    if not given and name not in os.environ:
        raise argparse.ArgumentTypeError(f"{name} is not set here: set it, or give {name}=VALUE")
    return name, value if given else os.environ[name]


def _told(command: Command) -> Command:
    """Return `command`, whose errors about the cluster become a line."""

    @wraps(command)
    def told(options: argparse.Namespace) -> int:

        try:
            return command(options)
        except ClusterError as error:
            err.print(f"error: {error}")
            return FAILED

    return told


def submit(options: argparse.Namespace) -> int:
    """Start a study as a job, or attach to the one that runs; with --follow, return how it ended."""
    study = Study.load(options.study)
    package = pack(study)
    if options.smoke:
        study = study.smoke()
    arguments = ["--smoke"] * options.smoke + ["--no-published"] * options.no_published
    arguments += ["--data-dir", options.data_dir] if options.data_dir else []
    order = Order(study.name, package, options.results, arguments, dict(options.env))
    cluster = Cluster(options.address)
    if warning := cluster.other_ray():
        err.print(warning)
    job, new = start(cluster, order)
    if new:
        out.print(f"submitted as {job.id}; results go to {order.place}")
    else:
        out.print(f"{job.id} is {job.status.lower()} already; nothing new was submitted")
    if options.follow:
        return _follow(cluster, job)
    out.print(going_on(job, cluster.address))
    return 0


def jobs(options: argparse.Namespace) -> int:
    """List jobs."""
    cluster = Cluster(options.address)
    found = cluster.jobs()
    if not options.all:
        newest: dict[str, Job] = {}
        for job in found:
            newest.setdefault(job.id.rpartition("-")[0], job)
        found = list(newest.values())
    if not found:
        out.print(f"no study was submitted to {cluster.address} yet; `robustness submit STUDY` does it")
        return 0
    out.print(jobs_table(found, {job.id: cluster.log(job.id) for job in found}))
    return 0


def logs(options: argparse.Namespace) -> int:
    """Print a job's log; with --follow, return how it ended."""
    cluster = Cluster(options.address)
    job = choose(cluster.jobs(), options.job, cluster.address)
    if options.follow:
        return _follow(cluster, job)
    sys.stdout.write(redaction.text(cluster.log(job.id)))
    return 0


def stop(options: argparse.Namespace) -> int:
    """Stop a job and wait for its end."""
    cluster = Cluster(options.address)
    job = choose(cluster.jobs(), options.job, cluster.address)
    if job.ended:
        out.print(f"{job.id} has ended already ({job.status.lower()}): nothing to stop")
        return 0
    log = cluster.log(job.id)
    cluster.stop(job.id)
    out.print(f"{job.id} stops; what runs is finished and stored first")
    ended = _watch(cluster, job, seen=log.rfind("\n") + 1)
    if ended is None:
        return INTERRUPTED
    out.print(ending(ended, cluster.log(job.id)))
    return 0


def _follow(cluster: Cluster, job: Job) -> int:
    """Show a job's progress; return 0 if it succeeded, 1 if it failed, 130 if it was stopped or no longer followed."""
    ended = _watch(cluster, job)
    if ended is None:
        return INTERRUPTED
    (out if ended.status == "SUCCEEDED" else err).print(ending(ended, cluster.log(job.id)))
    return {"SUCCEEDED": 0, "STOPPED": INTERRUPTED}.get(ended.status, FAILED)


def _watch(cluster: Cluster, job: Job, *, seen: int = 0) -> Job | None:
    """Show a job until it ended; None where Ctrl-C came first."""
    try:
        with Screen(job) as screen:
            return follow(cluster, job.id, screen, seen=seen)
    except KeyboardInterrupt:
        err.print(f"{job.id} goes on without being watched\n{going_on(job, cluster.address)}")
        return None
