"""What a sweep stores beside the study file: what the study is, and which code it is trained with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from robustness.provenance import versions
from robustness.search.cells import asked_ids
from robustness.study.code_changes import code_change
from robustness.study.resolution import digest, resolve
from robustness.study.resolved import Resolved, ResolvedError
from robustness.validation.text import refused
from robustness.worker.digests import SCRIPT, code_of, resolved_code
from robustness.worker.own_modules import plugin_packages

if TYPE_CHECKING:
    import pandas as pd

    from robustness.results import Store
    from robustness.study import Study
    from robustness.study.code_changes import CodeChange


def resolve_anew(study: Study, store: Store, stored: pd.DataFrame) -> tuple[Resolved, CodeChange | None]:
    """Return what is to be stored of `study`, and which of its runs in `store` were trained with other code.

    Raises:
        StorageError: the store cannot be read.
        StudyError: those runs are of another class of `__main__` that has the same name.
    """
    before, modules = _before(store), code_of(study)
    change = changed(study, before, stored, modules)
    if change is not None and (classes := [name for name in change.modules if name.startswith(f"{SCRIPT}:")]):
        name, runs = classes[0], f"{change.runs} stored run{'s' if change.runs > 1 else ''}"
        raise refused(
            f"study {study.name}",
            f"{name} differs from the class of that name which {runs} of the study came from: "
            "give this one another name, or raise its `version`",
        )
    today = resolved_code(modules, datetime.now(UTC))
    codes = (before.codes if before else {}) | {
        key: code for key, code in today.items() if not before or key not in before.codes
    }
    made = resolve(
        study,
        digest=digest(study.text),
        versions=versions(),
        plugins={package.name: package.version for package in plugin_packages(study)},
        code=next(iter(today), None),
        codes=codes,
    )
    return made.model_copy(update=(before.model_extra or {}) if before else {}), change


def changed(study: Study, before: Resolved | None, stored: pd.DataFrame, modules: dict[str, str]) -> CodeChange | None:
    """Return which of the runs that `study` asks for are stored, but were trained with other code than `modules`."""
    if before is None or not modules or not before.codes:
        return None
    asked = stored[stored["run_id"].isin(asked_ids(study, stored))]
    return code_change(asked, before.codes, modules)


def stored_change(study: Study, store: Store, stored: pd.DataFrame) -> CodeChange | None:
    """Return the same of what is in `store`, whose runs are `stored`, and of the code as it is now."""
    return changed(study, _before(store), stored, code_of(study))


def _before(store: Store) -> Resolved | None:
    text = store.read_resolved()
    try:
        return Resolved.read(text) if text else None
    except ResolvedError:
        return None
