"""Sets of moves by their number in a plan, small enough to be written into the log."""

import base64
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import compress, count
from typing import Final, Self

_BITMAP: Final = "z:"
_ONES: Final = re.compile(b"1+")
_TRUTH: Final = bytes.maketrans(b"01", bytes((0, 1)))


class MoveSet:
    """An immutable set of move numbers; 0 is the first move of the plan.

    Its text is ranges (`0-38,40`), or a compressed bitmap where that is shorter, so that a wave of
    a million moves is some bytes and its pods coming back one by one stay below a bit each.
    """

    __slots__ = ("_bits", "_raw")

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._bits = _bits_of(numbers)
        self._raw: bytes | None = None

    @classmethod
    def _of(cls, bits: int) -> Self:
        made = cls()
        made._bits = bits
        return made

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote.

        Raises:
            ValueError: it is no set of moves.
        """
        if text.startswith(_BITMAP):
            raw = zlib.decompress(base64.b64decode(text.removeprefix(_BITMAP), validate=True))
            return cls._of(int.from_bytes(raw, "little"))
        bits = 0
        for part in filter(None, text.split(",")):
            begin, _, end = part.partition("-")
            first, last = int(begin), int(end or begin)
            bits |= (1 << (last + 1)) - (1 << first)
        return cls._of(bits)

    def __str__(self) -> str:
        ranges = ",".join(_range_text(begin, end) for begin, end in self.ranges())
        raw = self._bytes()
        if len(ranges) <= len(raw) // 8:
            return ranges
        bitmap = _BITMAP + base64.b64encode(zlib.compress(raw, level=9)).decode()
        return min(ranges, bitmap, key=len)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Give runs of moves as first and last number."""
        for run in _ONES.finditer(self._digits()):
            yield run.start(), run.end() - 1

    def __iter__(self) -> Iterator[int]:
        """Give the numbers, the smallest first."""
        return compress(count(), self._digits().translate(_TRUTH))

    def _digits(self) -> bytes:
        """A `0` or `1` for each move: those of a million are looked through in milliseconds."""
        return f"{self._bits:b}"[::-1].encode()

    def _bytes(self) -> bytes:
        """The bitmap, kept: to shift a number copies all of it, and a set is asked move by move."""
        if self._raw is None:
            self._raw = self._bits.to_bytes((self._bits.bit_length() + 7) // 8, "little")
        return self._raw

    def __len__(self) -> int:
        return self._bits.bit_count()

    def __bool__(self) -> bool:
        return bool(self._bits)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        raw, at = self._bytes(), number >> 3
        return 0 <= at < len(raw) and bool(raw[at] >> (number & 7) & 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MoveSet) and self._bits == other._bits

    def __hash__(self) -> int:
        return hash(self._bits)

    def __or__(self, other: "MoveSet") -> "MoveSet":
        return MoveSet._of(self._bits | other._bits)

    def __and__(self, other: "MoveSet") -> "MoveSet":
        return MoveSet._of(self._bits & other._bits)

    def __sub__(self, other: "MoveSet") -> "MoveSet":
        return MoveSet._of(self._bits & ~other._bits)

    def __repr__(self) -> str:
        return f"MoveSet.parse({str(self)!r})"


def _bits_of(numbers: Iterable[int]) -> int:
    ordered = sorted(set(numbers))
    if not ordered:
        return 0
    # One number at a time a set of a million would be written a million times.
    raw = bytearray(ordered[-1] // 8 + 1)
    for number in ordered:
        raw[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(raw, "little")


def _range_text(begin: int, end: int) -> str:
    return str(begin) if begin == end else f"{begin}-{end}"
