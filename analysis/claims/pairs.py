"""Which optimizers of a study a claim's names mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.formats import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.claims.facts import Facts
    from robustness.study import Claim

Pair = tuple[str, str | None]
"""The labels of two optimizers; None: compared with 0."""


class NoDataError(Exception):
    """A claim cannot be judged; the text says why."""


def pairs_of(claim: Claim, labels: Sequence[str], facts: Facts) -> tuple[list[Pair], list[str]]:
    """Return the pairs of labels to compare, and why others are not, in a few words each.

    Args:
        claim: The claim, which names optimizers by label or by name.
        labels: Optimizers with a result.
        facts: Of the labelled runs table.

    Raises:
        NoDataError: No pair can be compared, or a name is that of several.
    """
    by_label = {label: name for label, name in facts.optimizers.items() if label in labels}
    found = {name: _resolved(name, by_label) for name in (*claim.of, *claim.against)}
    missing = _absent([name for name, label in found.items() if label is None], facts)
    ofs, rivals = ([label for name in names if (label := found[name])] for names in (claim.of, claim.against))
    if not ofs or (claim.against and not rivals):
        raise NoDataError("; ".join(missing))
    pairs: list[Pair] = [(of, rival) for of in ofs for rival in rivals] or [(of, None) for of in ofs]
    return pairs, missing


def _absent(names: Sequence[str], facts: Facts) -> list[str]:
    """Return which of the optimizers were not run, and which have no result, in a few words each."""
    tried = {*facts.optimizers, *facts.optimizers.values()}
    unrun, failed = ([name for name in names if (name in tried) == given] for given in (False, True))
    said = [f"{listing(unrun)} {'was' if len(unrun) == 1 else 'were'} not run"] if unrun else []
    return said + ([f"{listing(failed)} {'has' if len(failed) == 1 else 'have'} no result"] if failed else [])


def _resolved(name: str, by_label: Mapping[str, str]) -> str | None:
    """Return the label that `name` means: itself, else the only one of an optimizer of that name; None if none."""
    if name in by_label:
        return name
    labels = [label for label, optimizer in by_label.items() if optimizer == name]
    if len(labels) > 1:
        raise NoDataError(
            f"{name} could be {' or '.join(labels)}: a claim of the study's own can name one by its label"
        )
    return labels[0] if labels else None
