"""Sets of moves are small in the log and come back as they were."""

from hypothesis import given
from hypothesis import strategies as st

from planner.apply.moveset import MoveSet

NUMBERS = st.sets(st.integers(min_value=0, max_value=3000), max_size=400)


@given(NUMBERS)
def test_a_set_comes_back_as_it_was_written(numbers: set[int]) -> None:
    written = str(MoveSet(numbers))
    read = MoveSet.parse(written)
    assert read == MoveSet(numbers)
    assert list(read) == sorted(numbers)
    assert len(read) == len(numbers)


@given(NUMBERS, NUMBERS)
def test_sets_add_and_subtract_as_sets_do(one: set[int], other: set[int]) -> None:
    a, b = MoveSet(one), MoveSet(other)
    assert set(a | b) == one | other
    assert set(a & b) == one & other
    assert set(a - b) == one - other
    assert all((number in a) == (number in one) for number in range(3001))


def test_a_wave_is_a_range() -> None:
    assert str(MoveSet(range(1_000_000))) == "0-999999"
    assert str(MoveSet([3, 1, 2, 7])) == "1-3,7"
    assert str(MoveSet()) == ""


def test_pods_that_come_back_in_any_order_take_a_bit_each() -> None:
    scattered = MoveSet(number for number in range(1_000_000) if hash((number, 1)) % 2)
    assert len(str(scattered)) < 1_000_000 // 8 * 3 // 2
    assert MoveSet.parse(str(scattered)) == scattered
