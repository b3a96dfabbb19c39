"""A YAML file as plain values together with the line of every key, so that faults have lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a contract file.

    Attributes:
        line: Line in the file, counted from 1.
        where: Field, such as `touchpoints.for-you.slots.default`.
        expected: What the field should hold.
        got: What it holds.
        fix: What to change.
    """

    line: int
    where: str
    expected: str
    got: str
    fix: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.where}: expected {self.expected}, got {self.got}; {self.fix}"
        )


@dataclass(frozen=True)
class YamlDocument:
    """The values of a YAML text and where they stand.

    Attributes:
        values: What `yaml.safe_load` gives; None if the text cannot be read.
        lines: Path of a value to its line.
        faults: Syntax errors, keys given twice, keys that are not words.
    """

    values: Any
    lines: dict[Path, int]
    faults: tuple[Fault, ...] = ()

    def line_of(self, path: Path) -> int:
        """Returns the line of the value at `path`, or of the nearest one around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1


def read_yaml(text: str) -> YamlDocument:
    """Returns the document in `text`; a text that is not YAML becomes a fault, not an error."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[Path, int] = {(): 1}
        faults = tuple(_walk(node, (), lines)) if node is not None else ()
        values = None if faults else yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return YamlDocument(
            None,
            {},
            (
                Fault(
                    line=mark.line + 1 if mark else 1,
                    where="file",
                    expected="YAML",
                    got=error.problem or "something else",
                    fix="check the indentation, colons and quotes around this line",
                ),
            ),
        )
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A control character, a date that is none, or lists nested without end.
        got = str(error).splitlines()[0] if str(error) else type(error).__name__
        fault = Fault(line=1, where="file", expected="YAML", got=got, fix="write it as plain text")
        return YamlDocument(None, {}, (fault,))
    return YamlDocument(values, lines, faults)


def dotted(path: Path) -> str:
    """Returns `touchpoints.for-you.carousels[0].rule` for a path."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "file"


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Iterator[Fault]:
    """Notes the line of every value below `node`; yields keys that YAML would swallow."""
    if isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            lines[(*path, position)] = child.start_mark.line + 1
            yield from _walk(child, (*path, position), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                yield Fault(line, dotted(path), "a word as key", "a list", "write a plain key")
                continue
            here = (*path, str(key.value))
            if here in lines:
                yield Fault(
                    line,
                    dotted(here),
                    "each key once",
                    f"a repeat of line {lines[here]}",
                    "remove one of the two",
                )
            lines[here] = line
            yield from _walk(child, here, lines)
