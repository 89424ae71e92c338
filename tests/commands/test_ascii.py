"""Commands where the terminal knows ASCII alone: they end as elsewhere, and what they say can be read."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from robustness.cli import main
from robustness.study import Study
from robustness.sweep.progress import Progress, ProgressLine
from robustness.transcription import readable
from tests.support import synthetic_store
from tests.support.studies import replaced

if TYPE_CHECKING:
    from pathlib import Path

LABEL = "AdamS β₂ 0.99"
STUDY = replaced(synthetic_store.STUDY, "Synthetic basins.", "Über λ − und √v̄.")
STUDY = replaced(STUDY, "adamw, adams]", f'adamw, {{name: adams, label: "{LABEL}"}}]')
STUDY += f"""
claims:
  - id: greek
    sentence: β₂ of 0.99 is as deep.
    measure: depth
    of: "{LABEL}"
    against: adamw
    direction: equal
    margin: 5
"""
COMMANDS = [
    ["validate", "results/demo/study.yaml"],
    ["plan", "results/demo/study.yaml"],
    ["list"],
    ["schema"],
    ["check", "demo"],
    ["report", "demo"],
    ["claims", "demo", "--all"],
    ["figures", "demo", "--figure", "none"],
    ["compare", "demo", "demo"],
    ["pull", "demo", "--to", "copy"],
    ["compact", "demo"],
]


class Ascii:
    """Both streams of a process, in ASCII."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._bytes = io.BytesIO()
        for name, errors in (("stdout", "strict"), ("stderr", "backslashreplace")):
            stream = io.TextIOWrapper(self._bytes, encoding="ascii", errors=errors, write_through=True)
            monkeypatch.setattr(sys, name, stream)

    def said(self) -> str:
        return self._bytes.getvalue().decode("ascii")


@pytest.fixture(name="demo")
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a study whose optimizer has a Greek letter in its label."""
    synthetic_store.store(tmp_path / "results" / "demo", synthetic_store.of_study(STUDY), STUDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_that_looks_ends_as_elsewhere(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {}
    for command in COMMANDS:
        streams = Ascii(monkeypatch)
        assert main(command) == (2 if command[0] == "figures" else 0), streams.said()
        said[command[0]] = streams.said()
        assert "\\x" not in said[command[0]]
        assert "\\u" not in said[command[0]]
    assert "AdamS b2 0.99" in said["claims"]
    assert "AdamS b2 0.99" in said["compare"]
    for file in ("claims.json", "report.html"):
        assert LABEL in (demo / "results/demo" / file).read_text("utf-8")


def test_what_is_wrong_is_said_with_the_line_that_has_it(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (demo / "wrong.yaml").write_text('workload: digits\noptimizers: ["αdam−W"]\n', "utf-8")
    streams = Ascii(monkeypatch)
    assert main(["validate", "wrong.yaml"]) == 2
    assert "'adam-W'" in streams.said()
    with pytest.raises(SystemExit, match="2"):
        main(["list", "--λ"])
    assert "unrecognized arguments: --lambda" in streams.said()


def test_a_sweeps_progress_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Ascii(monkeypatch)
    study = Study.parse(STUDY)
    with Progress(study, total=9, done=3) as progress:
        progress.note(f"{LABEL} …")
    note, line = streams.said().splitlines()
    assert note == "AdamS b2 0.99 ..."
    assert line == f"{study.name}: 3 of 9 runs | 0 running | 0 diverged | 0 failed"
    assert ProgressLine.parse(line) == ProgressLine(study.name, 3, 9, "0 running | 0 diverged | 0 failed")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("β₂ − √v̄ ± 10⁻² ≤ λ", "b2 - sqrt v +/- 10^-^2 <= lambda"),
        ("Ünïted “Å” Λ …", 'United "A" Lambda ...'),
        ("中 \udcff 🙂", "? ? ?"),
        ("┏━┓│", "+-+|"),
    ],
)
def test_characters_that_a_stream_lacks(text: str, read: str) -> None:
    content = io.BytesIO()
    stream = readable(io.TextIOWrapper(content, encoding="ascii", write_through=True))
    stream.write(text)
    assert content.getvalue().decode() == read


def test_a_stream_in_utf_8_writes_what_it_is_given_but_for_what_is_no_text() -> None:
    content = io.BytesIO()
    stream = readable(io.TextIOWrapper(content, encoding="utf-8", write_through=True))
    stream.write("β₂ −\udcff")
    assert content.getvalue().decode() == "β₂ −?"
