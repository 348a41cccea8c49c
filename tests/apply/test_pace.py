"""How long a run is expected to take still."""

from hypothesis import given
from hypothesis import strategies as st

from planner.apply.course import Course
from planner.apply.events import Started, WaveBegun, WaveEnded
from planner.apply.pace import left_s
from planner.apply.state import Run, fold
from tests.shop import shop_plan

COURSE = Course(shop_plan())
BEGUN = fold(Run(), [Started(plan=COURSE.id, by="me", policy={}), WaveBegun(wave=1, moves="0")], 0)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_less_is_left_the_longer_a_wave_takes_until_only_the_others_are(a: int, b: int) -> None:
    sooner, later = sorted((a, b))
    whole = sum(it.seconds + it.waits_s for it in COURSE.waves)
    first = COURSE.waves[0]
    left = [left_s(BEGUN, COURSE, now_ms) for now_ms in (0, sooner, later)]
    assert left == sorted(left, reverse=True)
    assert abs(left[0] - (whole - first.waits_s)) <= 30
    assert left[2] >= whole - first.waits_s - first.seconds - 30


def test_waves_that_took_twice_as_long_let_expect_twice_as_much() -> None:
    first, others = COURSE.waves[0], COURSE.waves[1:]
    run = fold(BEGUN, [WaveEnded(wave=1)], int(2000 * first.seconds))
    expected = sum(2 * it.seconds + it.waits_s for it in others)
    assert abs(left_s(run, COURSE, 0) - expected) <= 30


def test_it_is_told_in_steps_that_people_read() -> None:
    told = {left_s(BEGUN, COURSE, now_ms) for now_ms in range(0, 60_000, 500)}
    assert all(it % 60 == 0 for it in told)
    assert len(told) <= 2
