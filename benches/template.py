"""JSON text with holes: a million objects cost a million substitutions, not a million dumps.

A hole is written `@name@` inside a string; a string that is nothing but `#name#` becomes a bare
value (a number, or JSON text). What is filled in is taken as it is, so it must need no escaping.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Self

# The backslash is there for JSON within JSON, as in `last-applied-configuration`.
_HOLE = re.compile(rb'\\?"#(\w+)#\\?"|@(\w+)@')


@dataclass(frozen=True, slots=True)
class Template:
    """Text between holes: `parts` has one entry more than `holes`."""

    parts: tuple[bytes, ...]
    holes: tuple[str, ...]

    @classmethod
    def of(cls, value: object) -> Self:
        """Compile a JSON value whose strings have holes."""
        text = json.dumps(value, separators=(",", ":")).encode()
        parts: list[bytes] = []
        holes: list[str] = []
        end = 0
        for hole in _HOLE.finditer(text):
            parts.append(text[end : hole.start()])
            holes.append((hole[1] or hole[2]).decode())
            end = hole.end()
        return cls((*parts, text[end:]), tuple(holes))

    def bind(self, values: Mapping[str, bytes]) -> "Template":
        """The same text with some of its holes filled."""
        parts: list[bytes] = []
        holes: list[str] = []
        run = [self.parts[0]]
        for hole, part in zip(self.holes, self.parts[1:], strict=True):
            value = values.get(hole)
            if value is None:
                parts.append(b"".join(run))
                holes.append(hole)
                run = [part]
            else:
                run += (value, part)
        return Template((*parts, b"".join(run)), tuple(holes))

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The text with every hole filled.

        Raises:
            KeyError: `values` lacks a hole.
        """
        run = [self.parts[0]]
        for hole, part in zip(self.holes, self.parts[1:], strict=True):
            run += (values[hole], part)
        return b"".join(run)

    def filler(self, order: Sequence[str]) -> Callable[[tuple[bytes, ...]], bytes]:
        """A function from one value for each name in `order` to the text; for the hot loop.

        Raises:
            ValueError: a hole is not in `order`.
        """
        text = b"%b".join(part.replace(b"%", b"%%") for part in self.parts)
        pick = itemgetter(*map(order.index, self.holes))
        return lambda values: text % pick(values)
