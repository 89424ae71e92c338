"""What code a study is trained with: digests of its own modules, and of its classes of a script or a notebook."""

from __future__ import annotations

import hashlib
import inspect
import json
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from robustness.study.resolved import ResolvedCode
from robustness.worker.own_modules import classes_of, module_sources, own_modules

if TYPE_CHECKING:
    from datetime import datetime

    from robustness.study import Study

SCRIPT = "__main__"


def code_of(study: Study) -> dict[str, str]:
    """Return name -> SHA-256 of the source of each module that travels with a study.

    A class of a script or of a notebook's cells, whose module does not travel, is there by itself, as `__main__:Name`.
    Empty where every class is of this project or of an installed package.
    """
    found = {name: _sha(text) for name, text in module_sources(own_modules(study)).items()}
    for each in classes_of(study):
        if each.__module__ == SCRIPT:
            found[f"{SCRIPT}:{each.__qualname__}"] = _sha("\n".join(map(class_source, _lineage(each))))
    return dict(sorted(found.items()))


def short(modules: dict[str, str]) -> str:
    """Return what stands for the digests of all modules in a row of the results: 16 hex digits."""
    return _sha(json.dumps(modules, sort_keys=True))[:16]


def resolved_code(modules: dict[str, str], since: datetime) -> dict[str, ResolvedCode]:
    """Return the code of a study as `robustness.study.resolved.Resolved` has it; empty without a module."""
    return {short(modules): ResolvedCode(since=since, modules=modules)} if modules else {}


def _lineage(kind: type) -> list[type]:
    return [base for base in kind.__mro__ if base.__module__ == SCRIPT]


def class_source(kind: type) -> str:
    """Return the source of a class; of one whose source is not to be had, what its functions are compiled to."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return "\n".join(f"{name} {_text(value)}" for name, value in sorted(vars(kind).items()) if not _is_made(name))


def _is_made(name: str) -> bool:
    """Whether a member is pydantic's or Python's own: such hold addresses and file names."""
    return name.startswith(("__", "_abc", "model_")) and name not in ("__init__", "__call__", "__annotations__")


def _text(value: Any) -> str:
    found = inspect.unwrap(getattr(value, "__func__", getattr(value, "fget", value) or value))
    if isinstance(found, FunctionType):
        return f"{_compiled(found.__code__)} {found.__defaults__!r} {found.__kwdefaults__!r}"
    return repr(value) if isinstance(value, (bool, int, float, str, tuple, dict, type(None))) else type(value).__name__


def _compiled(code: CodeType) -> str:
    constants = [_compiled(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
