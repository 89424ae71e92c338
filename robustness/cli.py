"""The command line: a thin layer over `Study`, `run` and `load`; `commands.py` has what looks at results."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING

from robustness.commands import BAD_INPUT, FAILED, add_commands, err, out, takes_results, write_report
from robustness.results import ResultsWarning, StorageError, Store, child, list_studies, load
from robustness.study import Study, StudyError, studies
from robustness.workloads import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 (something failed), 2 (the input is wrong) or 130 (interrupted)."""
    options = _parser().parse_args(arguments)
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except StudyError as error:
        err.print(str(error))
        return BAD_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except (StorageError, OSError) as error:
        err.print(f"error: {error}")
        return FAILED
    except KeyboardInterrupt:
        err.print("stopped; what was stored stays, and the same command goes on from there")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="robustness", description="Map how robust an optimizer is to its learning rate and weight decay."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(command=function)
        return command

    def takes_study(command: argparse.ArgumentParser, text: str) -> None:
        command.add_argument("study", metavar="STUDY", help=text)

    run = add("run", _run, "train what is missing of a study, store it and write its report")
    takes_study(run, "a study file, or the name of one in search_spaces")
    takes_results(run)
    _run_options(run)

    validate = add("validate", _validate, "check study files and say everything that is wrong with them")
    validate.add_argument("study", metavar="STUDY", nargs="+", help="study files, or names of some in search_spaces")

    plan = add("plan", _plan, "say how many runs a study has, how many are stored, and how long the rest takes")
    takes_study(plan, "a study file, or the name of one in search_spaces")
    takes_results(plan)

    listing = add("list", _list, "list the study files and the stored studies")
    takes_results(listing)

    add_commands(add)
    add("schema", _schema, "print the JSON Schema of study files, for editors")
    return parser


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
    command.add_argument("--quiet", action="store_true", help="show no progress")
    command.add_argument("--no-report", action="store_true", help="write no report at the end")


def _run(options: argparse.Namespace) -> int:
    from robustness.sweep import ClusterError, SweepError, run

    study = Study.load(options.study)
    if options.data_dir:
        study = study.with_data_dir(options.data_dir)
    if options.smoke:
        study = study.smoke()
    try:
        if not options.address:  # of a cluster's nodes, each has its own
            for workload in study.workloads:
                workload.fetch()
        if options.smoke and not options.address:
            from robustness.sweep.here import run_here

            sweep = run_here(study, options.results, quiet=options.quiet)
        else:
            sweep = run(study, options.results, address=options.address, verbose=options.verbose, quiet=options.quiet)
    except DataError as error:
        err.print(f"error: {error}")
        return FAILED
    except (SweepError, ClusterError) as error:
        err.print(f"error: {error}\nWhat was stored stays; the same command goes on from there.")
        return FAILED
    out.print(f"{sweep.trained} runs trained, {sweep.failed} failed; results in {sweep.root}")
    if sweep.failed:
        _print_failures(Store(sweep.root))
    if not options.no_report:
        write_report(sweep.root, None, open_it=False)
    if sweep.interrupted:
        err.print("stopped before all was done; the same command goes on from there")
        return INTERRUPTED
    return FAILED if sweep.failed else 0


def _print_failures(store: Store) -> None:
    """Print the commonest reasons of failure, each with its number of runs."""
    runs = store.runs()
    reasons = runs.loc[runs["status"] == "failed", "reason"].value_counts()
    for reason, count in reasons.head(3).items():
        err.print(f"  {count} failed: {reason}")
    err.print("The same command tries them again.")


def _validate(options: argparse.Namespace) -> int:
    problems = 0
    for name in options.study:
        try:
            study = Study.load(name)
        except StudyError as error:
            err.print(str(error))
            problems += 1
        else:
            out.print(f"{name}: a valid study, {study.name}")
    return BAD_INPUT if problems else 0


def _plan(options: argparse.Namespace) -> int:
    from robustness.plan import plan

    study = Study.load(options.study)
    store = Store(child(options.results, study.name))
    out.print(plan(study, store).text())
    return 0


def _list(options: argparse.Namespace) -> int:
    out.print("Study files:")
    for name, path in studies().items():
        try:
            study = Study.load(path)
            about = study.description or ", ".join(
                [w.title for w in study.workloads] + [e.label for e in study.optimizers]
            )
        except StudyError as error:
            about = f"not valid: {error.problems[0]}"
        out.print(f"  {name:<24} {about}")
    out.print(f"Stored in {options.results}:")
    stored = list_studies(options.results)
    for name in stored:
        counts = load(name, options.results).runs["status"].value_counts()
        about = ", ".join(f"{count} {status}" for status, count in counts.items()) or "no runs yet"
        out.print(f"  {name:<24} {about}")
    if not stored:
        out.print("  nothing yet; `robustness run digits` makes the first")
    return 0


def _schema(_options: argparse.Namespace) -> int:
    from robustness.study.schema import text

    sys.stdout.write(text())
    return 0


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    if issubclass(category, ResultsWarning):
        err.print(f"warning: {message}")


if __name__ == "__main__":
    sys.exit(main())
