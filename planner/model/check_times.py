"""What a request says of time has to keep this beyond its types."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final

from planner.model.check import Problem, selector_problems
from planner.model.documents import Path
from planner.model.scalars import duration_ms
from planner.model.times import Spell, TimeRule

_FREQUENCIES: Final = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_DAYS: Final = {
    "WEEKLY": ("BYDAY",),
    "MONTHLY": ("BYDAY", "BYMONTHDAY"),
    "YEARLY": ("BYDAY", "BYMONTHDAY", "BYYEARDAY"),
}


def moment(text: str) -> datetime:
    """Read a moment.

    Raises:
        ValueError: it is none, does not say its zone, or is no whole second.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment; write it like 2026-11-10T20:00:00+08:00"
        ) from None
    if read.microsecond:
        raise ValueError(f"{text!r} has a part of a second; leave it out")
    if read.tzinfo is None:
        raise ValueError(f"{text!r} does not say its zone; write it like {text}+08:00 or {text}Z")
    return read


def moment_problems(text: str | None, path: Path) -> Iterator[Problem]:
    """Check a moment, if there is one."""
    if text is not None:
        try:
            moment(text)
        except ValueError as error:
            yield path, str(error)


def order_problems(start: str | None, deadline: str | None) -> Iterator[Problem]:
    """Check that the deadline comes after the start."""
    if start is not None and deadline is not None and moment(deadline) <= moment(start):
        yield ("deadline",), f"is not after the start {start}"


def rules_problems(rules: Sequence[TimeRule], path: Path) -> Iterator[Problem]:
    """Check windows or freezes."""
    for index, rule in enumerate(rules):
        yield from selector_problems(rule.selector, (*path, index, "selector"))
        for at, spell in enumerate(rule.during):
            yield from _spell_problems(spell, (*path, index, "during", at))


def _spell_problems(spell: Spell, path: Path) -> Iterator[Problem]:
    recurs = (spell.rrule, spell.duration, spell.time_zone)
    once = (spell.from_, spell.until)
    if None not in once and recurs == (None,) * 3 and spell.starting is None:
        found = [*moment_problems(spell.from_, (*path, "from"))]
        found += moment_problems(spell.until, (*path, "until"))
        yield from found
        if not found and moment(spell.until or "") <= moment(spell.from_ or ""):
            yield (*path, "until"), f"is not after {spell.from_}"
    elif None not in recurs and once == (None, None):
        yield from _recurrence_problems(spell, path)
    else:
        yield path, "give either from and until, or rrule, duration and timeZone"


def _recurrence_problems(spell: Spell, path: Path) -> Iterator[Problem]:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 few requests have such

    try:
        if duration_ms(spell.duration or "") == 0:
            yield (*path, "duration"), "is nothing; write at least 1s"
    except ValueError as error:
        yield (*path, "duration"), str(error)
    try:
        ZoneInfo(spell.time_zone or "")
    except (ZoneInfoNotFoundError, ValueError):
        message = f"{spell.time_zone!r} is no time zone of the IANA; write one like Asia/Shanghai"
        yield (*path, "timeZone"), message
    try:
        date.fromisoformat(spell.starting or "2026-01-01")
    except ValueError:
        yield (*path, "starting"), f"{spell.starting!r} is no day; write it like 2026-11-10"
    yield from _rrule_problems(spell.rrule or "", spell.starting, (*path, "rrule"))


def _rrule_problems(text: str, starting: str | None, path: Path) -> Iterator[Problem]:
    from dateutil.rrule import rrulestr  # noqa: PLC0415 few requests have what recurs

    parts = dict(part.partition("=")[::2] for part in text.upper().split(";"))
    frequency = parts.get("FREQ", "")
    example = "write one of RFC 5545 like FREQ=WEEKLY;BYDAY=TU,WE;BYHOUR=2"
    if "DTSTART" in text.upper():
        yield path, "takes no DTSTART; give the day as `starting`"
    elif frequency not in _FREQUENCIES:
        yield path, f"recurs {frequency or 'never'}: {', '.join(_FREQUENCIES)} are known; {example}"
    elif starting is None and not {"INTERVAL", "COUNT"}.isdisjoint(parts):
        yield path, "counts from some day; give that day as `starting`"
    elif (days := _DAYS.get(frequency)) and starting is None and parts.keys().isdisjoint(days):
        yield path, f"does not say on which day; add {' or '.join(days)}, or give `starting`"
    else:
        try:
            rrulestr(text, dtstart=datetime(2026, 1, 1))  # noqa: DTZ001 -- local to its zone
        except (ValueError, TypeError, KeyError) as error:
            yield path, f"{text!r} is no recurrence rule ({error}); {example}"
