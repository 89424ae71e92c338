"""Classes by import string, `package.module:Class`: a user's own workloads and optimizers, and those of any library.

The module is looked for beside the study file, then in the current folder, then among the installed packages. The
first two folders enter `sys.path` when something is found in them, and stay there: what is found may import what lies
beside it, and later too.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_origin

from robustness.optimizers.base import Optimizer
from robustness.optimizers.imported import TorchOptimizer
from robustness.package_finder import PACKAGES, PackageFinder
from robustness.study.file import holds_results
from robustness.study.run import options_json
from robustness.study.unimported import imports
from robustness.validation.messages import Loc, nearest
from robustness.workloads.base import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from robustness.options import Model

_IMPORT_STRING = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*)")

_study_folder: ContextVar[Path | None] = ContextVar("study_folder", default=None)


class ImportStringError(Exception):
    """An import string leads to nothing, or to nothing of use; `loc` is the option that is wrong, if it is one."""

    def __init__(self, message: str, *loc: str | int) -> None:
        super().__init__(" ".join(message.split()))
        self.loc: Loc = loc


@contextmanager
def beside(file: Path) -> Iterator[None]:
    """Look for modules beside `file` first while a study is made of it."""
    token = _study_folder.set(file.absolute().parent)
    try:
        yield
    finally:
        _study_folder.reset(token)


def load_class(text: str) -> type:
    """Return the class of an import string.

    Raises:
        ImportStringError: there is no such module or class, the module raises on import, or none may be imported now.
    """
    if not imports():
        raise ImportStringError(f"'{text[:80]}' is not imported here")
    match = _IMPORT_STRING.fullmatch(text)
    if not match:
        raise ImportStringError(f"'{text}' is no import string, which is package.module:Class")
    module, name = _module(match[1]), match[2]
    found = getattr(module, name, None)
    if found is None:
        classes = [each for each, value in vars(module).items() if isinstance(value, type)]
        raise ImportStringError(f"module '{match[1]}' has no class '{name}'{nearest(name, classes)}")
    if not isinstance(found, type):
        raise ImportStringError(f"'{name}' of module '{match[1]}' is not a class")
    return found


def own_workload(text: str) -> type[Workload]:
    """Return the workload of an import string.

    Raises:
        ImportStringError: it can't be imported, or is not a whole workload.
    """
    found = load_class(text)
    if not issubclass(found, Workload):
        raise ImportStringError(f"{found.__name__} is not a subclass of robustness.workloads.Workload")
    _check_name(found, text)
    _check_abstract(found)
    if found.model is Workload.model:
        raise ImportStringError(f"{found.__name__} has no `model`")
    if found.data is Workload.data and found.feed is Workload.feed:
        raise ImportStringError(f"{found.__name__} has neither `data` nor `feed`")
    if (
        not hasattr(found, "classes")
        and "classes" not in found.model_fields
        and found.chance_error is Workload.chance_error
    ):
        raise ImportStringError(f"{found.__name__} has neither `classes`, their number, nor a `chance_error`")
    return found


def own_optimizer(text: str) -> type[Optimizer]:
    """Return the options of the optimizer of an import string: `TorchOptimizer` for one of torch's kind.

    Raises:
        ImportStringError: it can't be imported, or is no optimizer.
    """
    found = load_class(text)
    if issubclass(found, Optimizer):
        _check_name(found, text)
        _check_abstract(found)
        return found
    # A class of torch's kind has loaded torch itself.
    torch = sys.modules.get("torch")
    if torch is None or not issubclass(found, torch.optim.Optimizer):
        raise ImportStringError(
            f"{found.__name__} is a subclass neither of torch.optim.Optimizer nor of robustness.optimizers.Optimizer"
        )
    return TorchOptimizer


def check(model: object) -> None:
    """Refuse options that no run can have.

    Raises:
        ImportStringError: they cannot be hashed or written as JSON, or are not what the torch optimizer takes.
    """
    if isinstance(model, (Workload, Optimizer)):
        try:
            options_json(model)
        except (TypeError, ValueError) as error:
            why = f"its options cannot identify a run: {error}; a list is a tuple[...] field"
            raise ImportStringError(why) from None
    if isinstance(model, TorchOptimizer):
        _check_keywords(model)


def _module(name: str) -> ModuleType:
    """Import a module, from beside the study or the current folder if it is there."""
    top = name.partition(".")[0]
    if top in PACKAGES and (file := _called_like_ours(top)):
        raise ImportStringError(f"{file} has the name of a package of this program: give it another name")
    folder = _folder_of(top)
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's module may raise anything
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise ImportStringError(_not_found(name, str(error.name))) from None
        raise ImportStringError(f"module '{name}' can't be imported: {_reason(error, folder)}") from None
    file = getattr(module, "__file__", None)
    if folder and file and not Path(file).resolve().is_relative_to(folder.resolve()):
        raise ImportStringError(
            f"module '{top}' of {folder} can't be had beside another of its name, {file}: give it another name"
        )
    return module


def _folders() -> list[Path]:
    folder = _study_folder.get()
    found = dict.fromkeys([*([folder] if folder else []), Path.cwd()])
    return [each for each in found if not holds_results(each)]


def _called_like_ours(top: str) -> Path | None:
    """Return the module or package of one's own that has the name of ours; it can't be had under that name."""
    ours = PackageFinder.find_spec(top)
    for folder in _folders():
        spec = PathFinder.find_spec(top, [str(folder)])
        if spec is not None and spec.origin and (ours is None or Path(spec.origin).resolve() != Path(str(ours.origin))):
            return Path(spec.origin)
    return None


def _folder_of(top: str) -> Path | None:
    """Return the folder, of those of one's own, that has this module or package; None means it is installed.

    The folder enters `sys.path` unless the module is found there anyway.
    """
    importlib.invalidate_caches()
    for folder in _folders():
        spec = PathFinder.find_spec(top, [str(folder)])
        # A folder without __init__.py is a package only where nothing else is: it may just be called alike.
        if spec is not None and (spec.origin or not _is_module(top)):
            usual = PathFinder.find_spec(top)
            if usual is None or usual.origin != spec.origin:
                sys.path.insert(0, str(folder))
            return folder
    return None


def _is_module(top: str) -> bool:
    """Whether there is a module or a package with __init__.py, loaded or to be had."""
    if top in sys.modules:
        return getattr(sys.modules[top], "__file__", None) is not None
    spec = importlib.util.find_spec(top)
    return spec is not None and spec.origin is not None


def _not_found(name: str, missing: str) -> str:
    if missing != name.partition(".")[0]:
        return f"there is no module '{missing}'"
    known = [path.stem for folder in _folders() for path in folder.glob("*.py")]
    where = "beside the study file, in the current folder" if _study_folder.get() else "in the current folder"
    return f"there is no module '{missing}' {where} or among the installed packages{nearest(missing, known)}"


def _reason(error: BaseException, folder: Path | None = None) -> str:
    """Return an error on one line, with the place where it was raised: the last one below `folder`, if there is one."""
    text = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if isinstance(error, SyntaxError):  # says where it is
        return text
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if folder and Path(frame.filename).is_relative_to(folder)]
    frame = (own or frames)[-1]
    return f"{text} ({Path(frame.filename).name}:{frame.lineno})"


def _check_name(found: type[Model], text: str) -> None:
    annotation = found.model_fields["name"].annotation
    if get_origin(annotation) is Literal:
        (name,) = annotation.__args__  # type: ignore[union-attr]
        raise ImportStringError(
            f"{found.__name__} is called '{name}', and by import string it is called '{text}': let its `name` be a str"
        )


def _check_abstract(found: type) -> None:
    if inspect.isabstract(found):
        missing = ", ".join(f"`{name}`" for name in sorted(getattr(found, "__abstractmethods__", ())))
        raise ImportStringError(f"{found.__name__} does not implement {missing}")


_SET_BY_THE_STUDY = ("lr", "weight_decay")


def _check_keywords(optimizer: TorchOptimizer) -> None:
    """Hold the keyword arguments against the signature, then make the optimizer once."""
    import torch

    found = optimizer.torch_class()
    parameters = list(inspect.signature(found).parameters.values())[1:]
    open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters)
    named = [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    if "lr" not in named:  # it may have it of groups
        return
    allowed = [name for name in named if name not in _SET_BY_THE_STUDY]
    for name in optimizer.options:
        if name in _SET_BY_THE_STUDY:
            raise ImportStringError("is set by the study", "options", name)
        hint = nearest(name, allowed)
        # Behind **kwargs anything may be meant, but hardly what is one letter off a name.
        if name not in allowed and (hint or not open_ended):
            words = f"{found.__name__} takes no such argument{hint or ';'} it takes {', '.join(allowed)}"
            raise ImportStringError(words, "options", name)
    try:
        optimizer.torch_optimizer([torch.zeros(2, 2, requires_grad=True)], lr=1e-3, weight_decay=0.0)
    except Exception as error:  # noqa: BLE001 - whatever it says of its arguments
        loc = "options" if optimizer.options else "name"
        raise ImportStringError(f"{found.__name__} can't be made: {_reason(error)}", loc) from None
