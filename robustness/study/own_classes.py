"""Workloads and optimizers of one's own in a study: their import strings, their options and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args

from robustness.optimizers.base import Convention
from robustness.study.import_string import ImportStringError, check, own_optimizer, own_workload
from robustness.validation.problems import build, refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from robustness.optimizers.base import Optimizer
    from robustness.options import Model
    from robustness.validation.messages import Loc
    from robustness.workloads.base import Workload

M = TypeVar("M", bound="Model")

CONVENTIONS = ", ".join(get_args(Convention))


def workload_of(options: Mapping[str, Any], also: tuple[str, ...], loc: Loc) -> Workload:
    """Make the workload whose name is an import string.

    Args:
        options: with `name`.
        also: keys that the caller has taken out of the mapping; messages name them as allowed.
        loc: where the name is.

    Raises:
        ValidationError: there is no such class, it is no workload, or an option of it is wrong.
    """
    return _made(own_workload, options, also, loc)


def optimizer_of(options: Mapping[str, Any], also: tuple[str, ...], loc: Loc) -> Optimizer:
    """Make the optimizer whose name is an import string; arguments and errors as in `workload_of`."""
    return _made(own_optimizer, options, also, loc)


def _made(find: Callable[[str], type[M]], options: Mapping[str, Any], also: tuple[str, ...], loc: Loc) -> M:
    try:
        model = find(options["name"])
    except ImportStringError as error:
        raise refuse(refusal(str(error), *loc)) from None
    if "convention" in model.model_fields and "convention" not in options:
        raise refuse(refusal(f"is missing: it says how weight decay acts, {CONVENTIONS}", "convention"))
    made = build(model, options, also)
    try:
        check(made)
    except ImportStringError as error:
        raise refuse(refusal(str(error), *error.loc)) from None
    return made
