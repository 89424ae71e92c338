"""A YAML 1.2 file as plain data, with the line of every key and value.

The node tree of ruamel.yaml is read instead of its dictionaries, which lose a key that is there twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from robustness.validation.messages import dotted, show
from robustness.validation.problems import Problem, StudyError

if TYPE_CHECKING:
    from robustness.validation.messages import Loc

TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")}
MAX_DEPTH = 20
MAX_NODES = 100_000


class Document:
    """The file's mapping.

    Attributes:
        data: the mapping, of dictionaries, lists and scalars.
        problems: what is wrong with the YAML itself though it can be read, such as a key that is there twice.
        unreadable: where a value stands that YAML can't say; None stands for it in `data`.

    Raises:
        StudyError: if it can't be read at all.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.unreadable: set[Loc] = set()
        self._yaml = YAML(typ="safe", pure=True)
        self._nodes = 0
        self._root = self._compose(text)
        self.data: dict[str, Any] = self._mapping(self._root, ())

    def placed(self, loc: Loc, message: str) -> Problem:
        """Return a problem with the line of the value at `loc`, or of what lacks it."""
        node: Node = self._root
        line, place = _line(node), list[str | int]()
        for step in loc:
            if isinstance(node, MappingNode):
                place.append(step)
                pairs = [pair for pair in node.value if pair[0].value == step]
                if not pairs:
                    break
                key, node = pairs[-1]
                line = _line(node if isinstance(node, ScalarNode) and node.value else key)
            elif isinstance(node, SequenceNode) and isinstance(step, int):
                place.append(step)
                if step >= len(node.value):
                    break
                node = node.value[step]
                line = _line(node)
            # Else a short form that has no such part: a bare name, a bare list.
        return Problem(self.file, line, dotted(place), message, loc)

    def _compose(self, text: str) -> MappingNode:
        try:
            root = self._yaml.compose(text)
        except MarkedYAMLError as error:
            raise StudyError(self._syntax(error, text)) from None
        except (YAMLError, ValueError) as error:
            raise self._refused(None, f"is not YAML: {_one_line(error)}") from None
        except RecursionError:
            raise self._refused(None, "is nested too deeply") from None
        if root is None or (isinstance(root, ScalarNode) and not root.value):
            raise self._refused(None, "is empty")
        if not isinstance(root, MappingNode):
            found = "a list" if isinstance(root, SequenceNode) else show(root.value)
            raise self._refused(_line(root), f"expected a mapping with keys such as workload and space, got {found}")
        return root

    def _syntax(self, error: MarkedYAMLError, text: str) -> list[Problem]:
        tabs = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r" *\t", line)]
        if tabs:
            message = "a tab in the indentation: YAML indents with spaces"
            return [Problem(self.file, line, "", message) for line in tabs]
        mark = error.problem_mark or error.context_mark
        if error.context_mark and "end of stream" in str(error.problem):
            mark = error.context_mark  # what was never closed, rather than the end of the file
        message = f"is not YAML: {_one_line(error.problem or error.context)}"
        if error.context and error.context_mark and error.problem:
            message += f", {_one_line(error.context)} which starts on line {error.context_mark.line + 1}"
        return [Problem(self.file, mark.line + 1 if mark else None, "", message)]

    def _plain(self, node: Node, loc: Loc) -> object:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(loc) > MAX_DEPTH:
            raise self._refused(_line(node), "is nested too deeply or too large")
        if node.tag not in TAGS:
            name = str(node.tag).replace("tag:yaml.org,2002:", "!!")
            self._cannot_read(loc, node, f"the tag {name} means nothing here")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*loc, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, loc)

    def _mapping(self, node: MappingNode, loc: Loc) -> dict[str, Any]:
        lines: dict[str, int] = {}
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._add(loc, key_node, "a key must be a word")
                continue
            key = str(key_node.value)
            if key in lines:
                self._add((*loc, key), key_node, f"is there twice, first on line {lines[key]}")
            lines.setdefault(key, _line(key_node))
            values[key] = self._plain(value_node, (*loc, key))
        return values

    def _scalar(self, node: Node, loc: Loc) -> object:
        if str(node.tag).endswith(":timestamp"):
            return node.value
        try:
            return self._yaml.constructor.construct_object(node)
        except (YAMLError, ValueError) as error:
            self._cannot_read(loc, node, f"can't be read as a value: {_one_line(error)}")
            return None

    def _cannot_read(self, loc: Loc, node: Node, message: str) -> None:
        self.unreadable.add(loc)
        self._add(loc, node, message)

    def _add(self, loc: Loc, node: Node, message: str) -> None:
        self.problems.append(Problem(self.file, _line(node), dotted(loc), message))

    def _refused(self, line: int | None, message: str) -> StudyError:
        return StudyError([Problem(self.file, line, "", message)])


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
