"""Integers, percentages and durations as Kubernetes writes them."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}


def ceil_of(value: int | str, total: int) -> int:
    """An integer as it is; a percentage of `total` rounded up.

    A text without `%` is read as a percentage too: OpenKruise still resolves with the older
    function of apimachinery that does so (GetValueFromIntOrPercent), and everybody else
    refuses such a text before we can see it.
    """
    if isinstance(value, int):
        return value
    share = _share(value, total)
    return -(-share.numerator // share.denominator)


def floor_of(value: int | str, total: int) -> int:
    """An integer as it is; a percentage of `total` rounded down."""
    if isinstance(value, int):
        return value
    share = _share(value, total)
    return share.numerator // share.denominator


@lru_cache(maxsize=1 << 10, typed=True)
def seconds_of(duration: float | str) -> Fraction:
    """The seconds in a duration such as `10m` or `1h30m`; a bare number is seconds.

    Raises:
        ValueError: it is not a duration.
    """
    if isinstance(duration, (int, float)):
        return Fraction(duration)
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is not a duration; write it like 10m or 1h30m")
    return sum((Fraction(number) * _SECONDS[unit] for number, unit in parts), Fraction(0))


def plain_number(number: Fraction) -> int | Fraction:
    """The same number, as an integer if it is one: comparing those costs little."""
    return number.numerator if number.denominator == 1 else number


@lru_cache(maxsize=1 << 16)
def _share(text: str, total: int) -> Fraction:
    return _percentage(text) * total / 100


def _percentage(text: str) -> Fraction:
    try:
        return Fraction(text.removesuffix("%"))
    except ValueError:
        raise ValueError(
            f"{text!r} is neither an integer nor a percentage; write it like 3 or 10%"
        ) from None
