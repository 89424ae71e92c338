"""Comparisons whose intervals a test chooses, in place of those of a study's runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analysis.claims.judge import judge
from analysis.conventions import DELTAS
from analysis.landscapes.labels import label
from analysis.statistics.comparison import Comparison
from robustness.study import Claim
from tests.support import synthetic

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analysis.claims.verdict import Verdict
    from analysis.statistics.comparison import Question

NAN = float("nan")
RATIOS = {"basin_area", "basin_area_absolute", "matched"}
Key = tuple[str, str, float | None]


def interval(low: float, high: float, **more: Any) -> dict[str, Any]:
    """Return an interval around its middle; `more` are fields of a `Comparison`."""
    return {"estimate": (low + high) / 2, "low": low, "high": high, **more}


def unknown() -> dict[str, Any]:
    """Return a comparison of something that was not measured."""
    return {"value": NAN, "other": NAN, "estimate": NAN, "low": NAN, "high": NAN, "needed": None}


class Everything:
    """Whatever one asks for is in it."""

    def __contains__(self, _one: object) -> bool:
        return True


@dataclass
class Edges:
    """Why a comparison is clipped, by (of, against, delta)."""

    reasons: Mapping[Key, str]

    def get(self, question: Question) -> str | None:
        return self.reasons.get((question.of, question.against or "", question.delta))


@dataclass
class Canned:
    """What `judge` needs of `analysis.statistics.comparisons.Comparisons`.

    Attributes:
        answers: What a comparison says, by (of, against, delta), or by `against` alone.
        labels: Optimizers with a result.
        edges: Why a comparison is clipped, by (of, against, delta).
        asked: What was looked up, in that order.
    """

    answers: Mapping[Any, dict[str, Any]]
    labels: list[str] = field(default_factory=lambda: ["adam", "adamw", "adams"])
    edges: Mapping[Key, str] = field(default_factory=dict)
    asked: dict[Question, None] = field(default_factory=dict)
    one_grid: Everything = field(default_factory=Everything)
    one_box: Everything = field(default_factory=Everything)

    @property
    def clipped(self) -> Edges:
        return Edges(self.edges)

    @property
    def levels(self) -> list[float]:
        return [question.level for question in self.asked]

    @property
    def columns(self) -> list[str | None]:
        return [question.column for question in self.asked]

    def __getitem__(self, question: Question) -> Comparison:
        self.asked[question] = None
        measure, of, against, delta, column, level = question
        key = (of, against or "", delta)
        answer = self.answers.get(key, self.answers.get(against or of, interval(-1, 1)))
        known = {
            "measure": measure, "column": column or "", "delta": delta, "of": of, "against": against or "",
            "value": 3.0, "other": 2.0, "scale": "ratio" if measure in RATIOS else "difference",
            "level": level, "seeds": 5, "needed": 7,
        }  # fmt: skip
        return Comparison(**known | answer)


def claim(**changes: Any) -> Claim:
    """Return a claim on the depth of adams against adamw and adam, with some of its keys changed."""
    keys = {
        "id": "mine", "sentence": "It does.", "measure": "depth", "of": "adams", "against": ("adamw", "adam"),
        "direction": "less",
    }  # fmt: skip
    return Claim(**keys | changes)


def runs(**options: Any) -> pd.DataFrame:
    """Return labelled runs of adam, adamw and adams, whose workload options have a step schedule."""
    table = synthetic.runs(lr=(1e-3, 1e-2, 1e-1), weight_decay=(0.0, 1e-4, 1e-3), seeds=2, **options)
    workload = '{"batch_size": 64, "engine": "stack", "epochs": 20, "schedule": {"kind": "step"}, "width": 32}'
    return label(table.assign(workload_options=workload))


LESS, MORE, OPEN = interval(-2, -1), interval(1, 2), interval(-1, 1)
WIDER, NARROWER, ALIKE = interval(1.5, 2), interval(0.5, 0.7), interval(0.8, 1.2)
AREA = {"measure": "basin_area", "direction": "greater", "against": "adamw"}
RUNS = runs()


def verdict(asked: Claim, answers: Any, **options: Any) -> Verdict:
    """Return the verdict on a claim by canned answers; `runs` and `deltas`, or options of `Canned`."""
    table, deltas = options.pop("runs", RUNS), options.pop("deltas", DELTAS)
    contrasts = answers if isinstance(answers, Canned) else Canned(answers, **options)
    return judge(asked, contrasts, table, study="s", workload="digits", made_for=True, deltas=deltas)  # type: ignore[arg-type]


def outcome(asked: Claim, answers: Any, **options: Any) -> str:
    """Return only how it came out."""
    return verdict(asked, answers, **options).outcome
