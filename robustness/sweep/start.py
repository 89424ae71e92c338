"""What a sweep starts from: its claim, what is stored, published or checkpointed, and the runs that are missing."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robustness.console import err
from robustness.published import shipped
from robustness.results import StorageError, Store, child
from robustness.results.batches import runs_of
from robustness.results.checkpoints import Checkpoints
from robustness.results.renewal import renew
from robustness.search.cells import grid_ids
from robustness.search.make import make_source
from robustness.sweep.resolved_study import resolve_anew
from robustness.sweep.run_time import RunTime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from robustness.results.checkpoints import Checkpoint
    from robustness.results.files.place import Place
    from robustness.search.source import Source
    from robustness.study import Study
    from robustness.study.code_changes import CodeChange
    from robustness.sweep.progress import Progress


@dataclass(frozen=True)
class Start:
    """What a sweep starts from.

    Attributes:
        study: What to train.
        store: Where it is stored.
        sweep_id: Names the sweep to workers and to other sweeps.
        source: Where the missing runs come from.
        run_time: How long runs took that are stored.
        before: The claim of a sweep of the study that has not ended, None if there is none.
        checkpoints: Those of runs in training.
        stored: The runs table as it was at the start.
        taken: How many runs were just copied from published results.
        changed: What is not as it was when stored runs were trained, None if nothing is known to be.
        code: Digest of the study's own modules as they are now; None without any.
    """

    study: Study
    store: Store
    sweep_id: str
    source: Source
    run_time: RunTime
    before: dict[str, Any] | None
    checkpoints: list[Checkpoint]
    stored: pd.DataFrame
    taken: int = 0
    changed: CodeChange | None = None
    code: str | None = None

    def warn(self) -> None:
        """Say on the error stream what is not as it was when stored runs were trained: no matter of progress."""
        if self.changed is not None:
            err.print(f"warning: {self.changed}")

    def announce(self, progress: Progress) -> None:
        """Say whose work this sweep takes over, and what it need not train."""
        if self.before:
            who = " of process {pid} on {host}, since {since}," if "since" in self.before else ""
            progress.note(f"taking over from a sweep{who.format(**self.before)} that has not ended")
        if self.taken:
            progress.note(f"{self.taken} runs taken from published results")

    def tidy(self) -> None:
        """Remove the checkpoints of the study's runs, none of which is in training any more."""
        with contextlib.suppress(StorageError):  # they take room, no more
            Checkpoints(self.store).tidy(grid_ids(self.study))


@contextlib.contextmanager
def begin(study: Study, results: str | Path | Place, *, use_published: bool = True) -> Iterator[Start]:
    """Claim `study` for a new sweep, and take the claim back when it ends, however it does.

    Raises:
        StorageError: the results folder cannot be read or written.
        StudyError: stored runs are of another class of `__main__` that has the same name.
    """
    store = Store(child(results, study.name))
    shipped.refuse(store)
    sweep_id = uuid.uuid4().hex
    before = store.claim(sweep_id)  # before anything is read: from here on no other sweep's worker adds to it
    try:
        store.clean()
        stored = runs_of(renew(store).runs)  # before the first new part: no folder holds parts of two versions
        resolved, changed = resolve_anew(study, store, stored)
        store.write_study(study.text)
        store.write_resolved(resolved.to_json())
        if taken := shipped.take(study, store, stored) if use_published else 0:
            stored = store.runs()
        checkpoints = Checkpoints(store).listed()
        yield Start(
            study=study,
            store=store,
            sweep_id=sweep_id,
            source=make_source(study, stored),
            run_time=RunTime(study, stored),
            before=before,
            checkpoints=checkpoints,
            stored=stored,
            taken=taken,
            changed=changed,
            code=resolved.code,
        )
    finally:
        with contextlib.suppress(StorageError):  # the store may be what the sweep ended with
            store.release(sweep_id)
