"""A study as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.contents.gather import gather_all
from analysis.report import one_workload, page, several_workloads

if TYPE_CHECKING:
    from analysis.contents.gather import Contents


def write(root: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a stored study and return its path.

    Args:
        root: The study's folder, or the URI of one.
        out: The file to write; default: report.html in the study's folder, or <study>-report.html in the
            working directory if that folder is on an object store.

    Returns:
        The path of the file that was written.

    Raises:
        robustness.results.StorageError: The results cannot be read.
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

    store = Store(root)
    studies = gather_all(store)
    made = html(studies[0], str(root)) if len(studies) == 1 else several_workloads.html(studies, str(root))
    return page.write(_target(store.root, studies[0].name, out), made)


def _target(root: str, name: str, out: str | Path | None) -> Path:
    if out is not None:
        return Path(out)
    return Path(f"{name}-report.html") if "://" in root else Path(root) / "report.html"


def html(contents: Contents, root: str) -> str:
    """Return the whole page of one workload; `root` is what the query on it opens."""
    drawn = one_workload.drawings(contents)
    return page.page(
        contents.name,
        "robustness report",
        "report.html",
        drawn,
        description=one_workload.description(contents),
        **one_workload.words(contents),
        figures=one_workload.figures(drawn),
        made=one_workload.made(contents, root, contents.results, contents.asked),
    )
