"""Windows and freezes are laid out in time as calendars and clocks have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from planner.plan.calendars import HORIZON, laid_out

Json = dict[str, Any]
START = datetime(2026, 10, 20, 12, tzinfo=UTC)


def lay(**spec: object) -> Json:
    request = msgspec.json.encode({"spec": {"target": {}, **spec}})
    laid: Json = msgspec.json.decode(laid_out(request, round(START.timestamp() * 1000)))
    return laid


def opened(**spec: object) -> list[tuple[datetime, datetime]]:
    (rule,) = lay(**spec)["rules"]
    return [
        (START + timedelta(milliseconds=begin), START + timedelta(milliseconds=end))
        for begin, end in rule["open"]
    ]


def test_a_start_is_a_whole_second_that_is_not_before_the_last_event() -> None:
    request = msgspec.json.encode({"spec": {"target": {}, "deadline": "2026-11-01T00:00:00Z"}})
    laid = msgspec.json.decode(laid_out(request, 1_795_000_000_001))
    assert laid["startMs"] == 1_795_000_001_000


def nightly(zone: str, hour: int = 2, hours: int = 3) -> Json:
    return {"rrule": f"FREQ=DAILY;BYHOUR={hour}", "duration": f"{hours}h", "timeZone": zone}


def test_a_request_that_says_nothing_of_time_lays_out_nothing() -> None:
    assert lay() == {}


def test_a_start_in_the_past_is_the_last_event_that_is_known() -> None:
    assert lay(start="2026-10-01T00:00:00Z")["startMs"] == START.timestamp() * 1000
    later = "2026-11-01T08:00:00+08:00"
    assert lay(start=later)["startMs"] == datetime.fromisoformat(later).timestamp() * 1000


def test_nights_begin_by_the_clock_on_the_wall_when_clocks_are_put_back() -> None:
    during = [nightly("Europe/Berlin")]
    nights = opened(windows=[{"name": "nights", "during": during}])
    # Clocks go back in the night of 25 October: 02:00 was at 00:00 UTC before and is at 01:00.
    hours = {begin.hour for begin, _ in nights[:5]}, {begin.hour for begin, _ in nights[7:12]}
    assert hours == ({0}, {1})
    assert {end - begin for begin, end in nights} == {timedelta(hours=3)}


def test_what_has_begun_before_the_start_is_open_at_the_start() -> None:
    during = [nightly("UTC", hour=10, hours=5)]
    begin, end = opened(windows=[{"name": "noon", "during": during}])[0]
    assert (begin, end) == (START, START + timedelta(hours=3))


def test_an_interval_counts_from_the_day_that_is_given() -> None:
    rule = {**nightly("UTC"), "rrule": "FREQ=DAILY;INTERVAL=3;BYHOUR=2", "starting": "2026-10-01"}
    days = [begin.day for begin, _ in opened(windows=[{"name": "third", "during": [rule]}])]
    assert days[:3] == [22, 25, 28]


def test_a_freeze_is_open_before_and_after_itself() -> None:
    during = [{"from": "2026-11-10T00:00:00+08:00", "until": "2026-11-12T00:00:00+08:00"}]
    before, after = opened(freezes=[{"name": "double-11", "during": during}])
    assert before == (START, datetime(2026, 11, 9, 16, tzinfo=UTC))
    assert after == (datetime(2026, 11, 11, 16, tzinfo=UTC), START + HORIZON)


spells = st.builds(
    lambda day, hours, zone: {
        **nightly(zone, hours=hours),
        "rrule": f"FREQ=WEEKLY;BYDAY={day};BYHOUR=22",
    },
    st.sampled_from(["MO", "TU", "WE", "SA"]),
    st.integers(1, 40),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)


@given(st.lists(spells, min_size=1, max_size=3), st.integers(0, 24 * 21))
def test_an_hour_is_open_exactly_when_one_of_the_spells_has_it(
    during: list[Json], hours: int
) -> None:
    moment = START + timedelta(hours=hours, minutes=30)
    spans = opened(windows=[{"name": "any", "during": during}])
    frozen = opened(freezes=[{"name": "any", "during": during}])
    expected = any(_has(spell, moment) for spell in during)
    assert any(begin <= moment < end for begin, end in spans) == expected
    assert any(begin <= moment < end for begin, end in frozen) != expected
    assert all(one[1] < other[0] for one, other in pairwise(spans))


def _has(spell: Json, moment: datetime) -> bool:
    """Look at the wall of the zone for each of the last days whether it began there."""
    days = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    zone = ZoneInfo(spell["timeZone"])
    length = timedelta(hours=int(spell["duration"].removesuffix("h")))
    for back in range(4):
        day = moment.astimezone(zone).date() - timedelta(days=back)
        if f"BYDAY={days[day.weekday()]};" in spell["rrule"]:
            begin = datetime(day.year, day.month, day.day, 22, tzinfo=zone).astimezone(UTC)
            if begin <= moment < begin + length:
                return True
    return False
