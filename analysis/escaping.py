"""Texts of others in Markdown and in CSV: they stay texts, whatever they are made of."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = re.compile(r"([\\`*_\[\]<>|~&$])")
_AT_THE_START = re.compile(r"^([#+=-]|\d+(?=[.)](?:\s|$)))")
_LINKED = re.compile(r":(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_FORMULA = "(?s)^( *[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20].)"


def markdown(text: str) -> str:
    r"""Return a text as Markdown shows it letter by letter: on one line, with no cell, link or HTML of its own.

    Example:
        >>> from analysis.escaping import markdown
        >>> print(markdown("a | b <i>*c*"))
        a \| b \<i\>\*c\*
    """
    line = " ".join(text.split())
    escaped = _LINKED.sub(lambda found: "\\" + found[0], _SIGNS.sub(r"\\\1", line))
    return _AT_THE_START.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], escaped)


def without_formulas(table: pa.Table) -> pa.Table:
    """Return a table for a CSV file in which no text is a formula to a spreadsheet; numbers are as they were.

    An apostrophe is put before a text that begins with `=`, `+`, `-`, `@`, a tab or the end of a line, as OWASP
    recommends in "CSV Injection". A sign that stands alone is none.
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            texts = pc.replace_substring_regex(table.column(place), _FORMULA, r"'\1")
            table = table.set_column(place, field, texts)
    return table
