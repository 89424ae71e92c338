"""A study as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from pathlib import Path

from analysis import page, tables, wording
from analysis.answer import answer
from analysis.contents import Contents, gather
from analysis.figures import Drawing, gradient_norms, learning_curves, slices
from analysis.figures.paper import FIGURES
from analysis.figures.theme import count, plural
from analysis.pictures import OWN

HEADINGS = {
    "claims": "The intervals behind the claims",
    "basins": "The landscapes",
    "difference": "The difference of two landscapes",
    "slices": "Cuts through the ringed cells",
    "profiles": "Basin profiles",
    "tuning": "Tuning curves",
    "curves": "Learning curves",
    "gradients": "Gradients and decay",
    "decays": "Gradient norm and weight decay",
    "scatter": "Training loss and test error",
}
CLAIMS_NOTE = (
    "A claim is reproduced or contradicted only if the intervals exclude equality at every distance reported and the "
    "edge of the box could not turn that round. All intervals of a claim hold jointly at 96 % (each at "
    "1 − 0.04 / rivals). Seeds are drawn in pairs: the same for every cell and optimizer."
)
MEASURES_NOTE = (
    "Depth is the test error of the ringed cell, chosen on data that do not score it; relative areas are measured from "
    "it, absolute ones from the best of all. × is a ratio of areas, all else a difference. Bold: the 95 % interval, "
    "each by itself, excludes equality."
)


def write(root: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a stored study and return its path.

    Args:
        root: The study's folder, or the URI of one.
        out: The file to write; default: report.html in the study's folder, or <study>-report.html in the
            working directory if that folder is on an object store.

    Raises:
        robustness.results.StorageError: The results cannot be read.
        OSError: The file cannot be written.
    """
    from robustness.results import Store

    store = Store(root)
    contents = gather(store)
    return page.write(_target(store.root, contents.name, out), html(contents, str(root)))


def picture(root: str | Path, out: str | Path) -> Path:
    """Write the basins of a stored study as a picture (.svg, .png or .pdf) and return its path.

    Raises:
        analysis.export.ExportError: There is nothing to draw, or nothing to draw it with.
        robustness.results.StorageError: The results cannot be read.
    """
    from analysis.export import ExportError, export
    from robustness.results import Store

    drawn = OWN["basins"](gather(Store(root)))
    if isinstance(drawn, str):
        raise ExportError(f"{root}: no run of this study is stored yet")
    return export(drawn, out)


def _target(root: str, name: str, out: str | Path | None) -> Path:
    if out is not None:
        return Path(out)
    return Path(f"{name}-report.html") if "://" in root else Path(root) / "report.html"


def drawings(contents: Contents) -> dict[str, Drawing]:
    """Return the figures that the contents allow, by section."""
    drawn: dict[str, Drawing | str] = {name: OWN[name](contents) for name in ("claims", "basins", "difference")}
    if contents.marks:
        drawn["slices"] = slices(contents.maps, contents.chosen)
    drawn |= {name: OWN[name](contents) for name in ("profiles", "tuning")}
    if len(contents.curves):
        drawn["curves"] = learning_curves(contents.curves, contents.best)
        drawn["gradients"] = gradient_norms(contents.curves, contents.best)
        drawn["decays"] = FIGURES["2"].draw(contents)
        drawn["scatter"] = FIGURES["15"].draw(contents)
    return {name: one for name, one in drawn.items() if not isinstance(one, str)}


def html(contents: Contents, root: str) -> str:
    """Return the whole page; `root` is what the query on it opens."""
    drawn = drawings(contents)
    about = contents.study.description if contents.study else ""
    return page.page(
        contents.name,
        "robustness report",
        "report.html",
        drawn,
        description=f'<p class="description">{escape(about)}</p>' if about else "",
        sentence=answer(contents),
        facts="".join(f"<li>{fact}</li>" for fact in wording.state(contents)),
        notes=wording.notes(contents),
        table=wording.table(contents),
        claims=_headed("The claims", tables.claims(contents), CLAIMS_NOTE),
        measures=_headed("The measures", f'<div class="scroll">{tables.measures(contents)}</div>', MEASURES_NOTE),
        figures="".join(page.section(name, HEADINGS[name], drawing) for name, drawing in drawn.items()),
        study=_study_text(contents),
        provenance=wording.provenance(contents.provenance),
        query=wording.query(root, contents),
        runs=_runs_done(contents),
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def _headed(heading: str, body: str, note: str) -> str:
    """Return a section with a table; "" where there is nothing in it."""
    if "<tr" not in body and "<li" not in body:
        return ""
    return f"<section><h2>{heading}</h2>{body}<p class='caption'>{note}</p></section>"


def _runs_done(contents: Contents) -> str:
    stored = plural(contents.results, "run")
    return stored if contents.asked is None else f"{stored} of {count(contents.asked)} asked"


def _study_text(contents: Contents) -> str:
    if not contents.text:
        return ""
    return f"<details><summary>The study file</summary><pre><code>{escape(contents.text)}</code></pre></details>"
