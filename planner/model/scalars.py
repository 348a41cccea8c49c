"""The two small notations of a request: durations and shares.

A duration is `1h30m`, `10m`, `45s` or `500ms`: whole hours, minutes, seconds and milliseconds, each
at most once and in this order. A share is a count (`2`) or a percentage in text (`"10%"`).
"""

import re
from typing import Final

DURATION_PATTERN: Final = r"^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
PERCENT_PATTERN: Final = r"^(100|[1-9]?[0-9])%$"
_DURATION: Final = re.compile(
    r"(?=.)(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?", re.ASCII
)
_PERCENT: Final = re.compile(PERCENT_PATTERN, re.ASCII)
_UNITS_MS: Final = (3_600_000, 60_000, 1_000, 1)
_DIGITS_MAX: Final = 9
DURATION_MS_MAX: Final = 366 * 24 * 3_600_000


def duration_ms(text: str) -> int:
    """Return a duration in milliseconds.

    Raises:
        ValueError: not a duration, or longer than a year.
    """
    match = _DURATION.fullmatch(text)
    parts = [part or "0" for part in match.groups()] if match else []
    if not parts or max(map(len, parts)) > _DIGITS_MAX:
        raise ValueError(f"{text!r} is no duration; write it like 10m, 1h30m or 45s")
    total = sum(int(part) * unit for part, unit in zip(parts, _UNITS_MS, strict=True))
    if total > DURATION_MS_MAX:
        raise ValueError(f"{text!r} is longer than a year")
    return total


def percent(text: str) -> int:
    """Return N of `N%`, from 0 to 100.

    Raises:
        ValueError: not a percentage, with the remedy.
    """
    if _PERCENT.fullmatch(text):
        return int(text[:-1])
    if text.isascii() and text.isdigit():
        raise ValueError(f'"{text}" is text; write {text} without quotes, or a percentage like 5%')
    raise ValueError(f"{text!r} is no percentage; write a whole number from 0% to 100%")
