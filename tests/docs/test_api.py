"""What is public: each name has all that a reader asks of it, and docs/api.md says it."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

import analysis
from docs import api

PUBLIC = [(package, name) for package in api.PACKAGES for name in api.names(package)]
FORMULAS = {"judge", "tuning_curve", "performance_profile"}


def test_each_name_of_analysis_has_a_place() -> None:
    assert set(analysis.PLACES) == set(analysis.__all__)
    for name in analysis.__all__:
        assert getattr(analysis, name) is not None
    with pytest.raises(AttributeError, match="module 'analysis' has no attribute 'nothing'"):
        analysis.nothing  # noqa: B018


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_a_public_name_says_all_that_a_reader_asks(package: str, name: str) -> None:
    value, text = getattr(importlib.import_module(package), name), api.documented(package, name)
    assert re.match(r"[A-Z].*[.:]", text.replace("\n", " ")), "a summary"
    sections = set(api.SECTION.findall(text))
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return
    assert "Example" in sections
    assert ">>> " in text
    assert ("Source" in sections) == (name in FORMULAS)
    if inspect.isclass(value) and value.__init__ is object.__init__:
        return
    told = text.partition("Args:" if "Args" in sections else "Attributes:")[2]
    fields = api.described(value)
    assert all(fields.values())
    parameters = [] if fields else list(inspect.signature(value).parameters)
    if name != "Contrasts":  # is made by `of_runs`, or gathered
        assert [each for each in parameters if not re.search(rf"^ *{each}: ", told, re.MULTILINE)] == []
    if inspect.isfunction(value):
        assert {"Args", "Returns", "Raises"} <= sections


def test_the_page_is_what_the_docstrings_say() -> None:
    assert api.PAGE.read_text() == api.page(), "`make api` writes it"


def test_the_examples_of_every_public_name_are_run() -> None:
    makefile = (api.ROOT / "Makefile").read_text()
    assert "--doctest-modules $$($(BIN)/python -m docs.api --files)" in makefile
    for file in api.files():
        assert (api.ROOT / file).is_file()
