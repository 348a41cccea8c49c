"""From when on, and for how long, an executor waits for pods that do not come back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.apply.course import Place
from planner.apply.events import (
    AnyEvent,
    Back,
    Leased,
    LetGo,
    Paused,
    Resumed,
    RetryAsked,
    Started,
    WaveBegun,
    Written,
)
from planner.apply.patience import LOOK_MS, Ages, Waited, waits_from
from planner.apply.policy import Policy
from planner.apply.state import Run, fold

LATER_MS = 3_600_000
POLICY = Policy(patience_s=60)


def moving() -> Run:
    begun = WaveBegun(wave=1, moves="0-4", base=((0, 5, 0, 0, 0),))
    started = Started(plan="p", by="me", policy={})
    return fold(Run(), [started, begun, LetGo(wave=1, moves="0-4")], 0)


@pytest.mark.parametrize(
    ("event", "begins_anew"),
    [
        (Back(wave=1, moves="0"), True),
        (Leased(epoch=2, holder="b"), True),
        # The one that was away: `Waited` has not counted that time.
        (Leased(epoch=0, holder="a", seen_ms=1), False),
        (Resumed(by="me"), True),
        (RetryAsked(by="me"), True),
        (Written(wave=1, writes=5), True),
        (Written(wave=1, writes=5, refused="0-3"), True),
        (Written(wave=1, writes=5, refused="0-4"), False),
        (Paused(by="me"), False),
    ],
)
def test_patience_begins_anew_when_something_was_done(event: AnyEvent, begins_anew: bool) -> None:  # noqa: FBT001
    run = fold(moving(), [event], LATER_MS)
    assert waits_from(run) == (LATER_MS if begins_anew else 0)


def over(looks: list[int], expected_s: float = 0) -> bool:
    waited = Waited()
    for now_ms in looks:
        waited = waited.look(0, now_ms)
    return waited.is_over(POLICY, expected_s)


def test_it_ends_when_nothing_came_back_for_long_enough() -> None:
    assert not over(list(range(0, 60_000, 500)))
    assert over(list(range(0, 60_001, 500)))


def test_it_is_longer_than_the_plan_expects_a_wave_to_take() -> None:
    minutes = 15 * 60
    assert not over(list(range(0, (60 + minutes) * 1000, 500)), expected_s=minutes)
    assert over(list(range(0, (60 + minutes) * 1000 + 1, 500)), expected_s=minutes)


@given(st.lists(st.integers(-LATER_MS, LATER_MS), max_size=50), st.integers(0, 10**13))
def test_a_clock_that_jumps_lets_no_more_than_a_look_go_by(steps: list[int], begin_ms: int) -> None:
    times = [begin_ms]
    for step in steps:
        times.append(times[-1] + step)
    waited = Waited().look(begin_ms, begin_ms)
    for now_ms in times[1:]:
        waited = waited.look(begin_ms, now_ms)
    seen = [min(max(0, after - before), LOOK_MS) for before, after in pairwise(times)]
    assert waited.waited_ms == sum(seen)
    assert Waited().look(begin_ms, begin_ms + LATER_MS).waited_ms == LOOK_MS
    assert waited.look(begin_ms + 1, begin_ms + 1).waited_ms == 0


CART, ORDER = (Place("hz", "trade", "CloneSet", name) for name in ("cart", "order"))


def looks(ages: Ages, seconds: range, *going: int, back: tuple[int, ...] = ()) -> Ages:
    """Look every ten seconds at moves under way, of which 9 is of another workload."""
    under_way = {number: ORDER if number == 9 else CART for number in going}
    for second in seconds:
        ages = ages.look(1, 1_000_000 + second * 1000, under_way, back)
    return ages


def is_over(ages: Ages, number: int) -> bool:
    return ages.is_over(number, POLICY, expected_s=30)


def test_each_move_of_a_leg_is_waited_for_by_itself() -> None:
    ages = looks(looks(Ages(), range(0, 60, 10), 1), range(60, 100, 10), 1, 2)
    assert (is_over(ages, 1), is_over(ages, 2)) == (True, False)
    ages = looks(looks(Ages(), range(0, 60, 10), 1), range(60, 90, 10), 1, 2)
    assert not is_over(ages, 1)


def test_patience_with_a_move_begins_anew_when_one_that_went_before_it_is_back() -> None:
    """What was let go together may be taken one by one."""
    before = looks(Ages(), range(0, 60, 10), 1, 2, 9)
    ages = looks(before, range(60, 100, 10), 2, 9, back=(1,))
    assert (is_over(ages, 2), is_over(ages, 9)) == (False, True), "9 is of another workload"
    assert is_over(looks(before, range(60, 100, 10), 2, 9), 2), "1 has failed"
    later = looks(before, range(60, 80, 10), 1, 2, 3, 9)
    ages = looks(later, range(80, 100, 10), 1, 2, 9, back=(3,))
    assert is_over(ages, 2), "3 went after it"


def test_patience_with_all_begins_anew_when_somebody_takes_over_and_counts_what_was_seen() -> None:
    ages = looks(Ages(), range(0, 200, 10), 1)
    assert is_over(ages, 1)
    assert not is_over(ages.look(2, 1_200_000, {1: CART}, ()), 1)
    asleep = Ages().look(1, 1_000_000, {1: CART}, ()).look(1, 1_000_000 + LATER_MS, {1: CART}, ())
    assert not is_over(asleep, 1), "nobody has seen more than a look"
