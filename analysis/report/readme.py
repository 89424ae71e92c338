"""The README of published results, from the results themselves; what they show is left for a person to say."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

import pandas as pd

from analysis.escaping import markdown
from analysis.formats import count, number, plural, spread
from analysis.report.answer import answer
from robustness.results.tables.cells import at_chance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analysis.contents.gather import Contents
    from analysis.contents.summary import Optimum

BEGIN, END = "<!-- what it shows: kept when the study is published again -->", "<!-- end of what it shows -->"
NOT_SAID = "Nobody has said it yet."
SECTIONS = ("What it shows", "What was asked", "How it was trained", "What came out", "How to look at it")


def kept(readme: str) -> str | None:
    """Return what somebody wrote between the markers of an earlier README; None where nobody has."""
    found = re.search(f"{re.escape(BEGIN)}\n(.*?)\n?{re.escape(END)}", readme, re.DOTALL)
    said = found[1].strip("\n") if found else ""
    return None if said in {"", NOT_SAID} else said


def readme_text(found: Sequence[Contents], lacking: int, said: str | None) -> str:
    """Return the README, Markdown.

    Args:
        found: The published study, its workloads each by itself.
        lacking: Runs of the study that have no result.
        said: What it shows, as a person wrote it; None leaves the place for it.
    """
    first = found[0]
    about = first.study.description if first.study else ""
    runs = pd.concat([each.runs for each in found], ignore_index=True)
    parts = (
        [BEGIN, said or NOT_SAID, END],
        _asked(found),
        _trained(runs, found, lacking),
        [line for each in found for line in _came_out(each, several=len(found) > 1)],
        _look(first.name),
    )
    lines = [f"# {first.name}", "", *([markdown(about), ""] if about else [])]
    for heading, body in zip(SECTIONS, parts, strict=True):
        lines += [f"## {heading}", "", *body, *([""] if body[-1] else [])]
    return "\n".join(lines)


def _asked(found: Sequence[Contents]) -> list[str]:
    """Return the lines on the grid or search, the seeds and the workloads' options."""
    lines = []
    for contents in found:
        runs = contents.runs
        lines.append(f"**{markdown(contents.workload)}**")
        for label in (one.label for one in contents.summaries):
            rows = runs[runs["label"] == label]
            rates, decays = _axis(rows["lr"], "learning rate"), _axis(rows["weight_decay"], "weight decay")
            lines.append(f"- {markdown(label)}: {rates} × {decays}")
        how = ", ".join(sorted(runs["sampler"].unique()))
        lines.append(f"- cells chosen by: {markdown(how)}; {plural(int(runs['seed'].nunique()), 'seed')} each")
        lines += [
            f"- options: {markdown(', '.join(_options(json.loads(one))))}" for one in runs["workload_options"].unique()
        ]
        lines.append("")
    scale = "Weight decay is on the common scale, that of L2 and of AdamS: AdamW was given 1000 times it."
    return [*lines, f"{scale} The study file: [study.yaml](study.yaml)."]


def _axis(values: pd.Series, name: str) -> str:
    distinct = sorted(values.unique())
    if len(distinct) == 1:
        return f"{name} {number(distinct[0])}"
    zero = " and 0" if distinct[0] == 0 else ""
    least = distinct[1] if zero else distinct[0]
    return f"{len(distinct)} {name}s, {number(least)} to {number(distinct[-1])}{zero}"


def _options(options: dict[str, object]) -> Iterable[str]:
    """Return options in words; those of a mapping in brackets after its name."""
    for key, value in options.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{name} {_plain(one)}" for name, one in value.items() if name not in {"name", "kind"})
            words = f"{key.replace('_', ' ')} {value.get('name', value.get('kind', ''))}".strip()
            yield f"{words} ({inner})" if inner else words
        elif value is not None:
            yield f"{key.replace('_', ' ')} {_plain(value)}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _trained(runs: pd.DataFrame, found: Sequence[Contents], lacking: int) -> list[str]:
    """Return the lines on runs, devices, versions, time and dates."""
    statuses = runs["status"].value_counts()
    results = ", ".join(
        f"{count(int(statuses[name]))} {name}" for name in ("completed", "diverged") if name in statuses
    )
    cpus = dict.fromkeys(str((one.get("cpu") or {}).get("model") or "") for one in found[0].provenance)
    cores = f" ({', '.join(name for name in cpus if name)})" if any(cpus) else ""
    devices = ", ".join(
        f"{name}{cores if name == 'cpu' else ''}: {plural(len(rows), 'run')}, {_time(float(rows['duration_s'].sum()))}"
        for name, rows in runs.groupby("device", sort=True)
    )
    begun, ended = runs["finished_at"].min(), runs["finished_at"].max()
    slow = int(at_chance(runs).sum())
    results += f" ({count(slow)} of the completed ones no better than chance)" if slow else ""
    return [
        f"- runs: {results}" + (f"; {count(lacking)} of the study's runs have no result" if lacking else ""),
        f"- device and time (the runs' own, of all stacks together): {markdown(devices)}",
        f"- dates: {begun:%Y-%m-%d}" + (f" to {ended:%Y-%m-%d}" if begun.date() != ended.date() else ""),
        f"- engine: {markdown(', '.join(sorted(runs['engine'].unique())))}",
        f"- versions: torch {markdown(', '.join(sorted(runs['torch_version'].unique())))};"
        f" this package {markdown(', '.join(sorted(runs['code_version'].unique())))}",
    ]


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.2g} hours" if seconds >= 360 else f"{seconds / 60:.2g} minutes"


def _came_out(contents: Contents, *, several: bool) -> list[str]:
    """Return the answer, the best cells and the verdicts of a workload."""
    lines = [f"### {markdown(contents.workload)}", ""] if several else []
    lines += [_markdown(answer(contents)), ""]
    lines += ["| optimizer | chosen cell | its test error, % | least test error of a cell, % |", "|---|---|---|---|"]
    for one in contents.summaries:
        errors = [spread(cell.mean, cell.std) if cell else "–" for cell in (one.chosen, one.least)]
        lines.append(f"| {markdown(one.label)} | {_where(one.chosen or one.least)} | {errors[0]} | {errors[1]} |")
    lines += ["", "Mean ± standard deviation over seeds. The chosen cell is scored by data that did not choose it.", ""]
    verdicts = [each for each in contents.verdicts if each.made_for or each.outcome != "no data"]
    if verdicts:
        lines += ["| claim | verdict | what decides it |", "|---|---|---|"]
        lines += [f"| {markdown(one.sentence)} | {one.outcome} | {markdown(one.why)} |" for one in verdicts]
        lines.append("")
    return lines


def _where(cell: Optimum | None) -> str:
    return f"lr {number(cell.lr)}, weight decay {number(cell.weight_decay)}" if cell else "–"


def _markdown(words: str) -> str:
    """Return words of the report, HTML, as Markdown: what is strong stays so, all else is text."""
    pieces = re.split(r"(</?strong>)", words)
    return "".join("**" if place % 2 else markdown(html.unescape(piece)) for place, piece in enumerate(pieces))


def _look(name: str) -> list[str]:
    return [
        f"    robustness report published/{name}               # the page with all maps, intervals and verdicts",
        f"    robustness run published/{name}/study.yaml       # takes these rows and trains what you have added",
        "",
        "```python",
        "import pandas as pd",
        "",
        f'runs = pd.read_parquet("published/{name}/runs")  # a row a run; curves/ has a row a run and epoch',
        'runs["error"] = runs.test_error.fillna(runs.baseline)  # a run that diverged has learnt nothing',
        'cells = runs.groupby(["optimizer", "lr", "weight_decay"])["error"].agg(["mean", "std", "count"])',
        'cells.sort_values("mean").head(10)',
        "```",
    ]
