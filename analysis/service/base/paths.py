"""Which page is at which path: what the rules of the pages say, for whoever must know without knowing the pages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from robustness.study.study import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STUDY = "study"
"""The field of a rule that stands for a study's name."""

_FIELD = re.compile(r"<(path:)?([a-z_]+)>")


class Address(NamedTuple):
    """Which page a path asks for, by its kind, and of which study; None on a page of none."""

    kind: str
    study: str | None


class PagePath(NamedTuple):
    """A page as its links know it.

    Attributes:
        kind: What it is called.
        rule: Its path, with `<study>` for a study's name.
        tab: The words of its link; None where nothing leads to it.
        in_app: Whether the application draws it; a page that is answered whole is loaded by the browser.
    """

    kind: str
    rule: str
    tab: str | None
    in_app: bool = True

    @property
    def of_study(self) -> bool:
        """Whether there is one a study."""
        return f"<{STUDY}>" in self.rule

    def of(self, study: str) -> str:
        """Return the path of a study's page."""
        return self.rule.replace(f"<{STUDY}>", study)


class Paths:
    """The paths of all pages, in the order of their links."""

    def __init__(self, pages: Iterable[PagePath]) -> None:
        self.pages: Sequence[PagePath] = tuple(pages)

    def at(self, path: str | None) -> Address | None:
        """Return what a path asks the application for; None where no page of it is."""
        for page in self.pages:
            fields = matched(page.rule, path or "") if page.in_app else None
            if fields is not None:
                return Address(page.kind, fields.get(STUDY))
        return None

    def bar(self) -> list[PagePath]:
        """Return the pages of no study that are linked."""
        return [page for page in self.pages if page.tab is not None and not page.of_study]

    def tabs(self) -> list[PagePath]:
        """Return the pages of a study that are linked."""
        return [page for page in self.pages if page.tab is not None and page.of_study]

    def expression(self) -> str:
        """Return what the paths of the application look like, as a regular expression for browsers."""
        return f"^({'|'.join(_pattern(page.rule, '[^/]+') for page in self.pages if page.in_app)})$"


def matched(rule: str, path: str) -> dict[str, str] | None:
    """Return the fields of a path that follows a rule, such as "/study/<study>/maps"; None where it does not.

    A field is one part of a path, `<path:name>` one or several.
    """
    found = _compiled(rule).fullmatch(path)
    return None if found is None else found.groupdict()


def is_at(rule: str, path: str) -> bool:
    """Return whether a path follows a rule, and a study can have the name in it."""
    fields = matched(rule, path) if path.isprintable() else None
    return fields is not None and (STUDY not in fields or re.fullmatch(NAME, fields[STUDY]) is not None)


@lru_cache(maxsize=256)
def _compiled(rule: str) -> re.Pattern[str]:
    return re.compile(_pattern(rule))


def _pattern(rule: str, field: str | None = None) -> str:
    """Return a rule as a regular expression; with `field` in the place of each of its fields, unnamed."""
    literals = _FIELD.split(rule)
    written = re.escape(literals[0])
    for several, name, literal in zip(literals[1::3], literals[2::3], literals[3::3], strict=True):
        written += field or f"(?P<{name}>{'.+' if several else '[^/]+'})"
        written += re.escape(literal)
    return written
