"""How long a run is expected to take still."""

from hypothesis import given
from hypothesis import strategies as st

from planner.apply.attended import OPEN, seen_ms
from planner.apply.course import Course
from planner.apply.events import Leased, Paused, Resumed, Started, WaveBegun, WaveEnded
from planner.apply.pace import fidelity, left_s
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


NIGHT_MS = 12 * 3_600_000
Gaps = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40) | st.just(OPEN)), max_size=5)


@given(Gaps, st.integers(0, 40), st.integers(0, 40))
def test_a_time_is_as_long_as_its_moments_that_were_seen(
    gaps: list[tuple[int, int]], begin: int, end: int
) -> None:
    gaps = [(since, until) for since, until in gaps if since <= until]
    seen = [at for at in range(begin, end) if not any(a <= at < b for a, b in gaps)]
    assert seen_ms(gaps, begin, end) == len(seen)


def test_a_night_in_which_nobody_was_there_is_no_time_of_a_wave() -> None:
    idle = fold(BEGUN, [Leased(epoch=2, holder="b", seen_ms=20_000)], NIGHT_MS)
    assert left_s(idle, COURSE, NIGHT_MS) == left_s(BEGUN, COURSE, 20_000)
    over = fold(idle, [WaveEnded(wave=1)], NIGHT_MS + 5_000)
    assert over.took == ((COURSE.id, 1, 25_000),)
    assert fidelity(over, COURSE).took_s == 25


def test_a_pause_is_no_time_of_a_wave_whoever_is_there_meanwhile() -> None:
    paused = fold(BEGUN, [Paused(by="me")], 20_000)
    assert left_s(paused, COURSE, NIGHT_MS) == left_s(BEGUN, COURSE, 20_000)
    died = Leased(epoch=2, holder="b", seen_ms=30_000)
    resumed = fold(fold(paused, [Paused(by="you"), died], 60_000), [Resumed(by="me")], NIGHT_MS)
    assert fold(resumed, [WaveEnded(wave=1)], NIGHT_MS + 5_000).took == ((COURSE.id, 1, 25_000),)


def test_a_log_that_does_not_tell_when_somebody_was_last_there_tells_when_something_came() -> None:
    taken = fold(BEGUN, [Leased(epoch=2, holder="b")], NIGHT_MS)
    assert fold(taken, [WaveEnded(wave=1)], NIGHT_MS + 5_000).took == ((COURSE.id, 1, 5_000),)


def test_it_is_told_in_steps_that_people_read() -> None:
    told = {left_s(BEGUN, COURSE, now_ms) for now_ms in range(0, 60_000, 500)}
    assert all(it % 60 == 0 for it in told)
    assert len(told) <= 2
