"""Waits grow, have an end, and are spread."""

from hypothesis import given
from hypothesis import strategies as st

from planner.observe.backoff import Backoff

BACKOFF = Backoff()
FAILURES = st.integers(1, 200)
RANDOM = st.floats(0, 1, exclude_max=True)


@given(FAILURES, RANDOM, st.floats(0, 1000))
def test_a_wait_is_as_long_as_the_server_asks_for(
    failures: int, random: float, at_least_s: float
) -> None:
    wait_s = BACKOFF.wait_s(failures, lambda: random, at_least_s=at_least_s)
    assert wait_s >= at_least_s
    assert wait_s <= max(at_least_s, 2 * BACKOFF.longest_s)


@given(FAILURES)
def test_waits_never_shrink_and_are_spread_up_to_twice(failures: int) -> None:
    bare = BACKOFF.wait_s(failures, lambda: 0.0)
    assert bare <= BACKOFF.wait_s(failures + 1, lambda: 0.0)
    assert BACKOFF.wait_s(failures, lambda: 0.5) == 1.5 * bare


def test_the_first_waits_are_those_of_client_go() -> None:
    waits = [BACKOFF.wait_s(failures, lambda: 0.0) for failures in range(1, 9)]
    assert waits == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
