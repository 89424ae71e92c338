"""docs/api.md, from the docstrings of all that `robustness` and `analysis` export: `python -m docs.api` writes it.

`python -m docs.api --files` prints the files whose examples are run.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FunctionType

    from pydantic.fields import FieldInfo

PACKAGES = ("robustness", "analysis")
PAGE = Path(__file__).with_name("api.md")
ROOT = PAGE.parents[1]
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Source|Example):$", re.MULTILINE)

HEAD = """\
# API

What `robustness` and `analysis` export, made from their docstrings by `make api`. Everything else may change from one
version to the next. Each example is run by `make test`. Workloads and optimizers of one's own:
[own-workloads.md](own-workloads.md); columns of the results: [results.md](results.md).
"""


def names(package: str) -> list[str]:
    """Return what a package exports and describes, sorted without regard to case."""
    exported = importlib.import_module(package).__all__
    return sorted((name for name in exported if not name.startswith("__")), key=str.lower)


def documented(package: str, name: str) -> str:
    """Return the docstring of an exported class or function, or the text below an exported value."""
    value = getattr(importlib.import_module(package), name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return inspect.cleandoc(value.__doc__ or "")
    module, place = place_of(package, name)
    body = ast.parse(inspect.getsource(importlib.import_module(module))).body
    for line, after in itertools.pairwise(body):
        if place in _assigned(line) and isinstance(after, ast.Expr):
            return inspect.cleandoc(str(ast.literal_eval(after.value)))
    return ""


def _assigned(line: ast.stmt) -> set[str]:
    targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
    return {each.id for each in targets if isinstance(each, ast.Name)}


def place_of(package: str, name: str) -> tuple[str, str]:
    """Return the module that defines an exported name, and its name there."""
    found = importlib.import_module(package)
    value = getattr(found, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return value.__module__, value.__name__
    module, _, place = found.PLACES[name].partition(":")
    return module, place


def files() -> list[str]:
    """Return the files, relative to the project's folder, that define what is exported."""
    modules = {place_of(package, name)[0] for package in PACKAGES for name in names(package)}
    found = (inspect.getsourcefile(importlib.import_module(module)) for module in modules)
    return sorted(Path(str(file)).relative_to(ROOT).as_posix() for file in found)


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for package in PACKAGES:
        about = (importlib.import_module(package).__doc__ or "").partition("\n")[0]
        parts.append(f"## `{package}`\n\n{about}\n")
        parts += [_entry(package, name) for name in names(package)]
    return "\n".join(parts)


def _entry(package: str, name: str) -> str:
    value = getattr(importlib.import_module(package), name)
    text, lines = documented(package, name), [f"### `{package}.{name}`\n"]
    if inspect.isfunction(value):
        lines.append(f"```python\n{name}{_signature(value)}\n```\n")
    first, *rest = SECTION.split(text)
    lines.append(f"{first.strip()}\n")
    if fields := described(value):
        lines.append(_section("Attributes", "\n".join(f"{each}: {about}" for each, about in fields.items())))
    for title, content in zip(rest[::2], rest[1::2], strict=True):
        lines.append(_section(title, inspect.cleandoc(content)))
    return "\n".join(lines)


def described(value: object) -> dict[str, str]:
    """Return the fields of a class of options with their descriptions; nothing of any other class."""
    fields: dict[str, FieldInfo] = getattr(value, "model_fields", {})
    return {name: field.description or "" for name, field in fields.items()}


def _signature(function: FunctionType) -> str:
    found = inspect.signature(function)
    shown = [_parameter(each) for each in found.parameters.values()]
    by_name = [n for n, each in enumerate(found.parameters.values()) if each.kind is each.KEYWORD_ONLY]
    shown = [*shown[: by_name[0]], "*", *shown[by_name[0] :]] if by_name else shown
    inside = ",\n    ".join(shown)
    return f"(\n    {inside},\n) -> {str(found.return_annotation).strip(chr(39))}"


def _parameter(one: inspect.Parameter) -> str:
    default = "" if one.default is one.empty else f" = {one.default!r}"
    return f"{one.name}: {one.annotation}{default}"


def _section(title: str, content: str) -> str:
    if title == "Example":
        return f"```python\n{content}\n```\n"
    if title in {"Returns", "Source"}:
        return f"**{title}** {' '.join(content.split())}\n"
    items = re.sub(r"\n +", " ", content).splitlines()
    split = [re.fullmatch(r"([\w.]+): (.*)", item) for item in items]
    shown = [f"- `{match[1]}`: {match[2]}" if match else f"- {item}" for item, match in zip(items, split, strict=True)]
    return f"**{title}**\n\n" + "\n".join(shown) + "\n"


if __name__ == "__main__":
    if "--files" in sys.argv:
        sys.stdout.write("\n".join(files()) + "\n")
    else:
        PAGE.write_text(page(), encoding="utf-8")
