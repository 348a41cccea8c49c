"""When a run may move what: the windows and freezes of its plan, as pure functions of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

Span = tuple[int, int]
"""Begin and end in milliseconds UTC."""


class _Calendar(msgspec.Struct, frozen=True):
    name: str
    open: tuple[tuple[str, str], ...]


class _Workload(msgspec.Struct, frozen=True):
    calendars: tuple[int, ...] = ()


class _Header(msgspec.Struct, frozen=True):
    workloads: tuple[_Workload, ...]
    calendars: tuple[_Calendar, ...] = ()
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars of a plan.

    Attributes:
        names: of each, for example `window:nights`.
        spans: when each is open.
        of_workload: those of each workload of the plan.
        start_ms: when the first wave may begin.
    """

    names: tuple[str, ...]
    spans: tuple[tuple[Span, ...], ...]
    of_workload: tuple[tuple[int, ...], ...]
    start_ms: int

    @classmethod
    def of(cls, header: bytes) -> "Calendars":
        """Read them off a plan's header."""
        read = msgspec.json.decode(header, type=_Header)
        return cls(
            names=tuple(each.name for each in read.calendars),
            spans=tuple(
                tuple((_ms(begin), _ms(end)) for begin, end in each.open) for each in read.calendars
            ),
            of_workload=tuple(each.calendars for each in read.workloads),
            start_ms=0 if read.start is None else _ms(read.start),
        )

    def closed(self, workload: int, now_ms: int, length_ms: int = 0) -> str:
        """Name the first calendar that keeps a workload where it is now; empty when none does.

        `length_ms` is how long what begins now has to have until it closes.
        """
        for each in self.of_workload[workload]:
            spans = self.spans[each]
            if not any(begin <= now_ms < end and now_ms + length_ms <= end for begin, end in spans):
                return self.names[each]
        return ""

    def next_opening(self, workloads: Sequence[int], now_ms: int, length_ms: int) -> int | None:
        """When a wave of so many milliseconds may begin, now or later; None for never.

        Args:
            workloads: that it moves.
            now_ms: milliseconds UTC.
            length_ms: how long it is expected to take.
        """
        begin_ms = max(now_ms, self.start_ms)
        calendars = {each for index in workloads for each in self.of_workload[index]}
        while True:
            fits = [_fit(self.spans[each], begin_ms, length_ms) for each in calendars]
            if None in fits:
                return None
            latest_ms = max((ms for ms in fits if ms is not None), default=begin_ms)
            if latest_ms == begin_ms:
                return begin_ms
            begin_ms = latest_ms

    def keeping(self, workloads: Sequence[int], now_ms: int) -> tuple[str, ...]:
        """Name the calendars that are closed to a wave now."""
        names = dict.fromkeys(self.closed(index, now_ms) for index in workloads)
        return tuple(name for name in names if name)


def _fit(spans: Sequence[Span], from_ms: int, length_ms: int) -> int | None:
    """The first time from then on at which so much lies in one span."""
    begins = ((max(begin, from_ms), end) for begin, end in spans if from_ms < end)
    return min((at for at, end in begins if at + length_ms <= end), default=None)


def moment(ms: int) -> str:
    """Write milliseconds UTC as RFC 3339, in whole seconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
