"""Whether the files beside the parts are as they should be: digests, the study file and what it resolved to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from robustness.checks.fault import Fault
from robustness.results import StorageError
from robustness.results.files.published_files import CheckedFolder
from robustness.study import Study, StudyError
from robustness.study.resolution import digest, resolve
from robustness.study.resolved import Resolved, ResolvedError
from robustness.study.unimported import without_imports

if TYPE_CHECKING:
    from robustness.results import Store

ONCE_MORE = "run the study once more with its study file (it trains nothing that is stored)"


def faults_of_digests(store: Store) -> list[Fault] | None:
    """Return published files that are altered, missing or too many; None where nothing was published here."""
    folder = store.folder
    if not isinstance(folder, CheckedFolder):
        return None
    try:
        digests = folder.digests()
    except StorageError as error:
        return [Fault(file="published.json", what=str(error), advice="publish the study anew")]
    if digests is None:
        return None
    anew = "bring it back as it was, or publish the study anew"
    found = []
    for path, expected in sorted(digests.items()):
        if (data := folder.unchecked(path)) is None:
            found.append(Fault(file=path, what="published.json lists it, but it is not there", advice=anew))
        elif (own := hashlib.sha256(data).hexdigest()) != expected:
            what = f"it is not the file that was published: its SHA-256 is {own}, published.json says {expected}"
            found.append(Fault(file=path, what=what, advice=anew))
    for name in ("runs", "curves", "provenance"):
        there = [f"{name}/{entry.name}" for entry in folder.entries(name)]
        found += [
            Fault(file=path, what="it is not among the files that were published", advice="remove it")
            for path in there
            if path not in digests
        ]
    return found


def read_study(store: Store) -> tuple[Resolved | None, list[Fault]]:
    """Return what a store's study asks for, and what is wrong with its file and with what it resolved to."""
    try:
        text, plain = store.read_study(), store.read_resolved()
    except StorageError as error:
        return None, [Fault(file="study.yaml", what=str(error), advice=ONCE_MORE)]
    if text is None:
        return None, [Fault(file="study.yaml", what="there is none", advice=ONCE_MORE)]
    faults: list[Fault] = []
    asked = None
    try:
        with without_imports(stored=True):
            asked = resolve(Study.parse(text, "study.yaml"))
    except StudyError as error:
        faults.append(Fault(file="study.yaml", what=" ".join(str(error).split()), advice=ONCE_MORE))
    if plain is None:
        return asked, faults
    try:
        resolved = Resolved.read(plain)
    except ResolvedError as error:
        return asked, [*faults, Fault(file="resolved.json", what=str(error), advice=ONCE_MORE)]
    if resolved.digest not in (None, digest(text)):
        what = "it is of another study.yaml than the one beside it"
        return asked, [*faults, Fault(file="resolved.json", what=what, advice=ONCE_MORE)]
    differing = [] if asked is None else _differing(asked, resolved)
    return resolved, faults + [
        Fault(file="resolved.json", what=f"its {name} are not those of study.yaml", advice=ONCE_MORE)
        for name in differing
    ]


def _differing(asked: Resolved, resolved: Resolved) -> list[str]:
    """Return what two readings of a study disagree in; of classes that are not here nothing is known."""
    same = {
        "seeds": asked.seeds == resolved.seeds,
        "search and cells": (asked.sampler, asked.cells) == (resolved.sampler, resolved.cells),
        "learning rates and weight decays": [(one.lr, one.weight_decay) for one in asked.optimizers]
        == [(one.lr, one.weight_decay) for one in resolved.optimizers],
    }
    for name in ("workloads", "optimizers"):
        ours, theirs = getattr(asked, name), getattr(resolved, name)
        same[name] = len(ours) == len(theirs) and all(
            one.options is None or (one.name, one.options) == (other.name, other.options)
            for one, other in zip(ours, theirs, strict=True)
        )
    return [name for name, alike in same.items() if not alike]
