"""Windows and freezes of a request, laid out in time for the scheduler."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from planner.model.scalars import duration_ms
from planner.model.times import Spell, TimeRule

HORIZON = timedelta(days=400)
"""How far ahead is looked. What lies behind counts as closed."""

_MS = timedelta(milliseconds=1)
Span = tuple[datetime, datetime]


class _Spec(msgspec.Struct, frozen=True):
    start: str | None = None
    deadline: str | None = None
    windows: tuple[TimeRule, ...] = ()
    freezes: tuple[TimeRule, ...] = ()


class _Request(msgspec.Struct, frozen=True):
    spec: _Spec


def laid_out(request: bytes, now_ms: int) -> bytes:
    """Lay out what a request says of time.

    Args:
        request: canonical JSON.
        now_ms: when it starts unless it says a later time, milliseconds UTC.

    Returns:
        JSON for `core.plan`: `startMs` and `deadlineMs` (UTC), and rules that are open from one
        millisecond to another, counted from the start; `{}` when nothing is said of time.
    """
    spec = msgspec.json.decode(request, type=_Request).spec
    if spec == _Spec():
        return b"{}"
    # A whole second, for people read and write no less.
    start = datetime.fromtimestamp(-(-now_ms // 1000), UTC)
    if spec.start is not None:
        start = max(start, _utc(spec.start))
    end = start + HORIZON
    windows = [
        (f"window:{rule.name}", rule, _merged(rule.during, start, end)) for rule in spec.windows
    ]
    freezes = [
        (f"freeze:{rule.name}", rule, _between(_merged(rule.during, start, end), start, end))
        for rule in spec.freezes
    ]
    rules = [
        {
            "name": name,
            "cluster": rule.cluster,
            "namespace": rule.namespace,
            "workload": rule.workload,
            "selector": rule.selector,
            "open": [((begin - start) // _MS, (close - start) // _MS) for begin, close in spans],
        }
        for name, rule, spans in (*windows, *freezes)
    ]
    deadline = None if spec.deadline is None else (_utc(spec.deadline) - _EPOCH) // _MS
    return msgspec.json.encode(
        {"startMs": (start - _EPOCH) // _MS, "deadlineMs": deadline, "rules": rules}
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _merged(during: Iterable[Spell], start: datetime, end: datetime) -> list[Span]:
    """Give what lies in any of these between start and end, apart and in order."""
    spans = sorted(span for spell in during for span in _spans(spell, start, end))
    merged: list[Span] = []
    for begin, close in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], close))
        else:
            merged.append((begin, close))
    cut = ((max(begin, start), min(close, end)) for begin, close in merged)
    return [(begin, close) for begin, close in cut if begin < close]


def _spans(spell: Spell, start: datetime, end: datetime) -> Iterator[Span]:
    if spell.rrule is None or spell.duration is None or spell.time_zone is None:
        yield _utc(spell.from_), _utc(spell.until)
        return
    from zoneinfo import ZoneInfo  # noqa: PLC0415 few requests have what recurs

    from dateutil.rrule import rrulestr  # noqa: PLC0415

    length = timedelta(milliseconds=duration_ms(spell.duration))
    zone = ZoneInfo(spell.time_zone)
    first = (start - length).astimezone(zone)
    day = date.fromisoformat(spell.starting) if spell.starting else first.date()
    # The rule counts by the clocks of its zone, so it is asked without one.
    begins = rrulestr(spell.rrule, dtstart=datetime.combine(day, time()), ignoretz=True)
    until = end.astimezone(zone).replace(tzinfo=None)
    for local in begins.xafter(datetime.combine(first.date(), time()), inc=True):
        if local > until:
            return
        begin = local.replace(tzinfo=zone).astimezone(UTC)
        yield begin, begin + length


def _utc(moment: str | None) -> datetime:
    if moment is None:
        raise AssertionError("a spell that does not recur has both ends")
    return datetime.fromisoformat(moment).astimezone(UTC)


def _between(spans: Iterable[Span], start: datetime, end: datetime) -> list[Span]:
    """Give what lies between these."""
    free: list[Span] = []
    for begin, close in spans:
        if start < begin:
            free.append((start, begin))
        start = close
    if start < end:
        free.append((start, end))
    return free
