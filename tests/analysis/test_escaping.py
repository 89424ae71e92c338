"""Labels and values of others stay text: in the Markdown of published results, and in CSV for spreadsheets."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
from markdown_it import MarkdownIt

from analysis.contents.gather import gather_all
from analysis.escaping import markdown, without_formulas
from analysis.report.readme import readme_text
from analysis.service.app import make
from robustness import Store
from tests.support import synthetic_store
from tests.support.service_pages import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = [
    "a | b",
    "a |\n| x | y | z |",
    "[here](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example and www.evil.example",
    "<https://evil.example>",
    "<script>alert(1)</script>",
    "&lt;b&gt; &amp;",
    "`code` *a* **b** _c_ __d__ ~~e~~ $x$",
    "back\\slash \\| \\",
    "# title",
    "- item",
    "+ item",
    "1. first",
    "1) first",
    "=====",
    "---",
    "[ref]: https://evil.example",
    "a\r\n\r\n# b",
    "> said",
    "[^1]",
]
PLAIN = {"inline", "text", "paragraph_open", "paragraph_close", "text_special"}


def kinds(tokens: list[Any]) -> Iterator[tuple[str, str]]:
    for token in tokens:
        yield token.type, token.content
        yield from kinds(token.children or [])


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_a_text_letter_by_letter(text: str) -> None:
    parser = MarkdownIt("gfm-like", {"linkify": False})
    found = list(kinds(parser.parse(markdown(text))))
    assert {kind for kind, _ in found} <= PLAIN
    shown = "".join(content for kind, content in found if kind in {"text", "text_special"})
    assert shown == " ".join(text.split())


def test_nothing_is_a_link_by_itself() -> None:
    assert markdown("https://x and WWW.x.org") == r"https\://x and WWW\.x.org"


@pytest.mark.parametrize("label", ["a |\n| x | y | z |", "<img src=x>", "[b](https://evil.example)", "# `c` *d*"])
def test_a_label_adds_nothing_to_a_readme(label: str, tmp_path: Path) -> None:
    def lines(name: str, label: str) -> list[tuple[str, str]]:
        quoted = label.replace("\n", "\\n")
        text = (
            f'name: {name}\nworkload: digits\ndescription: "{quoted}"\n'
            f'optimizers: [{{name: adam, label: "{" ".join(label.split())}"}}, adamw]\n'
            "space: {lr: [0.001, 0.01, 0.1], weight_decay: [0, 0.001, 0.01]}\nseeds: 2\n"
        )
        synthetic_store.store(tmp_path / name, synthetic_store.of_study(text), text)
        written = readme_text(gather_all(Store(tmp_path / name)), 0, None)
        parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(written)
        return [(kind, content) for kind, content in kinds(parsed) if kind not in PLAIN]

    plain, hostile = lines("study", "plain"), lines("other", label)
    assert [kind for kind, _ in hostile] == [kind for kind, _ in plain]


FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "=cmd|' /C calc'!A0", '="a",b']


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_a_csv_file_is_a_formula(text: str) -> None:
    numbers = [-1.5, np.nan, 1e-300, -1e300]
    table = pa.table({"label": [text, "plain", None, "-"], "loss": numbers, "steps": pa.array([-3, 2**53 + 1, 0, 1])})
    written = BytesIO()
    pa.csv.write_csv(without_formulas(table), written)
    read = pd.read_csv(BytesIO(written.getvalue()), keep_default_na=True, dtype={"label": str})
    assert read["label"].tolist()[:2] == ["'" + text, "plain"]
    assert read["label"].tolist()[3] == "-"
    assert read["loss"].tolist()[::3] == [-1.5, -1e300]
    assert read["steps"].tolist() == [-3, 2**53 + 1, 0, 1]


def test_the_download_of_a_study_has_none(tmp_path: Path) -> None:
    text = synthetic_store.STUDY
    runs = synthetic_store.of_study(text).iloc[:6].assign(host="=HYPERLINK(1)", reason="@x", test_loss=-2.5)
    synthetic_store.store(tmp_path / "demo", runs, text)
    with make(str(tmp_path)).server.test_client().get("/study/demo/data/runs.csv", base_url=HOME) as answer:
        read = pd.read_csv(BytesIO(answer.get_data()))
    assert set(read["host"]) == {"'=HYPERLINK(1)"}
    assert set(read["reason"]) == {"'@x"}
    assert set(read["test_loss"]) == {-2.5}
    assert sorted(read["lr"]) == sorted(runs["lr"])
