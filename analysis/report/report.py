"""A study, or several side by side, as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.contents.gather import gather_all
from analysis.report import page
from analysis.report.compared_page import ComparedWorkloads
from analysis.report.one_workload import OneWorkload
from analysis.report.sections import OF_COMPARISON, OF_STUDY, OF_STUDY_OF_ONE, written
from analysis.report.several_workloads import SeveralWorkloads
from robustness import redaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.contents.gather import Contents
    from analysis.contents.side_by_side import Workload
    from analysis.figures import Drawing
    from analysis.report.sections import Section, Told
    from robustness.results import Place


def write_report(root: str | Path | Place, out: str | Path | None = None) -> Path:
    """Write the report of a stored study and return its path.

    Args:
        root: The study's folder, or the URI of one.
        out: The file to write; default: report.html in the study's folder, or <study>-report.html in the
            working directory if that folder is on an object store.

    Returns:
        The path of the file that was written.

    Raises:
        robustness.results.StorageError: The results cannot be read.
        robustness.plugins.PluginError: A figure of another package cannot be used.
        OSError: The file cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from analysis import write_report
        >>> from robustness.published.shipped import published
        >>> with TemporaryDirectory() as folder:
        ...     write_report(published()["cifar10"].root, Path(folder, "report.html")).name
        'report.html'
    """
    from robustness.results import Store

    store = Store(root, read_only=True)
    studies = gather_all(store)
    return page.write_page(_target(store.root, studies[0].name, out), report_html(studies, redaction.place(str(root))))


def _target(root: Place, name: str, out: str | Path | None) -> Path:
    if out is not None:
        return Path(out)
    return Path(f"{name}-report.html") if root.is_uri else Path(root) / "report.html"


def report_html(studies: Sequence[Contents], root: str) -> str:
    """Return the whole page of a study.

    Args:
        studies: Its workloads, each by itself; at least one.
        root: What the query on the page opens.

    Raises:
        robustness.plugins.PluginError: A figure of another package cannot be used.
    """
    if len(studies) > 1:
        every = SeveralWorkloads.of(studies, root)
        return _page(every.first, "workloads.html", every.drawn, *_parts(OF_STUDY, every))
    one = OneWorkload.of(studies[0], root)
    return _page(one.contents, "report.html", one.placed, *_parts(OF_STUDY_OF_ONE, one))


def _parts(rows: Sequence[Section[Told]], told: Told) -> tuple[str, str]:
    """Return the sections of the head of the page, and those below it."""
    return written([row for row in rows if row.in_head], told), written([row for row in rows if not row.in_head], told)


def _page(contents: Contents, body: str, drawn: Mapping[str, Drawing], head: str, sections: str) -> str:
    return page.whole_page(contents.name, "robustness report", body, drawn, head=head, sections=sections)


def write_comparison(compared: Sequence[Workload], out: str | Path, delta: float = 1.0) -> Path:
    """Write the page of studies side by side and return its path.

    Args:
        compared: Their workloads; see `analysis.report.side_by_side.read`.
        out: The file to write.
        delta: Points of error that bound a basin.

    Raises:
        OSError: The file cannot be written.
    """
    return page.write_page(out, comparison_html(compared, delta))


def comparison_html(compared: Sequence[Workload], delta: float) -> str:
    """Return the whole page of studies side by side; arguments as in `write_comparison`."""
    every = ComparedWorkloads(workloads=compared, delta=delta)
    drawn = {name: drawing for name, (_, drawing) in every.figures.items()}
    head, sections = _parts(OF_COMPARISON, every)
    title = ", ".join(every.names) or "nothing"
    return page.whole_page(title, "robustness compared", "compare.html", drawn, head=head, sections=sections)
