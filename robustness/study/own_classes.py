"""Workloads and optimizers of one's own in a study: their import strings, their options and what is wrong with them.

A class that another package adds by an entry point has a short name, too, which stands for its import string: so its
runs are never taken for those of a class that comes to bear the same short name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from robustness.optimizers.base import Convention
from robustness.optimizers.imported import TorchOptimizer
from robustness.plugins import PluginError, names
from robustness.study.import_string import (
    ImportStringError,
    check,
    own_optimizer,
    own_workload,
)
from robustness.study.unimported import (
    UNKNOWN,
    UnimportedOptimizer,
    UnimportedWorkload,
    imports,
    takes_unknown_names,
)
from robustness.validation.messages import spelled
from robustness.validation.problems import build, refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.optimizers.base import Optimizer
    from robustness.options import Model
    from robustness.plugins import Registry
    from robustness.validation.messages import Loc
    from robustness.workloads.base import Workload

M = TypeVar("M", bound="Model")

ANY_CONVENTION: Convention = get_args(Convention)[0]
"""Stands in until a step has shown the true one."""


def with_known_name(raw: object, known: Registry[Any]) -> object:
    """Return what a study has for a workload or an optimizer, a known name in any case (`AdamW`) as it is known."""
    name = raw.get("name") if isinstance(raw, Mapping) else raw
    if not isinstance(name, str):
        return raw
    name = spelled(name, (*known.own, *names(known.group)))
    return {**raw, "name": name} if isinstance(raw, Mapping) else name


def written_out(raw: object, known: Registry[Any]) -> object:
    """Return what a study has for a workload or an optimizer, its short name turned into an import string.

    Args:
        raw: As `with_known_name` returns it. What has a name that no plug-in has is returned as it is.
        known: The names of this project and those of other packages.

    Raises:
        ValidationError: A package brings the name, but what stands behind it cannot be had.
    """
    name = raw.get("name") if isinstance(raw, Mapping) else raw
    if not isinstance(name, str):
        return raw
    if not imports():
        return _unimported(raw, name, known)
    try:
        text = known.import_string(name)
    except PluginError as error:
        raise refuse(refusal(str(error), *(["name"] if isinstance(raw, Mapping) else []))) from None
    if text is None:
        return raw
    return {**raw, "name": text} if isinstance(raw, Mapping) else text


def _unimported(raw: Any, name: str, known: Registry[Any]) -> object:
    """Return the same as `written_out` where nothing is imported; a name that nobody here has may be of a package."""
    if name in known.own or ":" in name or not name.replace("-", "_").isidentifier():
        return raw
    text = known.place(name) or (f"{UNKNOWN}:{name}" if takes_unknown_names() else None)
    if text is None:
        return raw
    return {**raw, "name": text} if isinstance(raw, Mapping) else text


def workload_of(options: Mapping[str, Any], also: tuple[str, ...], loc: Loc) -> Workload:
    """Make the workload whose name is an import string.

    Args:
        options: with `name`.
        also: keys that the caller has taken out of the mapping; messages name them as allowed.
        loc: where the name is.

    Raises:
        ValidationError: there is no such class, it is no workload, or an option of it is wrong.
    """
    if not imports():
        return build(UnimportedWorkload, options, also)
    return _made(own_workload, options, also, loc)


def optimizer_of(options: Mapping[str, Any], also: tuple[str, ...], loc: Loc) -> Optimizer:
    """Make the optimizer whose name is an import string; arguments and errors as in `workload_of`."""
    if not imports():
        return build(UnimportedOptimizer, options, also)
    return _made(own_optimizer, options, also, loc)


def _made(find: Callable[[str], type[M]], options: Mapping[str, Any], also: tuple[str, ...], loc: Loc) -> M:
    try:
        model = find(options["name"])
    except ImportStringError as error:
        raise refuse(refusal(str(error), *loc)) from None
    unsaid = {"convention": ANY_CONVENTION} if "convention" in model.model_fields else {}
    made = build(model, unsaid | dict(options), also)
    try:
        check(made)
    except ImportStringError as error:
        raise refuse(refusal(str(error), *error.loc)) from None
    if not isinstance(made, TorchOptimizer) or "convention" in options:
        return made
    return made.model_copy(update={"convention": _convention_of(made)})


def _convention_of(optimizer: TorchOptimizer) -> Convention:
    """Return the convention that an optimizer's steps show."""
    from robustness.optimizers.behavior.convention import ConventionError, found_convention

    if not optimizer.takes_lr and not optimizer.groups:
        raise refuse(refusal(f"{optimizer.torch_class().__name__} takes no `lr`, which a study sets", "name"))
    try:
        return found_convention(optimizer)
    except ConventionError as error:
        raise refuse(refusal(str(error), "convention")) from None


def takes_lr(optimizer: Optimizer) -> bool:
    """Whether an optimizer takes a learning rate as an argument. True of a class that is not to be had here."""
    try:
        return not isinstance(optimizer, TorchOptimizer) or optimizer.takes_lr
    except (ImportError, AttributeError):
        return True


def takes_weight_decay(optimizer: Optimizer) -> bool:
    """Whether an optimizer has a weight decay at all; LBFGS has none. True of a class that is not to be had here."""
    try:
        return not isinstance(optimizer, TorchOptimizer) or optimizer.takes_weight_decay
    except (ImportError, AttributeError):
        return True
