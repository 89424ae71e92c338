"""Keys in what is printed, blotted out: in a URI, in an argument, in any text that repeats one.

A key may stand before an `@` or in a query. It may hold the very signs that end these parts, raw, and then the URI
can't be read; it is blotted out even so, and rather too much of it than too little.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

BLOT = "***"

OPTIONS = frozenset(
    {
        *("allow_bucket_creation", "allow_bucket_deletion", "anonymous", "blob_storage_authority"),
        *("blob_storage_scheme", "client_id", "connect_timeout", "credential_kind", "dfs_storage_authority"),
        *("dfs_storage_scheme", "enable_tls", "endpoint_override", "force_virtual_addressing", "project_id", "region"),
        *("replication", "request_timeout", "retry_limit_seconds", "scheme", "tenant_id", "tls_ca_file_path"),
    }
)
"""Of a URI's query: what pyarrow's filesystems take that is no key. Only these keep their values."""

_PLAIN = re.compile(r"[A-Za-z0-9._:/\[\]-]{0,200}")
"""What the value of an option may be made of to be shown: of none that holds a key or a query of its own."""
_OPTION = re.compile(r"[a-z][a-z_]{0,39}")
"""What the name of an option may look like to be shown."""
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:/+)(.*)", re.DOTALL)
_IN_TEXT = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]+:/+[^\s\"'<>`]+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
_CONTAINER = re.compile(r"[a-z0-9$][a-z0-9-]{2,62}")
_WITH_PORT = re.compile(r"[\w.-]*:\d{0,5}|\[[0-9A-Fa-f:.]*\]?(?::\d{0,5})?")
_FLAG = re.compile(r"(--?[A-Za-z][\w-]*=)(.*)", re.DOTALL)
_SECRET_WORDS = {"KEY", "SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD", "SAS", "SIGNATURE", "SIG"}
_LEAST = 3
"""Characters of a piece of a key that is looked for by itself: shorter ones stand in every word."""

DEEPEST = 20
"""How often lists and objects of a record may stand in each other."""


def place(text: str) -> str:
    """Return a folder or URI without keys; a folder as it is."""
    return _parted(text)[0]


def pieces(text: str) -> list[str]:
    """Return what a URI's keys may look like where something repeats a part of them, the longest first."""
    found = set()
    for key in _parted(text)[1]:
        for piece in {key, key.partition(":")[2], *re.split(r"[/@:?#&=+\s]", key)}:
            found |= {piece, unquote(piece), unquote_plus(piece), quote(piece, safe=""), quote_plus(piece)}
    return sorted((piece for piece in found if len(piece) >= _LEAST and piece != BLOT), key=len, reverse=True)


def text(words: str, known: Iterable[str] = ()) -> str:
    """Return a text without the keys of the URIs in it.

    Args:
        words: Any text.
        known: URIs that the text may repeat in parts.
    """
    for uri in known:
        if place(uri) != uri:
            words = words.replace(uri, place(uri))
            for piece in pieces(uri):
                words = words.replace(piece, BLOT)
    found, at = [], 0
    while match := _IN_TEXT.search(words, at):
        end = _end(words, match)
        found += [words[at : match.start()], place(words[match.start() : end])]
        at = end
    return "".join([*found, words[at:]])


def argument(word: str) -> str:
    """Return an argument of a command line without the keys in it: of a URI, or of a variable that names a key."""
    flag = _FLAG.fullmatch(word)
    before, value = (flag[1], flag[2]) if flag else ("", word)
    if flag and names_key(before.strip("-=").replace("-", "_")):
        return before + BLOT
    name, equals, _ = value.partition("=")
    if equals and names_key(name):
        return f"{before}{name}={BLOT}"
    return before + (place(value) if _URI.match(value) else text(value))


def record(value: Any, depth: int = DEEPEST) -> Any:
    """Return a value as JSON has it, without the keys of the URIs in its texts.

    Raises:
        ValueError: Lists and objects stand in each other more than `depth` times, as in no record of ours.
    """
    if isinstance(value, str):
        return text(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise ValueError(f"lists and objects stand in each other more than {DEEPEST} times")
    if isinstance(value, list):
        return [record(each, depth - 1) for each in value]
    return {text(name): record(each, depth - 1) for name, each in value.items()}


def names_key(variable: str) -> bool:
    """Tell whether an environment variable holds a key by its name, such as AWS_SECRET_ACCESS_KEY."""
    words = variable.upper().split("_")
    return bool(_SECRET_WORDS & set(words)) and words[-1] not in {"FILE", "PATH"} and variable.isidentifier()


def _end(words: str, match: re.Match[str]) -> int:
    """Return where a URI in a text ends: at a blank or a quote, unless these are a part of its key."""
    found = match[0].rstrip(".,;:)]}")
    end = match.start() + len(found)
    line = words[end : words.find("\n", end) if "\n" in words[end:] else None]
    authority = found.partition(":")[2].lstrip("/").partition("/")[0]
    if "@" in found or "@" not in line or ":" not in authority or _WITH_PORT.fullmatch(authority):
        return end
    after = end + line.index("@") + 1
    rest = re.match(r"[^\s\"'<>`]*", words[after:])
    return after + (rest.end() if rest else 0)


def _parted(uri: str) -> tuple[str, list[str]]:
    """Return a URI without keys, and the keys; of a folder itself, and none."""
    match = _URI.fullmatch(uri)
    if not match:
        return uri, []
    scheme, rest = match[1], match[2]
    head, mark, query = rest.partition("?")
    end = _end_of_keys(scheme, head, query)
    if end and end >= len(rest.removesuffix("?")):
        return scheme + BLOT, [rest]
    user = rest[: end - 1] if end else ""
    head, mark, query = rest[end:].partition("?")
    shown, keys = _query(query)
    if end:
        keys.append(user)
    return scheme + (f"{BLOT}@" if end else "") + head + mark + shown, keys


def _end_of_keys(scheme: str, head: str, query: str) -> int:
    """Return where the keys before a place end, behind their `@`: 0 without any, everywhere if their end is unknown.

    Args:
        scheme: With its colon and slashes.
        head: What follows to the first question mark.
        query: What follows that.
    """
    everywhere = len(head) + bool(query) + len(query)
    authority, _, path = head.partition("/")
    user, at, _ = authority.rpartition("@")
    has_user = bool(at) or (":" in authority and not _WITH_PORT.fullmatch(authority))
    if (has_user or "@" in head) and _has_foreign_at(query):
        return everywhere
    if "@" not in head:
        return everywhere if has_user else 0
    if not has_user and _BUCKET.fullmatch(authority) and ":" not in path.rpartition("@")[0]:
        return 0  # a name below a bucket
    if "@" not in path and scheme.startswith("abfs") and _CONTAINER.fullmatch(user):
        return 0
    return head.rindex("@") + 1


def _has_foreign_at(query: str) -> bool:
    """Tell whether an `@` of a query may end a key that began before it: it stands in the value of no known option."""
    return any("@" in item and item.partition("=")[0] not in OPTIONS for item in query.split("&"))


def _query(query: str) -> tuple[str, list[str]]:
    """Return a query without keys, and the keys. A name behind a key may be a piece of it, after a raw `&`."""
    shown, keys = [], []
    for item, names_are_plain in _behind(query):
        name, equals, value = item.partition("=")
        if name in OPTIONS and equals and _PLAIN.fullmatch(unquote(value)):
            shown.append(item)
        elif equals and names_are_plain and _OPTION.fullmatch(name):
            shown.append(f"{name}={BLOT}")
            keys.append(value)
        elif item:
            shown.append(BLOT)
            keys.append(item)
    return "&".join(shown), keys


def _behind(query: str) -> Iterator[tuple[str, bool]]:
    """Yield the items of a query, each with whether no key stands before it."""
    plain = True
    for item in query.split("&"):
        yield item, plain
        name, _, value = item.partition("=")
        plain = plain and name in OPTIONS and _PLAIN.fullmatch(unquote(value)) is not None
