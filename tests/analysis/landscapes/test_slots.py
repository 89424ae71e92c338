"""An optimizer looks alike wherever it is drawn, and no two in one picture do."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from analysis.figures.base import theme
from analysis.landscapes.slots import FIXED, SLOTS, slots
from robustness.optimizers import OPTIMIZERS
from robustness.study.run import stored_options


def default(name: str) -> tuple[str, str]:
    return name, json.dumps(json.loads(stored_options(OPTIMIZERS[name](name=name))), sort_keys=True)


OWN = {f"own {i}": (f"mine:Own{i}", "{}") for i in range(20)}


def test_the_optimizers_of_this_project_have_a_slot_each_whatever_their_company() -> None:
    own = [name for name, kind in OPTIMIZERS.items() if kind.__module__.startswith("robustness.")]
    assert set(FIXED) == set(own)
    every = slots({f"label of {name}": default(name) for name in FIXED})
    for name in FIXED:
        assert slots({"x": default(name), **OWN})["x"] == every[f"label of {name}"]


def test_neither_the_order_nor_the_labels_of_a_study_play_a_part() -> None:
    some = {"a": default("adam"), "b": ("adam", json.dumps({"eps": 1.0})), "c": ("mine:Own", "{}"), **OWN}
    found = slots(some)
    assert slots(dict(reversed(some.items()))) == found
    renamed = slots({f"{label} again": identity for label, identity in some.items()})
    assert renamed == {f"{label} again": slot for label, slot in found.items()}
    assert found["a"] != found["b"], "one optimizer with two sets of options is two"
    assert slots({"AdamS": default("adams"), "adams": default("adams")}) == {"AdamS": 0, "adams": 0}


@pytest.mark.parametrize("size", range(1, SLOTS + 1))
def test_no_two_of_twelve_look_alike(size: int) -> None:
    for start in (0, 5):
        some = dict(itertools.islice({**OWN, "adams": default("adams")}.items(), start, start + size))
        found = slots(some).values()
        assert len({theme.color(slot) for slot in found}) == size
    assert len({(theme.color(slot), theme.dash(slot)) for slot in slots(OWN).values()}) == len(OWN)


def test_colors_can_be_told_apart_and_seen_on_both_pages() -> None:
    """Contrast as WCAG 2 has it; differences in OKLab (Ottosson 2020), as all and as dichromats see (Machado 2009)."""
    rgb = np.array([[int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5)] for ink in theme.LINES])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    light = linear @ [0.2126, 0.7152, 0.0722]
    assert (1.05 / (light + 0.05) > 1.9).all()
    assert ((light + 0.05) / (0.0114 + 0.05) > 2.8).all(), "on #161c23"
    to_lms = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
    to_lab = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
    views = {
        "all": np.eye(3),
        "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
        "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
        "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
    }
    for view, matrix in views.items():
        seen = np.cbrt(np.clip(linear @ np.array(matrix).T, 0, 1) @ to_lms.T) @ to_lab.T
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=2) + np.eye(len(seen))
        assert apart.min() > (0.12 if view == "all" else 0.065), view
