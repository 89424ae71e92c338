"""Commands about study files and what is stored of them: validate, plan, list, schema."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from robustness.console import BAD_INPUT, FAILED, err, out, positive, takes_results, takes_study
from robustness.published.shipped import published
from robustness.results import StorageError, Store, child, finished, list_studies
from robustness.search.stored_cells import asked_for
from robustness.study import Study, StudyError, studies
from robustness.study.file import find, holds_results
from robustness.study.resolution import stored_study
from robustness.study.unimported import without_imports

if TYPE_CHECKING:
    import argparse

    from robustness.console import Add


def add_commands(add: Add) -> None:
    """Add validate, plan, list and schema."""
    command = add("validate", validate, "check study files and say everything that is wrong with them")
    command.add_argument("study", metavar="STUDY", nargs="+", help="study files, or names of some in search_spaces")
    command.add_argument(
        "--try",
        dest="tried",
        action="store_true",
        help="try the study's own network and optimizers too, on a small batch against a plain loop of torch",
    )

    command = add("plan", plan, "say how many runs a study has, how many are stored, and what the rest takes")
    takes_study(command)
    takes_results(command)
    command.add_argument(
        "--gpu-hour-price", type=positive, metavar="PRICE", help="what a GPU costs an hour, for a price"
    )
    command.add_argument(
        "--calibrate",
        action="store_true",
        help="train a little here: about a minute a workload where no run is stored, and say which engine pays",
    )

    command = add("list", list_all, "list the study files and the stored studies")
    takes_results(command)

    add("schema", schema, "print the JSON Schema of study files, for editors")


def validate(options: argparse.Namespace) -> int:
    """Say of each file whether it is a study; 2 where one is not."""
    problems = 0
    for name in options.study:
        try:
            study = Study.load(name)
        except StudyError as error:
            err.print(str(error))
            problems += 1
            continue
        if wrong := _unmade(study):
            err.print("\n".join(f"{name}: {each}" for each in wrong))
            problems += 1
            continue
        out.print(f"{name}: a valid study, {study.name}")
        problems += options.tried and not _try(study)
    return BAD_INPUT if problems else 0


def _unmade(study: Study) -> list[str]:
    """Return which optimizers do not take the networks' parameters; torch is loaded for one's own alone."""
    from robustness.dry_run import own_pieces

    if not own_pieces(study):
        return []
    from robustness.dry_run.making import unmade

    return unmade(study)


def _try(study: Study) -> bool:
    """Say what a dry run of a study finds; False where nothing of it would be trained."""
    from robustness.dry_run import DryRunError, dry_run, own_pieces

    try:
        found = dry_run(study, err.print)
    except DryRunError as error:
        err.print(str(error))
        return False
    for finding in found:
        out.print(f"note: {finding.text}")
    own = own_pieces(study)
    out.print(f"{', '.join(own)}: trained as by a plain loop" if own else f"{study.name}: nothing of one's own to try")
    return True


def plan(options: argparse.Namespace) -> int:
    """Print what is left of a study and what it takes; 1 where it could not be calibrated."""
    from robustness.plan import plan as make_plan
    from robustness.plan import plan_text
    from robustness.sweep.resolved_study import stored_change

    path = find(options.study)
    if holds_results(path.parent):
        return _plan_stored(Store(path.parent, read_only=True))
    study = Study.load(options.study)
    store = Store(child(options.results, study.name), read_only=True)
    made = make_plan(study, store)
    lines: list[str] = []
    if options.calibrate and made.left:
        from robustness.plan.calibration import CalibrationError, calibrate
        from robustness.plan.engines import engines
        from robustness.workloads import DataError

        try:
            stored = store.runs()
            paces = calibrate(study, made, stored, err.print)
            lines = engines(study, made, stored, paces, err.print)
        except (DataError, CalibrationError) as error:
            err.print(f"error: {error}")
            return FAILED
        made = made.calibrated(paces)
    out.print("\n".join([plan_text.plan_summary(made, options.gpu_hour_price), *lines, *_tried_before(study)]))
    if change := stored_change(study, store, store.runs()):
        err.print(f"warning: {change}")
    return 0


def _tried_before(study: Study) -> list[str]:
    """Return what a dry run on this machine has said of a study's own pieces, or that there was none."""
    from robustness.dry_run import own_pieces, said_before

    if not own_pieces(study):
        return []
    found = said_before(study)
    if found is None:
        return ["own network and optimizers: not tried on this machine; `robustness validate --try` does, and a run"]
    return ["own network and optimizers: trained as by a plain loop", *(f"note: {each.text}" for each in found)]


def _plan_stored(store: Store) -> int:
    """Print how much is left of a stored study: its rows tell it, and its classes are not asked what it takes."""
    study = stored_study(store.read_study() or "", store.read_resolved(), f"{store.name}.yaml")
    stored = store.runs()
    done = sum(len(finished(asked_for(stored, study, each)[0])) for each in study.workloads)
    out.print(f"{study.name}: {study.total} runs, {done} stored, {max(study.total - done, 0)} to train")
    if done < study.total:
        out.print("what that takes, `robustness plan` says of the study file itself")
    return 0


def list_all(options: argparse.Namespace) -> int:
    """Print the study files and what is stored."""
    out.print("Study files:")
    for name, path in studies().items():
        try:
            with without_imports():
                study = Study.load(path)
            about = study.description or ", ".join(
                [w.title for w in study.workloads] + [e.label for e in study.optimizers]
            )
        except StudyError as error:
            about = f"not valid: {error.problems[0]}"
        out.print(f"  {name:<24} {about}")
    if given := published():
        out.print("Published, there without training:")
        for name, store in given.items():
            out.print(f"  {name:<24} {_counts(store)}")
    out.print(f"Stored in {options.results}:")
    stored = list_studies(options.results)
    for name in stored:
        out.print(f"  {name:<24} {_counts(Store(child(options.results, name), read_only=True))}")
    if not stored:
        out.print("  nothing yet; `robustness run digits` makes the first")
    return 0


def _counts(store: Store) -> str:
    """Return how many runs a study has of each status; of one that cannot be read, such as a newer version's, why."""
    try:
        counts = store.runs()["status"].value_counts()
    except StorageError as error:
        return f"cannot be read: {error}"
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "no runs yet"


def schema(_options: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    from robustness.study.schema import text

    sys.stdout.write(text())
    return 0
