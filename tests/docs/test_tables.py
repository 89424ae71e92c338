"""The tables of README.md and docs/ are what the code says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from docs import tables

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("page", tables.pages(), ids=lambda page: page.name)
def test_every_table_of_a_page_is_up_to_date(page: Path) -> None:
    text = page.read_text()
    assert text.count("<!-- table: ") == len(tables.BLOCK.findall(text)) == text.count("<!-- /table -->")
    assert tables.filled(text) == text, "`make tables` fills them"


def test_every_table_stands_on_one_page() -> None:
    placed = [found[1] for page in tables.pages() for found in tables.BLOCK.findall(page.read_text())]
    assert sorted(placed) == sorted(tables.TABLES)


def test_a_block_of_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        tables.filled("<!-- table: nothing -->\n<!-- /table -->")


def test_what_cells_hold_does_not_break_the_table() -> None:
    assert tables.table(["a", "b"], [("1 | 2", "3")]) == "| a | b |\n|---|---|\n| 1 \\| 2 | 3 |"
