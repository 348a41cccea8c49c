"""Columns as arrays say what their values say one by one."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner.verify.columns import Coded, Texts, alike, grouped, in_order, spans

NAMES = st.lists(
    st.one_of(st.from_regex(r"[a-c]{0,2}(-[0-9a-b]{0,3}){0,2}", fullmatch=True), st.text()),
    max_size=12,
)


@given(NAMES, NAMES, st.data())
def test_texts_are_those_that_were_given(
    left: list[str], right: list[str], data: st.DataObject
) -> None:
    texts = Texts.joined([Texts.of(left), Texts.of(right)])
    both = left + right
    assert list(texts) == [texts[index] for index in range(len(texts))] == both
    rows = data.draw(st.lists(st.integers(0, len(both) - 1), max_size=9)) if both else []
    taken = texts.take(np.array(rows, np.int64))
    assert list(taken) == [both[row] for row in rows]
    other = Texts.of([*reversed([both[row] for row in rows])])
    assert taken.is_same(other).tolist() == [
        mine == theirs for mine, theirs in zip(taken, other, strict=True)
    ]


@given(st.lists(st.from_regex(r"([a-z]|-){0,3}-?[0-9]{0,21}", fullmatch=True), max_size=9))
def test_a_number_at_the_end_is_the_one_after_the_last_dash(names: list[str]) -> None:
    found = [re.search(r"-([0-9]{1,18})$", name) for name in names]
    expected = [int(digits[1]) if digits else -1 for digits in found]
    assert Texts.of(names).numbers_at_end().tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=12), st.booleans())
def test_rows_are_alike_that_say_the_same(rows: list[tuple[int, int]], huge: bool) -> None:  # noqa: FBT001
    left, right = (np.array([row[side] for row in rows], np.int64) for side in (0, 1))
    sizes = (1 << 40, 1 << 40) if huge else (4, 3)
    same = np.zeros(len(rows), np.int64)
    firsts, groups = alike((left, sizes[0]), (right, sizes[1]), (same, sizes[0]))
    known = dict.fromkeys(rows)
    assert [rows[first] for first in firsts.tolist()] == list(known)
    assert [list(known)[group] for group in groups.tolist()] == rows
    order, ends = grouped(groups, len(known))
    for group, each in enumerate(known):
        own = order[ends[group] : ends[group + 1]].tolist()
        assert own == [row for row, it in enumerate(rows) if it == each]


def test_values_of_another_table_are_found_by_their_codes() -> None:
    known = {"a": 0}
    assert Coded.of(["b", None, "a", "b"]).coded_by(known).tolist() == [1, 2, 0, 1]
    assert known == {"a": 0, "b": 1, "": 2}


@given(st.lists(st.one_of(st.integers(-3, 3), st.integers(-(1 << 62), 1 << 62)), max_size=12))
def test_numbers_in_order_stay_as_they_come_where_they_are_the_same(numbers: list[int]) -> None:
    found = in_order(np.array(numbers, np.int64)).tolist()
    assert found == sorted(range(len(numbers)), key=numbers.__getitem__)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=6))
def test_spans_are_the_places_of_each_one_after_the_other(pairs: list[tuple[int, int]]) -> None:
    begins, lengths = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    expected = [begin + inside for begin, length in pairs for inside in range(length)]
    assert spans(begins, lengths).tolist() == expected
