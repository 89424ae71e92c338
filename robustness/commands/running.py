"""The command that trains what is missing of a study, here or on a cluster that this machine belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.commands.evaluation import show_report
from robustness.console import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    STOPPED,
    end_at_once,
    err,
    out,
    takes_results,
    takes_study,
)
from robustness.jobs.versions import difference
from robustness.machine.home import expanded
from robustness.published.shipped import to_train
from robustness.results import Store, child, finished
from robustness.results.best import nothing_learnt
from robustness.results.files.retrying import patiently
from robustness.search.cells import asked_ids
from robustness.search.missing import Missing, missing
from robustness.study import Study
from robustness.workloads import DataError

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from robustness.console import Add
    from robustness.sweep import Sweep


def add_commands(add: Add) -> None:
    """Add run."""
    command = add("run", run, "train what is missing of a study, store it and write its report")
    takes_study(command)
    takes_results(command)
    _run_options(command)


def _run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--address", help="a Ray cluster's address, `auto` for the one here; default: start Ray here")
    command.add_argument("--verbose", action="store_true", help="leave Ray's own messages on the screen")
    command.add_argument(
        "--smoke",
        action="store_true",
        help="see in seconds that the study goes all the way: a cell an optimizer, one seed, two epochs, few examples;"
        " in this process unless there is an --address, stored as STUDY-smoke",
    )
    command.add_argument("--data-dir", metavar="DIR", help="folder of downloaded data, for workloads that name none")
    command.add_argument(
        "--no-published", action="store_true", help="train also what is published, rather than take it from there"
    )
    command.add_argument(
        "--no-try", action="store_true", help="do not try the study's own network and optimizers on a small batch first"
    )
    command.add_argument("--quiet", action="store_true", help="show no progress")
    command.add_argument("--no-report", action="store_true", help="write no report at the end")


def run(options: argparse.Namespace) -> int:
    """Train, and write the report; 1 where runs are missing in the end, 130 where it was interrupted."""
    from robustness.dry_run import DryRunError
    from robustness.errors import ClusterError
    from robustness.sweep import SweepError

    study = Study.load(options.study)
    if warning := difference():
        err.print(warning)
    if options.data_dir:
        study = study.with_data_dir(expanded(options.data_dir))
    if options.smoke:
        study = study.smoke()
    try:
        sweep = _trained(study, options)
    except DataError as error:
        err.print(f"error: {error}")
        return FAILED
    except DryRunError as error:
        err.print(str(error))
        return BAD_INPUT
    except (SweepError, ClusterError) as error:
        err.print(f"error: {error}\nWhat was stored stays; the same command goes on from there.")
        return FAILED
    taken = f", {sweep.taken} taken from published results" if sweep.taken else ""
    out.print(f"{sweep.trained} runs trained, {sweep.failed} failed{taken}; results in {sweep.root}")
    stored = patiently(Store(sweep.root, read_only=True).runs)
    lacking = missing(study, stored)
    if lacking.count:
        _print_missing(lacking)
    if not options.no_report:
        show_report(sweep.root, None, open_it=False)
    say_of_nothing_learnt(study, stored)
    if sweep.interrupted:
        err.print("stopped before all was done; the same command goes on from there")
        return INTERRUPTED
    return FAILED if lacking.count else 0


def _trained(study: Study, options: argparse.Namespace) -> Sweep:
    """Train what is missing of `study`; the process ends here where a second Ctrl-C ended that."""
    given = not options.no_published and not options.smoke  # which is to show that training goes all the way
    if not options.address:  # of a cluster's nodes, each has its own
        for workload in to_train(study, Store(child(options.results, study.name), read_only=True), use_published=given):
            workload.fetch()
    if options.smoke and not options.address:
        from robustness.sweep.in_process import run_here

        return run_here(study, options.results, quiet=options.quiet, use_published=given, try_first=not options.no_try)
    from robustness.sweep import run as sweep_over

    try:
        return sweep_over(
            study,
            options.results,
            address=options.address,
            verbose=options.verbose,
            quiet=options.quiet,
            use_published=given,
            process_ends=True,
            try_first=not options.no_try,
        )
    except KeyboardInterrupt:
        err.print(STOPPED)
        end_at_once(INTERRUPTED)


def _print_missing(lacking: Missing) -> None:
    err.print(f"{lacking.count} of {lacking.total} runs have no result:")
    for line in lacking.lines:
        err.print(f"  {line}")
    err.print("The same command tries them again.")


def say_of_nothing_learnt(study: Study, stored: pd.DataFrame) -> None:
    """Say of each workload all of whose runs diverged, or are no better than chance, that this is to be looked into."""
    for part in study.parts:
        runs = stored[stored["run_id"].isin(asked_ids(part, stored))]
        if nothing_learnt(runs):
            results, diverged = len(finished(runs)), int((runs["status"] == "diverged").sum())
            how = [f"{diverged} diverged"] if diverged else []
            how += [f"{results - diverged} ended no better than chance"] if results > diverged else []
            err.print(
                f"{part.workload.title}: no run has learnt anything: {' and '.join(how)} of {results}. There is no best"
                " error. Look into the data, the loss and the learning rates before any of this is compared."
            )
