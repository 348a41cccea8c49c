"""Tables as arrays: a column is read once as a whole, and a value is made when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_T = TypeVar("_T")
_Whole = TypeVar("_Whole", bound="Makes")

_PAIRS_AT_ONCE = 1 << 14
_KEY_BITS = 62
_KEY_MAX = 1 << _KEY_BITS


class Texts(Sequence[str]):
    """Texts that lie in one buffer, each made when it is asked for."""

    __slots__ = ("begins", "ends", "raw")

    def __init__(self, raw: bytes, begins: Ints, ends: Ints) -> None:
        self.raw, self.begins, self.ends = raw, begins, ends

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """These texts."""
        parts = [each.encode() for each in texts]
        ends = np.fromiter(accumulate(map(len, parts)), np.int64, len(parts))
        return cls(b"".join(parts), np.concatenate((_ZERO, ends[:-1]))[: len(parts)], ends)

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> Texts:
        """The texts of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        shifts = [0, *accumulate(len(each.raw) for each in parts)]
        pairs = list(zip(parts, shifts, strict=False))
        return cls(
            b"".join(each.raw for each in parts),
            np.concatenate([_NONE, *(each.begins + shift for each, shift in pairs)]),
            np.concatenate([_NONE, *(each.ends + shift for each, shift in pairs)]),
        )

    def take(self, rows: Ints) -> Texts:
        """Some of them."""
        return Texts(self.raw, self.begins[rows], self.ends[rows])

    def is_same(self, other: Texts) -> Bools:
        """Of each whether the other column says the same in its place."""
        same: Bools = (self.ends - self.begins) == (other.ends - other.begins)
        mine, theirs = (np.frombuffer(each.raw, np.uint8) for each in (self, other))
        for begin in range(0, len(same), _PAIRS_AT_ONCE):
            rows = begin + np.flatnonzero(same[begin : begin + _PAIRS_AT_ONCE])
            lengths = self.ends[rows] - self.begins[rows]
            left = mine[spans(self.begins[rows], lengths)]
            right = theirs[spans(other.begins[rows], lengths)]
            same[np.repeat(rows, lengths)[left != right]] = False
        return same

    def numbers_at_end(self) -> Ints:
        """The number after the last dash of each; -1 where none is, or of more than 18 digits."""
        found, ended = np.zeros(len(self), np.int64), np.zeros(len(self), np.bool_)
        letters = np.frombuffer(self.raw or b" ", np.uint8)
        is_open = np.ones(len(self), np.bool_)
        for digits in range(_DIGITS_MAX + 1):
            at = self.ends - 1 - digits
            is_open &= at >= self.begins
            letter = np.where(is_open, letters[np.maximum(at, 0)], 0).astype(np.int64)
            if digits:
                ended |= is_open & (letter == _DASH)
            is_open &= (letter >= _DIGIT_0) & (letter <= _DIGIT_9)
            if digits == _DIGITS_MAX or not is_open.any():
                break
            found += np.where(is_open, letter - _DIGIT_0, 0) * 10**digits
        return np.where(ended, found, -1)

    def __len__(self) -> int:
        return len(self.begins)

    def __iter__(self) -> Iterator[str]:
        first, last = int(self.begins.min(initial=len(self.raw))), int(self.ends.max(initial=0))
        raw = self.raw[first:last]
        spans = zip((self.begins - first).tolist(), (self.ends - first).tolist(), strict=True)
        if raw.isascii():  # then a place in the bytes is one in the text
            text = raw.decode()
            return iter([text[begin:end] for begin, end in spans])
        return iter([raw[begin:end].decode() for begin, end in spans])

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Texts: ...
    def __getitem__(self, index: int | slice) -> str | Texts:
        if isinstance(index, slice):
            return Texts(self.raw, self.begins[index], self.ends[index])
        return self.raw[self.begins[index] : self.ends[index]].decode()


class Makes(Protocol):
    """Whatever makes the value of a row when somebody asks for it."""

    def __getitem__(self, row: int, /) -> Any:  # noqa: ANN401 -- its own
        """Give it; the same row is the same value always."""


class Some(Sequence[_T], Generic[_T, _Whole]):
    """Some rows of a whole that makes their values, in an order of their own."""

    __slots__ = ("places", "whole")

    def __init__(self, whole: _Whole, places: Ints) -> None:
        self.whole, self.places = whole, places

    def where(self, mask: Bools | Ints) -> Self:
        """Those for which it is true; or these of them, in this order."""
        return type(self)(self.whole, self.places[mask])

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[_T]:
        return map(self.whole.__getitem__, self.places.tolist())

    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> _T | Self:
        if isinstance(index, slice):
            return type(self)(self.whole, self.places[index])
        value: _T = self.whole[int(self.places[index])]
        return value


class Coded(Sequence[_T], Generic[_T]):
    """A column of few values, of each row the place of its value among them."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: Ints, values: Sequence[_T]) -> None:
        self.codes, self.values = codes, values

    @classmethod
    def of(cls, values: Iterable[_T]) -> Coded[_T]:
        """These values, which can be looked up."""
        known: dict[_T, int] = {}
        codes = [known.setdefault(each, len(known)) for each in values]
        return cls(np.array(codes, np.int64), list(known))

    @classmethod
    def joined(cls, parts: Sequence[Coded[_T]]) -> Coded[_T]:
        """The values of all parts, one part after the other."""
        shifts = accumulate((len(each.values) for each in parts), initial=0)
        codes = [each.codes + shift for each, shift in zip(parts, shifts, strict=False)]
        return cls(np.concatenate([_NONE, *codes]), [it for each in parts for it in each.values])

    def take(self, rows: Ints) -> Coded[_T]:
        """Some of them."""
        return Coded(self.codes[rows], self.values)

    def coded_by(self, known: dict[str, int]) -> Ints:
        """Codes of another table of texts, to which those are added that it has not."""
        texts = ["" if each is None else str(each) for each in self.values]
        new = dict.fromkeys(text for text in texts if text not in known)
        known.update(zip(new, range(len(known), len(known) + len(new)), strict=True))
        return np.fromiter(map(known.__getitem__, texts), np.int64, len(texts))[self.codes]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 -- a value, or some rows
        if isinstance(index, slice):
            return Coded(self.codes[index], self.values)
        return self.values[self.codes[index]]


def in_order(numbers: Ints) -> Ints:
    """The places of numbers in their order, those that are the same as they come.

    Each is sorted together with its place: sorting numbers takes a processor a tenth of what
    sorting places by them does.
    """
    bits = len(numbers).bit_length()
    codes, count = codes_of(numbers)
    if count >> (_KEY_BITS - bits):
        return np.argsort(numbers, kind="stable")
    keys: Ints = (codes << bits) | np.arange(len(numbers))
    keys.sort()
    keys &= (1 << bits) - 1
    return keys


def firsts_of(order: Ints, begins: Bools) -> Ints:
    """Of each the first of its group: given those of a group one after the other, in their order.

    Args:
        order: their places.
        begins: of each in this order whether its group begins with it.
    """
    firsts = np.empty(len(order), np.int64)
    firsts[order] = order[begins][np.cumsum(begins) - 1]
    return firsts


def alike(*columns: tuple[Ints, int]) -> tuple[Ints, Ints]:
    """Put rows together that have the same codes in every column.

    Args:
        columns: codes, and how many there are.

    Returns:
        The first row of each group, in the order of these rows; and the group of each row.
    """
    key, size = np.zeros(len(columns[0][0]), np.int64), 1
    for codes, count in columns:
        if size * max(1, count) > _KEY_MAX:
            known, key = np.unique(key, return_inverse=True)
            size = len(known)
        key, size = key * count + codes, size * max(1, count)
    order = in_order(key)
    firsts = firsts_of(order, differs(key[order]))
    is_first = firsts == np.arange(len(firsts))
    return np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[firsts]


def differs(values: Ints) -> Bools:
    """Of each whether it is not the one before; the first is not."""
    return np.concatenate((np.ones(1, np.bool_), values[1:] != values[:-1]))[: len(values)]


def most_before(values: Ints, groups: Ints) -> Ints:
    """The most of those before each within its group, of the first 0; as `running_max`."""
    most = np.concatenate((np.zeros(1, np.int64), running_max(values, groups)))[: len(values)]
    return np.where(differs(groups), 0, most)


def running_max(values: Ints, groups: Ints) -> Ints:
    """The most up to each within its group; values are not negative, and groups ascend."""
    before = groups * (int(values.max(initial=0)) + 1)
    most: Ints = np.maximum.accumulate(values + before) - before
    return most


def spans(begins: Ints, lengths: Ints) -> Ints:
    """The places from each beginning on, as many as it is long, one span after the other."""
    firsts = np.cumsum(lengths) - lengths
    inside: Ints = np.arange(int(lengths.sum())) + np.repeat(begins - firsts, lengths)
    return inside


def codes_of(numbers: Ints) -> tuple[Ints, int]:
    """Numbers as codes, and how many."""
    least = int(numbers.min(initial=0))
    return numbers - least, int(numbers.max(initial=0)) - least + 1


def grouped(codes: Ints, count: int) -> tuple[Ints, list[int]]:
    """Rows by their code, those of one code in their order, and where each code begins and ends.

    Rows of a code less than 0 are left out.
    """
    order = in_order(codes)
    ends = np.searchsorted(codes[order], np.arange(count + 1))
    return order, ends.tolist()


def concatenated(parts: Sequence[Mapping[str, Ints]], name: str) -> Ints:
    """One column of numbers, one part after the other."""
    if len(parts) == 1:
        return parts[0][name]
    return np.concatenate([_NONE, *(each[name] for each in parts)])


_NONE, _ZERO = np.zeros(0, np.int64), np.zeros(1, np.int64)
_DASH, _DIGIT_0, _DIGIT_9 = b"-09"
_DIGITS_MAX = 18
"""A number of so many digits fits into 64 bits."""
