"""The report's words: the facts, the notes, how it was made. Whatever comes from outside is escaped."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.formats import count, listing, number, percent, plural, points, seed_counts
from robustness.results.tables.cells import at_chance
from robustness.study.code_changes import code_change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.contents.gather import Contents
    from analysis.contents.summary import Optimum

NOTHING = "–"


def sentence(contents: Contents) -> str:
    """Return the answer in plain words, HTML; it measures and claims nothing beyond."""
    found = [s for s in contents.summaries if s.least is not None]
    if not len(contents.runs):
        return "No run of this study is stored yet. The report fills as the sweep goes on."
    if not found:
        return (
            "No cell has trained: every run diverged, failed or ended no better than chance. Something else than the"
            " hyperparameters may be wrong: look into the data, the loss and the workload."
        )
    best = min(found, key=lambda s: s.least.mean if s.least else np.inf)
    where = _where(best.least)
    seeds = seed_counts(n for s in found for n in s.seeds)
    words = (
        f"On {escape(contents.workload)}, {seeds}: least test error <strong>{_error(best.least)}</strong> "
        f"({escape(best.label)}, {where})"
    )
    shares = sorted((s for s in found if np.isfinite(s.share)), key=lambda s: -s.share)
    if shares and contents.no_map is None:
        parts = [f"<strong>{percent(s.share)}</strong> of {escape(s.label)}’s box" for s in shares]
        words += f"; the basin within {points(contents.delta)} of each one’s ringed cell covers {listing(parts)}"
    return f"{words}{clipped(contents)}."


def clipped(contents: Contents) -> str:
    """Return a sentence, without its full stop, on the basins that the box cuts off; "" for none."""
    if contents.no_map:
        return ""
    names = [escape(s.label) for s in contents.summaries if s.contact and s.contact.sides]
    if not names:
        return ""
    if len(names) == 1:
        return f". The basin of {names[0]} reaches the edge of the box, so its full width is not known"
    if len(names) > 4:
        which = f"{len(names)} of {len(contents.summaries)} basins"
        return f". {which} reach the edge of the box, so their full width is not known"
    return f". The basins of {listing(names)} reach the edge of the box, so their full width is not known"


def _where(cell: Optimum | None) -> str:
    if cell is None:
        return NOTHING
    return f"learning rate {number(cell.lr)}, weight decay {number(cell.weight_decay)}"


def _error(cell: Optimum | None) -> str:
    return NOTHING if cell is None else f"{cell.mean:.2f} %"


def state(contents: Contents) -> list[str]:
    """Return short facts for the head of the page, HTML."""
    runs, asked = contents.runs, contents.asked
    counts = runs["status"].value_counts()
    facts = [escape(contents.workload)]
    if asked is None:
        facts.append(plural(contents.results, "run"))
    elif contents.results < asked:
        facts.append(f"partial: {count(contents.results)} of {plural(asked, 'run')}")
    else:
        facts.append(plural(asked, "run"))
    if len(contents.summaries):
        facts.append(seed_counts(n for s in contents.summaries for n in s.seeds))
    kinds = {kind: int(counts.get(kind, 0)) for kind in ("diverged", "failed")}
    kinds["no better than chance"] = int(at_chance(runs).sum())
    facts += [f"{count(runs_of)} {kind}" for kind, runs_of in kinds.items() if runs_of]
    if len(runs) and runs["finished_at"].notna().any():
        facts.append(f"last run {runs['finished_at'].max():%Y-%m-%d}")
    return facts


def notes(contents: Contents, *, of_store: bool = True) -> list[str]:
    """Return what a reader must know before trusting the page, in plain sentences.

    `of_store`: with what is true of the store as a whole.
    """
    before, after = _of_store(contents) if of_store else ([], [])
    said = [*before]
    if contents.asked is not None and contents.results < contents.asked:
        said.append(
            f"Partial results: {count(contents.results)} of {plural(contents.asked, 'run')} have finished; "
            "the rest is blank, and shares are of the area measured so far."
        )
    if contents.apart:
        said.append("The optimizers have no part of learning rate and weight decay in common: no area is measured.")
    said += after
    reasons = contents.runs.loc[contents.runs["status"] == "failed", "reason"].value_counts()
    for reason, runs in reasons.head(3).items():
        said.append(f"{plural(int(runs), 'run')} failed: {reason}")
    alike = [one.label for one in contents.seeds.replicates.values() if one.alike] if contents.seeds else []
    if alike:
        said.append(
            f"The seeds do not change the outcome of {listing(alike)}: in every cell all runs are alike to the last"
            " digit, so they stand for one. No interval can be given, and no claim is decided by them."
        )
    if any(max(s.seeds) == 1 for s in contents.summaries):
        said.append("One seed: no spread is known, and any difference may be chance.")
    return said


def store_notes(contents: Contents) -> list[str]:
    """Return what a reader must know of the store as a whole, in plain sentences."""
    before, after = _of_store(contents)
    return [*before, *after]


def _of_store(contents: Contents) -> tuple[list[str], list[str]]:
    study = contents.study
    today = study.codes.get(study.code or "") if study else None
    change = code_change(contents.runs, study.codes, today.modules) if study and today else None
    problem = f"Shown without its study file: {contents.problem}."
    earlier = (
        f"{plural(contents.others, 'stored run')} of an earlier version of the study "
        f"{'is' if contents.others == 1 else 'are'} kept, but not shown."
    )
    after = [*([earlier] if contents.others else []), *([f"{change}."] if change else [])]
    return [problem] if contents.problem else [], after


def paragraphs(said: Iterable[str]) -> str | None:
    """Return notes as HTML; None for none."""
    return "".join(f'<p class="note">{escape(text)}</p>' for text in said) or None


def query(root: str, contents: Contents) -> str:
    """Return the pandas lines that read the results, HTML."""
    where = json.dumps(f"{root.rstrip('/')}/runs" if "?" not in root else root.replace("?", "/runs?", 1))
    lines = [
        "import pandas as pd",
        "",
        f"runs = pd.read_parquet({where})",
        'runs["error"] = runs.test_error.fillna(runs.baseline)  # a run that diverged has learnt nothing',
        'cells = runs.groupby(["optimizer", "lr", "weight_decay"])["error"]',
        'cells.agg(["mean", "std", "count"]).sort_values("mean").head(10)',
    ]
    if contents.others:
        lines.append("# The folder also holds runs of earlier versions of the study; see workload_options, lr, ...")
    return f"<pre><code>{escape(chr(10).join(lines))}</code></pre>"


def provenance(records: Iterable[dict[str, Any]]) -> str | None:
    """Return the latest sweep's record as an HTML table; None without one."""
    records = list(records)
    if not records:
        return None
    rows = "".join(
        f'<tr><th scope="row">{escape(str(key))}</th><td>{escape(_value(value))}</td></tr>'
        for key, value in records[-1].items()
    )
    which = "the latest of " + plural(len(records), "sweep") if len(records) > 1 else "one sweep"
    return f"<details><summary>Where it ran ({which})</summary><table class='facts'>{rows}</table></details>"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    return NOTHING if value is None else str(value)
