"""The figures of the paper, drawn from a study's own runs.

Xie, Xu, Zhang, Sato & Sugiyama, "On the Overlooked Pitfalls of Weight Decay and How to Mitigate Them: A
Gradient-Norm Perspective", NeurIPS 2023, arXiv 2011.11152.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.figures.base.figure import Figure, NotDrawn, OnPaper
from analysis.figures.lines import learning_curves
from analysis.figures.lines.decay_cut import decay_cut
from analysis.figures.lines.epochs import decays_over_epochs, over_epochs
from analysis.figures.lines.scatter import scatter
from analysis.figures.lines.spectrum import eigenvalues, spectrum
from analysis.figures.maps.heatmaps import basins
from analysis.figures.maps.sampled_maps import sampled_basins
from analysis.figures.paper.cells import Cells
from analysis.formats import short

if TYPE_CHECKING:
    from collections.abc import Collection

    from analysis.contents.gather import Contents
    from analysis.figures.base.figure import Draw
    from analysis.figures.base.theme import Drawing
    from analysis.figures.lines.learning_curves import Quantity

HESSIAN = learning_curves.Quantity(
    column="hessian_top",
    title="Sharpness",
    unit="largest eigenvalue of the Hessian",
    form="{:.3g}",
    ask="ask for it with `workload: {hessian: {top: 1}}`",
)
ERROR_AND_LOSS = (learning_curves.TEST_ERROR, learning_curves.TRAIN_LOSS)


def _row(number: str, heading: str, trained: str | None, claims: tuple[str, ...], draw: Draw) -> Figure:
    """Return the row of a figure of the paper.

    Args:
        number: The paper's.
        heading: What it shows.
        trained: What the paper trained for it; None where that does not matter.
        claims: Ids of the claims that it makes.
        draw: From a study's contents, which have a run, to the drawing or the reason why these don't allow it.
    """

    def after_the_paper(contents: Contents) -> Drawing | NotDrawn:
        if not len(contents.runs):
            return NotDrawn("no run is stored yet")
        drawn = draw(contents)
        if isinstance(drawn, NotDrawn):
            return drawn
        of_paper = f" (the paper: {trained})" if trained else ""
        words = f"{heading}, after the paper, here on {contents.workload}{of_paper}. "
        return replace(drawn, caption=words + drawn.caption)

    on_paper = OnPaper(trained=trained, claims=claims)
    return Figure(id=number, heading=heading, draw=after_the_paper, on_paper=on_paper, in_report=None)


def _curves(
    *quantities: Quantity, needs: Collection[str] = (), shown: Collection[str] = (), restarts: bool = False
) -> Draw:
    """Return what draws quantities over the epochs in the chosen cells of `needs` and `shown`, or of all optimizers."""

    def draw(contents: Contents) -> Drawing | NotDrawn:
        cells = Cells(contents)
        chosen = cells.chosen([*needs, *shown] if needs or shown else None)
        missing = cells.missing(needs) or cells.unrecorded(chosen, [one.column for one in quantities])
        if missing:
            return missing
        if restarts and not cells.restarts:
            return NotDrawn("it needs a schedule with warm restarts, and no learning rate of this study rises again")
        named = [replace(one, title=f"{one.title}, {short(contents.workload, 24)}") for one in quantities]
        return over_epochs(contents.curves, chosen, named, slots=contents.slots)

    return draw


def _decays(
    *quantities: Quantity, needs: Collection[str] = (), shown: Collection[str] = (), zero: bool = False
) -> Draw:
    """Return what draws quantities over the epochs for several weight decays at the chosen learning rate."""

    def draw(contents: Contents) -> Drawing | NotDrawn:
        cells = Cells(contents)
        wanted = [*needs, *shown]
        missing = cells.missing(needs) or cells.missing(wanted, some=True)
        if missing:
            return missing
        rates = {label: cell.lr for label, cell in cells.at(wanted).items()}
        rows = {label: cells.at_rate(label, lr) for label, lr in rates.items()}
        held = {label: ids for label, ids in rows.items() if len(ids) > 1}
        if not held:
            return NotDrawn("it needs curves of several weight decays at one learning rate, and none are stored")
        if zero and not any(0.0 in decays for decays in held.values()):
            return NotDrawn("it needs runs with weight decay 0 at the chosen learning rate")
        ids = {label: [run for some in decays.values() for run in some] for label, decays in held.items()}
        missing = cells.unrecorded(ids, [one.column for one in quantities])
        chosen = {label: cell.weight_decay for label, cell in cells.at(wanted).items()}
        some = {label: lr for label, lr in rates.items() if label in held}
        return missing or decays_over_epochs(contents.curves, contents.runs, some, quantities, chosen)

    return draw


def _cut(what: Quantity, needs: Collection[str], shown: Collection[str] = ()) -> Draw:
    """Return what draws a column of the runs table against weight decay."""

    def draw(contents: Contents) -> Drawing | NotDrawn:
        cells, runs = Cells(contents), contents.runs
        missing = cells.missing(needs)
        if missing:
            return missing
        if what.column not in runs or not what.of(runs).notna().any():
            how = f"; {what.ask}" if what.ask else ""
            return NotDrawn(f"no run of this study has the column {what.column} ({what.unit}){how}")
        at = cells.at([*needs, *shown])
        rates = {label: at[label].lr if label in at else None for label in cells.labels}
        if not any(
            runs.loc[(runs["label"] == label) & (runs["lr"] == lr), "weight_decay"].nunique() > 1
            for label, lr in rates.items()
        ):
            return NotDrawn("it needs several weight decays at one learning rate, and no optimizer has them")
        return decay_cut(runs, rates, what, slots=contents.slots)

    return draw


def maps(contents: Contents) -> Drawing | NotDrawn:
    """Return the landscapes side by side, or why there are none."""
    if contents.cells is not None:
        return sampled_basins(contents.cells, contents.delta)
    if not contents.maps or contents.no_map:
        return NotDrawn(contents.no_map or "no cell of this study has a result")
    return basins(contents.maps, contents.delta, contents.marks)


def _scatter(contents: Contents) -> Drawing | NotDrawn:
    cells = Cells(contents)
    chosen = cells.chosen(None)
    missing = cells.missing(["adams"]) or cells.unrecorded(chosen, ["train_loss", "test_error"])
    return missing or scatter(contents.curves, chosen, contents.slots)


def _sharpness(contents: Contents) -> Drawing | NotDrawn:
    """Return the spectrum where the runs have one, else the greatest eigenvalue against weight decay."""
    cells = Cells(contents)
    chosen = cells.chosen(PAIR)
    if not cells.missing(PAIR) and any(eigenvalues(cells.runs, ids).shape[1] > 1 for ids in chosen.values()):
        return spectrum(cells.runs, chosen, contents.slots)
    return _cut(HESSIAN, PAIR)(contents)


PAIR = ("adams", "adamw")
LEARNING = _curves(*ERROR_AND_LOSS, needs=PAIR)
CUT = _cut(learning_curves.TEST_ERROR, PAIR, ("adam",))
RESTARTS = _curves(
    learning_curves.TRAIN_LOSS, learning_curves.TEST_ERROR, needs=PAIR, shown=("adam", "sgd"), restarts=True
)

ROWS = (
    _row(
        "1",
        "Weight decay of SGD, coupled to the learning rate and not",
        "ResNet18 on CIFAR-10",
        ("coupled-decay-is-better",),
        _curves(learning_curves.TEST_ERROR, needs=("sgd", "sgd-eq1")),
    ),
    _row(
        "2",
        "Gradient norm for several weight decays",
        "ResNet18 on CIFAR-10, ResNet34 on CIFAR-100",
        ("decay-grows-gradient-norm",),
        _decays(learning_curves.GRAD_NORM, shown=("adamw", "adam", "sgd")),
    ),
    _row(
        "3",
        "Gradient norm for several weight decays, 0 among them",
        "VGG16 with and without BatchNorm",
        ("decay-grows-gradient-norm",),
        _decays(learning_curves.GRAD_NORM, shown=("adamw", "adam", "sgd"), zero=True),
    ),
    _row(
        "4",
        "Scheduler of the decay, gradient norm and training loss",
        "ResNet18 on CIFAR-10, ResNet34 on CIFAR-100",
        ("swd-shrinks-gradient-norm", "swd-lowers-training-loss"),
        _curves(learning_curves.SCHEDULER, learning_curves.GRAD_NORM_SQ, learning_curves.TRAIN_LOSS, needs=PAIR),
    ),
    _row(
        "5",
        "Effective decay of scheduled weight decay",
        None,
        ("swd-negative-feedback",),
        _decays(learning_curves.EFFECTIVE_DECAY, needs=("adams",)),
    ),
    _row(
        "6",
        "Sharpness against weight decay",
        None,
        ("decay-sharpens-minima",),
        _cut(HESSIAN, ("adams",), ("adamw", "adam")),
    ),
    _row("7", "Sharpness of the minima", None, ("swd-finds-flatter-minima",), _sharpness),
    _row(
        "8",
        "Learning curves of the adaptive methods",
        "ResNet18 on CIFAR-10",
        ("swd-best-adaptive",),
        _curves(
            *ERROR_AND_LOSS,
            needs=PAIR,
            shown=("adam", "amsgrad", "adabound", "padam", "yogi", "radam"),
        ),
    ),
    _row("9", "Learning curves", "several benchmarks", ("swd-lowers-test-error",), LEARNING),
    _row(
        "10",
        "Test error against weight decay",
        "ResNet18 on CIFAR-10",
        ("swd-robust-to-decay", "adamw-optimum-shifts"),
        CUT,
    ),
    _row(
        "11",
        "Test error over learning rate and weight decay",
        "ResNet18 on CIFAR-10",
        ("deeper-basin", "wider-basin"),
        maps,
    ),
    _row("12", "Training loss and test error under warm restarts", None, ("swd-under-warm-restarts",), RESTARTS),
    _row(
        "13",
        "Test perplexity",
        "an LSTM on Penn Treebank",
        ("l2-wins-on-language",),
        _curves(learning_curves.PERPLEXITY, needs=(*PAIR, "adam")),
    ),
    _row(
        "14",
        "Learning curves of all optimizers",
        "several benchmarks",
        ("swd-best-adaptive",),
        _curves(*ERROR_AND_LOSS),
    ),
    _row("15", "Training loss against test error", None, ("swd-generalizes-at-equal-loss",), _scatter),
    _row(
        "16",
        "Test error against weight decay",
        "other benchmarks",
        ("swd-robust-to-decay", "adamw-optimum-shifts"),
        CUT,
    ),
    _row(
        "17",
        "Learning curves of a long training",
        "900 epochs of ResNet18 on CIFAR-10",
        ("swd-at-the-limit",),
        LEARNING,
    ),
    _row("18", "Learning curves", "ResNet50 on ImageNet", ("swd-on-imagenet",), LEARNING),
    _row("19", "Training loss against test error", None, ("swd-generalizes-at-equal-loss",), _scatter),
    _row("20", "Training loss and test error under warm restarts", None, ("swd-under-warm-restarts",), RESTARTS),
)
FIGURES = {row.id: row for row in ROWS}
"""Every figure of the paper by its number: `FIGURES["11"].draw(contents)` is a drawing, or says why there is none."""
