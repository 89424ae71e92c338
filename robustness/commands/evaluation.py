"""Commands that look at stored studies: report, claims, figures, compare. They alone load `analysis`, and lazily."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from robustness.commands.stored import beside, stored_claims, stored_root
from robustness.console import BAD_INPUT, FAILED, err, out, positive, takes_stored
from robustness.results import Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from analysis.claims.verdict import Verdict
    from robustness.console import Add
    from robustness.results.files.place import Place

KINDS = ("svg", "pdf", "png")


def add_commands(add: Add) -> None:
    """Add report, claims, figures and compare."""
    command = add("report", report, "write the HTML report of a stored study")
    takes_stored(command)
    command.add_argument(
        "--out",
        type=Path,
        help="where to write it (default: report.html in the study's folder, a published one's in the results)",
    )
    command.add_argument("--open", action="store_true", help="open it in the browser")
    command.add_argument("--picture", type=Path, help="write the basins as a picture too (.svg, .png or .pdf)")

    command = add("claims", claims, "say which of the paper's claims, and of a study's own, stored studies reproduce")
    takes_stored(command, several=True)
    command.add_argument(
        "--delta", type=positive, nargs="+", metavar="D", help="points of error that bound a basin (default: 1 2)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="default: claims.json in each study's folder")
    command.add_argument("--all", action="store_true", help="say of every claim without data why it has none")
    command.add_argument(
        "--strict", action="store_true", help="exit 1 if a claim that a study was made for is contradicted"
    )

    command = add("figures", figures, "write the figures of a stored study, each as a file")
    takes_stored(command)
    command.add_argument("--figure", nargs="+", metavar="ID", help="which figures (default: all that the runs allow)")
    command.add_argument("--out", type=Path, metavar="DIR", help="default: figures in the study's folder")
    command.add_argument("--format", choices=KINDS, default="svg", help="default: svg")

    command = add("compare", compare, "lay stored studies side by side")
    takes_stored(command, several=True)
    command.add_argument("--out", type=Path, metavar="FILE.html", help="default: compare.html")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts of all studies as JSON too")


def report(options: argparse.Namespace) -> int:
    """Write a study's report."""
    root = stored_root(options.study, options.results)
    show_report(
        root, options.out or beside(root, Store(root).name, "report.html", options.results), open_it=options.open
    )
    if options.picture:
        from analysis.figures.export import ExportError
        from analysis.figures.files import write_overview

        try:
            for path in write_overview(root, options.picture):
                out.print(f"picture: {path}")
        except ExportError as error:
            err.print(f"error: {error}")
            return FAILED
    return 0


def show_report(root: Place, target: Path | None, *, open_it: bool) -> None:
    """Write the report of the study in `root` and say where it is."""
    from analysis.report.report import write_report

    path = write_report(root, target)
    out.print(f"report: {path}\nOpen it in a browser: {path.absolute().as_uri()}")
    if open_it:
        webbrowser.open(path.absolute().as_uri())


def claims(options: argparse.Namespace) -> int:
    """Print the verdicts of each study and write them as JSON; 1 with --strict where one contradicts its claim."""
    from analysis.claims.terminal import text
    from analysis.contents.gather import gather_all
    from analysis.conventions import DELTAS

    found = [stored_claims(study, options.results) for study in options.study]
    judged: list[Verdict] = []
    for root, asked in found:
        own: list[Verdict] = []
        for contents in (studies := gather_all(Store(root, read_only=True), tuple(options.delta or DELTAS), asked)):
            out.print(f"{contents.name}, {contents.workload}")
            out.print(f"{text(contents.verdicts, width=_width(), everything=options.all)}\n")
            own += contents.verdicts
        judged += own
        if options.json is None:
            _write_verdicts(own, beside(root, studies[0].name, "claims.json", options.results))
    if options.json is not None:
        _write_verdicts(judged, options.json)
    wrong = [each for each in judged if each.made_for and each.outcome == "contradicted"]
    if options.strict and wrong:
        for each in wrong:
            several = len({other.workload for other in judged if other.study == each.study}) > 1
            where = f" on {each.workload}" if several else ""
            err.print(f"{each.study}{where} contradicts {each.claim}: {each.why}")
        return FAILED
    return 0


def figures(options: argparse.Namespace) -> int:
    """Write a study's figures; 1 where one that was asked for cannot be drawn."""
    from analysis.figures import files, registry
    from analysis.figures.export import ExportError

    unknown = [name for name in options.figure or () if name not in registry.known()]
    if unknown:
        err.print(f"no figure is called {', '.join(unknown)}; there are {', '.join(registry.known())}")
        return BAD_INPUT
    root = stored_root(options.study, options.results)
    folder = options.out or beside(root, Store(root).name, "figures", options.results)
    try:
        written = files.write_figures(root, folder, figures=options.figure, kind=options.format)
    except ExportError as error:
        err.print(f"error: {error}")
        return FAILED
    for path in written.paths:
        out.print(str(path))
    for figure, reason in written.left_out.items():
        err.print(f"{figure}: not drawn, {reason}")
    return FAILED if options.figure and written.left_out else 0


def compare(options: argparse.Namespace) -> int:
    """Write the page that compares studies, and print its table."""
    from analysis.report import side_by_side
    from analysis.report.report import write_comparison

    compared = side_by_side.read([stored_root(study, options.results) for study in options.study])
    if len(compared) < 2:
        err.print("compare needs at least two studies, or one of several workloads")
        return BAD_INPUT
    out.print(side_by_side.comparison_text(compared))
    path = write_comparison(compared, options.out or Path("compare.html"))
    out.print(f"comparison: {path}\nOpen it in a browser: {path.absolute().as_uri()}")
    if options.json is not None:
        _write_verdicts([each for one in compared for each in one.contents.verdicts], options.json)
    return 0


def _width() -> int:
    """Return the terminal's width, or one to read by where there is none."""
    return out.width if out.is_terminal else 120


def _write_verdicts(verdicts: Sequence[Verdict], path: Path) -> None:
    from analysis.claims.terminal import to_json

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(verdicts), encoding="utf-8")
    out.print(f"verdicts: {path}")
