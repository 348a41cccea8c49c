from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benches.beside import Told, ask, missing
from benches.crossed import Shape, crossed_request
from benches.lp import Compared, Place, main, table
from benches.peers import tails
from benches.peers.middle import Middle
from benches.peers.problem import (
    Budget,
    Charge,
    Group,
    Precedence,
    Problem,
    Schedule,
    length,
)
from benches.peers.relaxation import Relaxation, Row, is_refuted
from benches.yardsticks import observe, solved
from tests.benches.test_yardsticks import SMALL, problems


def waiting(*layers: int, room: int = 1) -> Problem:
    """Layers of so many groups; wide ones have two moves each, under one budget."""
    sizes = [2 if size > 1 else 1 for size in layers for _ in range(size)]
    wide = [size > 1 for size in layers for _ in range(size)]
    begins = [sum(layers[:number]) for number in range(len(layers) + 1)]
    return Problem(
        budgets=(Budget(name="of wide layers", limit=room, down=0),),
        charges=(Charge(takes=(), releases=()), Charge(takes=(0,), releases=())),
        groups=tuple(
            Group(name=str(index), ordered=False, stages=(size,), moves=(int(takes),) * size)
            for index, (size, takes) in enumerate(zip(sizes, wide, strict=True))
        ),
        precedences=tuple(
            Precedence(before=before, after=after, count=sizes[before])
            for number in range(1, len(layers))
            for before in range(begins[number - 1], begins[number])
            for after in range(begins[number], begins[number + 1])
        ),
    )


DIAMONDS = waiting(1, 2, 1, 2, 1)


def test_a_group_that_waits_for_several_begins_when_their_budget_had_room_for_all() -> None:
    middle = Middle(DIAMONDS)
    assert [first.index(first[-1]) for first in middle.first] == [1, 3, 3, 6, 8, 8, 11]
    assert [len(due) - 1 for due in middle.due] == [11, 8, 8, 6, 3, 3, 1]
    assert middle.bound() == length(tails.solve(DIAMONDS, 1).waves) == 11


def test_what_has_to_go_between_a_head_and_a_tail_is_counted_group_by_group() -> None:
    """Two of three groups have to make their moves between what is before and what is after them.

    That the third may move in any wave makes no room there, and at either end nothing is wasted.
    """
    size_of = {"a": 1, "b": 1, "after a": 2, "after b": 2, "last of a": 1, "last of b": 1}
    takes = [name.startswith("after") for name in size_of]
    problem = Problem(
        budgets=(Budget(name="of both", limit=2, down=0),),
        charges=DIAMONDS.charges,
        groups=(
            *(
                Group(name=name, ordered=False, stages=(size,), moves=(int(of),) * size)
                for (name, size), of in zip(size_of.items(), takes, strict=True)
            ),
            Group(name="idle", ordered=False, stages=(2,), moves=(1, 1)),
        ),
        precedences=tuple(
            Precedence(before=before, after=after, count=count)
            for before, after, count in ((0, 2, 1), (1, 3, 1), (2, 4, 2), (3, 5, 2))
        ),
    )
    assert Middle(problem).bound() == length(tails.solve(problem, 1).waves) == 4
    roomy = replace(problem, budgets=(replace(problem.budgets[0], limit=4),))
    assert Middle(roomy).bound() == 3


@given(problems())
def test_nothing_is_proved_that_list_scheduling_refutes(problem: Problem) -> None:
    assert Middle(problem).bound() <= length(tails.solve(problem, 1).waves)


@given(problems(), st.integers(0, 2), st.booleans())
def test_schedules_keep_every_row_and_box(problem: Problem, more: int, windows: bool) -> None:  # noqa: FBT001
    schedule = tails.solve(problem, 1).waves
    keeps(Relaxation(problem, length(schedule) + more, windows=windows), schedule)


@pytest.mark.parametrize("windows", [False, True])
def test_budgets_with_more_down_than_may_be_wait_for_enough_to_come_back(windows: bool) -> None:  # noqa: FBT001
    a, b = SMALL.groups
    over_full = replace(SMALL.budgets[1], limit=1, down=2)
    problem = replace(
        SMALL, budgets=(SMALL.budgets[0], over_full), groups=(a, replace(b, moves=(1, 2, 2)))
    )
    posed = Relaxation(problem, 4, windows=windows)
    keeps(posed, [[1, 2, 2, 3], [4, 3, 3]])
    early = point(posed, [[1, 2, 2, 3], [3, 3, 3]])
    broken = [row.name for row in posed.rows if sum(n * early[v] for v, n in row.terms) > row.most]
    assert broken == ["of b in wave 3"]


def keeps(posed: Relaxation, schedule: Schedule) -> None:
    at = point(posed, schedule)
    outside = [v for v, low in enumerate(posed.low) if not low <= at[v] <= posed.high[v]]
    assert (outside, posed.is_void) == ([], False)
    for row in posed.rows:
        assert sum(counts * at[v] for v, counts in row.terms) <= row.most, row.name


def point(posed: Relaxation, schedule: Schedule) -> list[int]:
    """What the variables of a relaxation are in a schedule."""
    at = [0] * len(posed.low)
    done = [
        [sum(each <= wave for each in waves) for wave in range(posed.waves + 1)]
        for waves in schedule
    ]
    for index, (waves, runs) in enumerate(zip(schedule, posed._runs, strict=True)):
        parts = [posed._totals[index], *posed._steps[index]]
        for part, run in zip(parts, [range(len(waves)), *runs], strict=True):
            for wave, variable in enumerate(part):
                at[variable] = sum(waves[move] <= wave for move in run)
    for gate, needs in posed._gates:
        for wave, variable in enumerate(gate):
            at[variable] = int(wave and all(done[group][wave - 1] >= n for group, n in needs))
    return at


def test_weights_prove_only_what_their_rows_add_up_to() -> None:
    """x is 1 to 3 and y is 3: their sum is said to be 5 at least, and 2x + y to be 6 at most."""
    low, high = [1, 3], [3, 3]
    least = Row(name="at least 5", terms=[(0, -1), (1, -1)], most=-5)
    most = Row(name="2x + y at most 6", terms=[(0, 2), (1, 1)], most=6)
    assert is_refuted(low, high, [(least, 2), (most, 1)])
    assert not is_refuted(low, high, [(least, 1)])
    assert not is_refuted(low, high, [(most, 1)])
    assert not is_refuted(low, high, [(Row(name="x at most 5", terms=[(0, 1)], most=5), -1)])


@pytest.fixture(scope="module")
def solvers() -> None:
    if (why := missing()) is not None:
        pytest.skip(f"the solvers cannot be installed: {why}")


@pytest.mark.usefixtures("solvers")
@pytest.mark.parametrize(("peer", "bound"), [("middle", 11), ("lp", 10), ("shares", 10)])
def test_provers_prove_what_they_are_known_to(peer: str, bound: int) -> None:
    told = ask(peer, DIAMONDS, 60)
    assert told == replace(told, waves=11, bound=bound, why="")


@pytest.mark.parametrize("shape", Shape)
def test_small_upgrades_are_all_planned(shape: Shape) -> None:
    observed = observe(1000, 1)
    told, posed = solved(observed, crossed_request(observed.generated, shape, 1))
    names = {budget.name.split("[")[0] for budget in posed.problem.budgets}
    assert {"budget-0"} <= names
    assert posed.problem.precedences
    assert 0 < told.bound <= (told.waves or 0)


def compared(seed: int, waves: int, **peers: Told) -> Compared:
    place = Place(kind="crossed", pods=1000, seed=seed)
    return Compared(place=place, plan=Told(waves=waves, bound=10, seconds=0.5), peers=peers)


def test_the_table_says_what_is_proved_beyond_the_plans_own_bounds() -> None:
    of = [
        compared(1, 10),
        compared(2, 13, lp=Told(waves=13, bound=12, seconds=1.5), cpsat=Told(waves=12, bound=12)),
        compared(3, 11, lp=Told(why="out of memory"), cpsat=Told(waves=11)),
    ]
    assert list(table(of, ["lp", "cpsat"])) == [
        "| kind | pods | seed | waves | planner | lp | cpsat |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| crossed | 1,000 | 2 | 13 | 10 | 12 (1.5 s) | 12 (0.0 s) |",
        "| crossed | 1,000 | 3 | 11 | 10 | out of memory | <= 11 (0.0 s) |",
        "",
        "- crossed: 1 of 3 plans proved by their own bound",
        "  - lp: more of 1 of the other 2, together 2 waves; 0 plans proved",
        "  - cpsat: more of 1 of the other 2, together 2 waves; 0 plans proved",
        "  - 1 fewest waves known; 1 plans are longer, together by 1 waves",
    ]


def test_an_unknown_peer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--peers", "gurobi"]) == 2
    assert capsys.readouterr().err == "gurobi: no such peer\n"
