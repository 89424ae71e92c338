"""Study files: where they are found, and their YAML with the line of everything that is wrong in it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ruamel.yaml import YAML

from robustness import redaction
from robustness.validation.document import Document
from robustness.validation.messages import nearest
from robustness.validation.problems import Problem, StudyError
from robustness.validation.text import refused, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robustness.options import Model

Made = TypeVar("Made")

FOLDER = Path("search_spaces")
PACKAGED = Path(__file__).resolve().parents[2] / "search_spaces"
SUFFIXES = (".yaml", ".yml")
MOST = 100_000
"""Characters of a study file that are read: the largest there is has some thousand, and every one takes its time."""


def studies() -> dict[str, Path]:
    """Return the study files by name: those in ./search_spaces, then those that came with the package."""
    found: dict[str, Path] = {}
    for folder in (FOLDER, PACKAGED):
        for path in _files(folder):
            found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return found


def holds_results(folder: Path) -> bool:
    """Tell whether a folder is that of a stored study, from which no module is taken."""
    marks = ("resolved.json", "published.json", "runs")
    return (folder / "study.yaml").is_file() and any((folder / mark).exists() for mark in marks)


def is_there(name: str) -> bool:
    """Tell whether one of `studies()` has this name, without looking at all of them."""
    return any((folder / f"{name}{suffix}").is_file() for folder in (FOLDER, PACKAGED) for suffix in SUFFIXES)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES and path.is_file())


def find(name_or_path: str | Path) -> Path:
    """Return the file of a study: the name of one of `studies()`, or a path.

    Raises:
        StudyError: if there is none; it names those that there are.
    """
    known = studies()
    if isinstance(name_or_path, str) and name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path)
    if _exists(path):
        if path.is_dir():
            raise refused(shown(path), "is a folder, not a study file")
        return path
    beside = [each.name for each in _files_beside(path)]
    if path.suffix in SUFFIXES:
        missing = f"there is no such file{nearest(path.name, beside) or nearest(path.stem, known) or ';'}"
    else:
        missing = f"there is no such study{nearest(name_or_path, known) or ';'}"
    asked = redaction.argument(" ".join(str(name_or_path).split()))
    raise refused(asked[:80], f"{missing} known studies: {', '.join(known) or 'none'}")


def _files_beside(path: Path) -> list[Path]:
    folder = path.parent
    return [each for each in folder.iterdir() if each.suffix in SUFFIXES] if folder.is_dir() else []


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long to be a name: a study's text, perhaps
        return False


def parse(text: str, file: str, make: Callable[..., Made]) -> Made:
    """Return what `make` makes of the keys of a study's YAML.

    Raises:
        StudyError: with everything that is wrong, each with its line in `file`.
    """
    if len(text) > MOST:
        raise refused(file, f"is too large: {len(text) // 1000} kB, at most {MOST // 1000} kB")
    document = Document(text, file)
    stem = Path(file).stem
    try:
        study = make(**{"name": stem, **document.data})
    except StudyError as error:
        problems = [
            document.placed(problem.loc, problem.message)
            for problem in error.problems
            if problem.loc not in document.unreadable
        ]
        if "name" not in document.data:
            problems = [_without_name(problem) for problem in problems]
        raise StudyError(_in_order([*document.problems, *problems])) from None
    if document.problems:
        raise StudyError(_in_order(document.problems))
    return study


def _without_name(problem: Problem) -> Problem:
    if problem.loc != ("name",):
        return problem
    message = f"is missing, and the file's own name won't do: {problem.message}"
    return Problem(problem.file, problem.line, problem.key, message, problem.loc)


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line or 0)


def write(study: Model) -> str:
    """Return a study as YAML, every option written out."""
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    stream = StringIO()
    yaml.dump(study.model_dump(mode="json", exclude_none=True, by_alias=True), stream)
    return stream.getvalue()
