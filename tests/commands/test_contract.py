"""What holds of every command: its help names its options, and what it cannot use is a sentence and exit code 2."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from robustness.cli import main
from robustness.commands import GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable


class Parser(argparse.ArgumentParser):
    """A parser that tells which arguments it was given."""

    def __init__(self, **options: Any) -> None:
        self.arguments: list[argparse.Action] = []
        super().__init__(**options)

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        action = super().add_argument(*names, **options)
        self.arguments.append(action)
        return action

    @property
    def positional(self) -> list[str]:
        return [action.dest for action in self.arguments if not action.option_strings]


def commands_of(group: Any) -> dict[str, Parser]:
    """Return the commands that a group adds, by name."""
    added: dict[str, Parser] = {}

    def add(name: str, _function: Callable[[argparse.Namespace], int], text: str) -> Parser:
        assert name not in added
        added[name] = Parser(description=text)
        return added[name]

    group.add_commands(add)
    return added


OF_A_GROUP = {group.__name__: commands_of(group) for group in GROUPS}
COMMANDS = {name: parser for added in OF_A_GROUP.values() for name, parser in added.items()}
REFUSING = [
    (name, action.option_strings[0])
    for name, parser in COMMANDS.items()
    for action in parser.arguments
    if action.choices or action.type not in (None, Path)
]
"""Options that do not take just any text; a place of results takes any folder, but no URI with one slash."""


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder, with no results and no cluster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("ROBUSTNESS_RESULTS", "RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def exit_code(*arguments: str) -> int:
    """Return the exit code of the command line, however it ends."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


def test_every_group_is_a_file_with_commands_of_its_own() -> None:
    folder = Path(str(GROUPS[0].__file__)).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "stored"}
    assert {name.rpartition(".")[2] for name in OF_A_GROUP} == files
    assert all(OF_A_GROUP.values())
    assert len(COMMANDS) == sum(map(len, OF_A_GROUP.values())), "no name twice"


def test_the_help_of_all_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--help") == 0
    words = capsys.readouterr().out.split()
    assert [name for name in COMMANDS if name not in words] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_option(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(name, "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert " ".join(str(COMMANDS[name].description).split()) in shown
    for action in COMMANDS[name].arguments:
        assert action.help, f"nothing says what {action.dest} is for"
        for word in action.option_strings or [str(action.metavar)]:
            assert word in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_there_is_not_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(name, *COMMANDS[name].positional, "--no-such-option") == 2
    captured = capsys.readouterr()
    assert captured.err.strip().splitlines()[-1].endswith("error: unrecognized arguments: --no-such-option")
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("name", [name for name, parser in COMMANDS.items() if parser.positional])
def test_what_is_missing_is_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(name) == 2
    captured = capsys.readouterr()
    assert "error: the following arguments are required: " in captured.err.strip().splitlines()[-1]
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(("name", "option"), REFUSING)
def test_a_value_that_an_option_cannot_take_is_refused(
    name: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(name, *COMMANDS[name].positional, option, "s3:/no such thing") == 2
    captured = capsys.readouterr()
    assert f"error: argument {option}: " in captured.err.strip().splitlines()[-1]
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("name", [name for name, parser in COMMANDS.items() if "study" in parser.positional])
def test_a_study_file_with_a_mistake_is_said_with_its_place(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.yaml").write_text("workload: digit\n")
    assert exit_code(name, "odd.yaml") == 2
    captured = capsys.readouterr()
    assert "odd.yaml:1: workload: unknown workload 'digit'" in captured.err
    assert "Traceback" not in captured.err + captured.out
