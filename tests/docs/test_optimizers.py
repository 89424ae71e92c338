"""The table of docs/optimizers.md says what is so: a tenth of it is tried again, another one with each version."""

from __future__ import annotations

import random
from importlib.metadata import version

import pytest

from docs.optimizers import HEAD, OPTIONS, PAGE, names, row_of, written

EVERY = names()
DRAW = random.Random(version("torch") + version("pytorch_optimizer"))
SAMPLE = sorted(DRAW.sample([name for name in EVERY if not name.endswith("SpectralSphere")], len(EVERY) // 10))


def test_it_has_a_row_for_each() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == EVERY
    assert f"| {' | '.join(HEAD)} |" in lines
    assert OPTIONS.keys() <= set(EVERY)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_row_is_what_is_found(name: str) -> None:
    found = written([row_of(name)]).splitlines()
    (line,) = [each for each in found if each.startswith(f"| `{name}`")]
    assert line in PAGE.read_text("utf-8").splitlines()
