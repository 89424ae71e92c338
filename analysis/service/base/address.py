"""What a page shows, as its address says: which study, and the query, read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 200
"""Pairs of a query that are read; nobody writes more by hand, and no page does."""


@dataclass(frozen=True)
class View:
    """What an address says beside the kind of its page.

    It comes from whoever made the link: a page checks it before use.

    Attributes:
        pairs: Those of the query, in order.
        study: The name in the path; None on a page of no study.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    study: str | None = None

    @classmethod
    def parse(cls, search: str | None, study: str | None = None) -> View:
        """Read a query, with or without its question mark, of a page of a study; what is no pair is left out."""
        text = (search or "").removeprefix("?")
        try:
            return cls(tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST)), study)
        except ValueError:
            return cls(study=study)

    def get(self, key: str, default: str = "") -> str:
        """Return the last value of a key."""
        return next((value for name, value in reversed(self.pairs) if name == key), default)

    def all(self, key: str) -> list[str]:
        """Return every value of a key, in order."""
        return [value for name, value in self.pairs if name == key]

    def one_of(self, key: str, allowed: Sequence[str]) -> str:
        """Return the value of a key if it is allowed, else the first that is."""
        value = self.get(key)
        return value if value in allowed else allowed[0]

    def with_(self, **changes: str | Sequence[str] | None) -> str:
        """Return the query with other values for these keys, beginning with "?"; None takes a key out."""
        kept = [(name, value) for name, value in self.pairs if name not in changes]
        for name, value in changes.items():
            values = [value] if isinstance(value, str) else (value or ())
            kept += [(name, each) for each in values]
        return f"?{urlencode(kept)}"


def kept(view: View) -> str:
    """Return the part of a query that the other pages of a study understand too."""
    pairs = {key: view.get(key) for key in ("workload", "reference") if view.get(key)}
    return f"?{urlencode(pairs)}" if pairs else ""
