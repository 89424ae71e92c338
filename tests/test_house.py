"""The house: rooms, names and sizes, as docs/architecture.md says; import-linter holds the floors."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from docs.rooms import folders, modules, rooms, summary

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("robustness", "analysis")
ROOMS = [room for package in PACKAGES for room in folders(ROOT / package)]
MOST_LINES, MOST_FILES = 280, 17

MEANINGS = {
    "answer": "which optimizer a study finds more robust",
    "axes": "learning rate and weight decay, along which maps and measures go",
    "base": "the class that the rows of a registry derive from",
    "cells": "runs that differ by nothing but the seed",
    "claims": "sentences that runs bear out or contradict",
    "cluster": "machines that Ray joins",
    "data": "what is trained on, or shown as a table",
    "downloads": "files that come over the network",
    "errors": "the exceptions of a room",
    "files": "whole files or none: of results, and of figures",
    "figures": "drawings of a study",
    "jobs": "studies that run on a cluster",
    "measures": "numbers that say how robust an optimizer is: what they are, and their formulas",
    "options": "what a study file may say of a class",
    "page": "one document of HTML",
    "progress": "how far a sweep is",
    "registry": "one row for each thing of a kind",
    "report": "what is told of finished work: of a stack, of a study",
    "sampled": "of cells that a sampler chose",
    "schema": "the form that data must have",
    "side_by_side": "several workloads or studies in one table",
    "studies": "study files and what is stored of them",
    "study": "a study: its file, its page",
    "submit": "handing a study to a cluster",
    "tables": "rows and columns",
}
"""The names that stand in several rooms, with the one meaning that they have in all."""

NO_NOUNS = {
    "along", "among", "asked", "compared", "fitting", "here", "keeping", "looking", "lowering", "own", "room", "said",
    "shipping", "taking", "told", "words", "wording",
}  # fmt: skip
"""Verbs, adverbs and words of several meanings that no module is called by."""


def test_the_page_has_every_room_with_its_files() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert {room.relative_to(ROOT).as_posix() for room in ROOMS} == {cells[0].strip("`/") for cells in rooms(ROOT)}
    for place, about, files in rooms(ROOT):
        assert f"| {place} | {about} | {files} |" in page, "`make tables` writes it"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(ROOT).as_posix())
def test_a_room_says_what_it_is_for_and_can_be_seen_at_a_glance(room: Path) -> None:
    assert summary(room / "__init__.py")
    assert len(modules(room)) <= MOST_FILES
    assert [file.name for file in modules(room) if not summary(file)] == []


def test_no_file_is_too_long() -> None:
    places = [ROOT / name for name in (*PACKAGES, "benchmarks", "tests", "docs")]
    long = {}
    for file in (path for place in places for path in place.rglob("*.py")):
        name, lines = file.relative_to(ROOT).as_posix(), len(file.read_text().splitlines())
        if lines > MOST_LINES:
            long[name] = lines
    assert long == {}


def test_a_name_has_one_meaning() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for room in ROOMS:
        if room.parent != ROOT:
            places[room.name].append(room.relative_to(ROOT).as_posix())
        for file in modules(room):
            if file.stem != room.name:  # the file that a room is named after
                places[file.stem].append(file.relative_to(ROOT).as_posix())
    several = {name: found for name, found in places.items() if len(found) > 1 and name not in MEANINGS}
    assert several == {}
    assert set(places) & NO_NOUNS == set()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(ROOT).as_posix())
def test_a_face_exports_no_function_under_the_name_of_a_module(room: Path) -> None:
    package = ".".join(room.relative_to(ROOT).parts)
    beside = {file.stem for file in modules(room)} | {each.parent.name for each in room.glob("*/__init__.py")}
    exported = set()
    for line in ast.parse((room / "__init__.py").read_text()).body:
        if isinstance(line, ast.ImportFrom) and line.module != package:
            exported |= {each.asname or each.name for each in line.names}
        if isinstance(line, (ast.FunctionDef, ast.ClassDef)):
            exported.add(line.name)
    assert exported & beside == set()


def test_text_is_read_and_written_in_utf_8_whatever_the_terminal_is() -> None:
    left_to_it = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for package in (*PACKAGES, "search_spaces", "benchmarks", "docs")
        for file in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _asks_the_terminal(node)
    ]
    assert left_to_it == []


def _asks_the_terminal(call: ast.Call) -> bool:
    """Whether a call opens a text file, or a process's output as text, without saying how it is encoded."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    words = [each.value for each in call.args if isinstance(each, ast.Constant)]
    if "encoding" in given or "utf-8" in words or None in given:
        return False
    if name in ("run", "Popen", "check_output"):
        return given.get("text") == "True" or "universal_newlines" in given
    if name == "fdopen":
        return len(words) > 0 and "b" not in str(words[-1])
    if name == "open" and isinstance(call.func, ast.Name):
        return "b" not in given.get("mode", str(words[0]) if words else "r")
    return name == "read_text" or (name == "write_text" and len(call.args) < 2)
