"""A wave begins only when everything that it moves may move for as long as it takes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from planner.apply.calendars import Calendars, moment

spans = st.lists(st.integers(0, 50), max_size=8, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)


def test_they_are_read_off_the_header() -> None:
    header = {
        "start": "2026-11-23T12:00:00Z",
        "calendars": [{"name": "window:nights", "open": [[moment(1000), moment(9000)]]}],
        "workloads": [{"calendars": [0]}, {}],
    }
    read = Calendars.of(json.dumps(header).encode())
    assert read.start_ms == 1_795_435_200_000
    assert read.closed(0, 500) == "window:nights"
    assert (read.closed(0, 1000), read.closed(1, 500)) == ("", "")
    assert read.keeping([0, 1], 500) == ("window:nights",)
    assert Calendars.of(b'{"workloads": [{}]}').next_opening([0], 7, 10) == 7


@given(st.lists(spans, min_size=1, max_size=3), st.integers(0, 40), st.integers(0, 12))
def test_the_next_opening_is_the_first_time_that_fits_all(
    each: list[tuple[tuple[int, int], ...]], now: int, length: int
) -> None:
    names = tuple(str(index) for index in range(len(each)))
    calendars = Calendars(names, tuple(each), (tuple(range(len(each))),), start_ms=5)

    def fits(at: int) -> bool:
        return all(
            any(begin <= at < end and at + length <= end for begin, end in of) for of in each
        )

    expected = next((at for at in range(max(now, 5), 60) if fits(at)), None)
    assert calendars.next_opening([0], now, length) == expected
