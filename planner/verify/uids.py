"""Uids in columns: a UUID is two numbers, by which a million are compared without a value each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from planner.verify.columns import differs, firsts_of, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planner.verify.columns import Bools, Ints

Halves = NDArray[np.uint64]

_DIGITS = 32
_OTHER = (1 << 64) - 1
"""The first half of what has its place among the others as the second."""


class Uids(Sequence[str]):
    """Uids of which each is made when it is asked for."""

    __slots__ = ("halves", "others")

    def __init__(self, halves: Halves, others: Sequence[str] = ()) -> None:
        self.halves, self.others = halves, others
        """Two halves in a row; and what is no UUID, each once."""

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> Uids:
        """These uids."""
        others: dict[str, int] = {}
        halves = [_halves(text or "", others) for text in texts]
        return cls(np.array(halves, np.uint64).reshape(-1, 2), list(others))

    @classmethod
    def of_bytes(cls, keys: NDArray[Any]) -> Uids:
        """Those of which 16 bytes each are given."""
        halves = keys.view(">u8").reshape(-1, 2).astype(np.uint64)
        if (halves[:, 0] == _OTHER).any():
            return cls.of(list(cls(halves)))
        return cls(halves)

    @classmethod
    def joined(cls, parts: Iterable[Uids]) -> Uids:
        """The uids of all parts, one part after the other."""
        others: dict[str, int] = {}
        joined = [np.zeros((0, 2), np.uint64)]
        for each in parts:
            halves = each.halves
            if each.others:
                places = [others.setdefault(text, len(others)) for text in each.others]
                halves, is_other = halves.copy(), halves[:, 0] == _OTHER
                halves[is_other, 1] = np.array(places, np.uint64)[halves[is_other, 1]]
            joined.append(halves)
        return cls(np.concatenate(joined), list(others))

    def take(self, rows: Ints | slice) -> Uids:
        """Some of them."""
        return Uids(self.halves[rows], self.others)

    def firsts(self) -> Ints:
        """Of each the place of the first that is the same."""
        bits = (self.halves[:, 0] >> np.uint64(3 + len(self).bit_length())).astype(np.int64)
        order = in_order(bits)
        begins = self._begins(order)
        if (begins & ~differs(bits[order])).any():  # others begin with the same bits
            order = np.lexsort(self.halves.T[::-1])
            begins = self._begins(order)
        return firsts_of(order, begins)

    def _begins(self, order: Ints) -> Bools:
        """Of each in this order whether it is not the one before."""
        high, low = np.take(self.halves, order, axis=0).T
        return differs(high) | differs(low)

    def find(self, wanted: Uids) -> Ints:
        """Of each that is wanted the first place here; -1 where it is not."""
        places = Uids.joined((self, wanted)).firsts()[len(self) :]
        return np.where(places < len(self), places, -1)

    def __len__(self) -> int:
        return len(self.halves)

    def __iter__(self) -> Iterator[str]:
        if self.others:
            return map(self.__getitem__, range(len(self)))
        digits = self.halves.astype(">u8").tobytes().hex()
        return (_dashed(digits[at : at + _DIGITS]) for at in range(0, len(digits), _DIGITS))

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Uids: ...
    def __getitem__(self, index: int | slice) -> str | Uids:
        if isinstance(index, slice):
            return self.take(index)
        high, low = self.halves[index].tolist()
        return self.others[low] if high == _OTHER else _dashed(f"{high:016x}{low:016x}")


def _halves(text: str, others: dict[str, int]) -> tuple[int, int]:
    digits = text.replace("-", "")
    if len(digits) == _DIGITS and _dashed(digits) == text and _HEXADECIMAL.issuperset(digits):
        whole = int(digits, 16)
        if whole >> 64 != _OTHER:
            return whole >> 64, whole & _OTHER
    return _OTHER, others.setdefault(text, len(others))


_HEXADECIMAL = frozenset("0123456789abcdef")


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
