"""What a stream of text does with a character that its encoding lacks: it writes one that can be read in its place.

Containers, cron and batch systems have terminals and logs in ASCII (`LC_ALL=C`, `PYTHONIOENCODING=ascii`).
"""

from __future__ import annotations

import codecs
import io
import unicodedata
from typing import TypeVar

S = TypeVar("S")

HANDLER = "robustness.readable"
"""The name of the error handler, as streams take it."""

INSTEAD = {
    **{chr(line): "+" for line in range(0x2500, 0x2580)},
    **dict.fromkeys("−‐‑‒–—─━╸╺╾╼═", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("‘’‚′", "'"),
    **dict.fromkeys("“”„", '"'),
    "·": "|", "•": "*", "…": "...", "×": "x", "÷": "/", "±": "+/-", "√": "sqrt ", "∞": "inf", "°": " deg",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "→": "->", "←": "<-", "↑": "^", "↓": "v", "∇": "grad ", "‖": "||",
    "α": "a", "β": "b", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "eta", "θ": "theta", "ι": "i", "κ": "k",
    "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "o", "π": "pi", "ρ": "rho", "σ": "s", "ς": "s", "τ": "tau",
    "υ": "u", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i",
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", (f"^{each}" for each in "0123456789-"), strict=True)),
}  # fmt: skip
"""What stands for a character whose decomposition does not say it."""


def in_ascii(character: str) -> str:
    """Return what is read for a character: `-` for a minus, `b` for a beta, `2` for an index, else `?`."""
    lower = INSTEAD.get(character.lower())
    if lower is not None:
        return lower if character == character.lower() else lower.capitalize()
    parts = unicodedata.normalize("NFKD", character)
    if parts != character:
        return "".join(each if each.isascii() else in_ascii(each) for each in parts)
    return "" if unicodedata.combining(character) else "?"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start]), error.start + 1


codecs.register_error(HANDLER, _replaced)


def readable(stream: S) -> S:
    """Have a stream of text write what can be read where it would fail or write an escape; return it."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape", "backslashreplace"):
        stream.reconfigure(errors=HANDLER)
    return stream
