import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benches.beside import SOLVERS, Told, ask, judged, missing
from benches.peers import layers, tails
from benches.peers.problem import (
    Budget,
    Charge,
    Group,
    Precedence,
    Problem,
    Schedule,
    length,
    read,
    violations,
    write,
)
from benches.request import Regime
from benches.yardsticks import PLANNER, Place, Result, main, observe, planned, table

# One of two at once in group a, in order and with a canary; b waits for its first two moves. A pod
# of b is down and counts until it moves; b may have two down.
SMALL = Problem(
    budgets=(Budget(name="of a", limit=2, down=0), Budget(name="of b", limit=2, down=1)),
    charges=(
        Charge(takes=(0,), releases=()),
        Charge(takes=(1,), releases=()),
        Charge(takes=(), releases=(1,)),
    ),
    groups=(
        Group(name="a", ordered=True, stages=(1, 4), moves=(0, 0, 0, 0)),
        Group(name="b", ordered=False, stages=(3,), moves=(1, 1, 2)),
    ),
    precedences=(Precedence(before=0, after=1, count=2),),
)
HOLDS: Schedule = [[1, 2, 2, 3], [4, 4, 3]]


def test_a_schedule_that_keeps_every_rule_holds() -> None:
    assert list(violations(SMALL, HOLDS)) == []
    assert length(HOLDS) == 4


@pytest.mark.parametrize(
    ("schedule", "wrong"),
    [
        ([[1, 2, 2, 3], [4, 4]], "it does not give every move of every group one wave"),
        ([[0, 2, 2, 3], [4, 4, 3]], "a moves in wave 0, and the first is 1"),
        ([[1, 3, 2, 3], [5, 5, 4]], "a moves out of order"),
        ([[1, 1, 2, 3], [4, 4, 3]], "a begins a stage after 1 moves within wave 1"),
        ([[1, 2, 2, 3], [4, 4, 2]], "b moves in wave 2, before 2 moves of a are done"),
        ([[1, 2, 2, 2], [4, 4, 3]], "3 are down under of a in wave 2, where 2 may be"),
        ([[1, 2, 2, 3], [3, 3, 3]], "3 are down under of b in wave 3, where 2 may be"),
        ([[1, 2, 2, 3], [3, 3, 4]], "3 are down under of b in wave 3, where 2 may be"),
    ],
)
def test_each_broken_rule_is_named(schedule: Schedule, wrong: str) -> None:
    assert list(violations(SMALL, schedule)) == [wrong]


def test_more_may_be_down_than_allowed_in_waves_that_take_nothing() -> None:
    a, b = SMALL.groups
    over_full = replace(SMALL.budgets[1], limit=1, down=2)
    problem = replace(
        SMALL, budgets=(SMALL.budgets[0], over_full), groups=(a, replace(b, moves=(1, 2, 2)))
    )
    assert list(violations(problem, [[1, 2, 2, 3], [4, 3, 3]])) == []
    assert list(violations(problem, [[1, 2, 2, 3], [4, 4, 3]])) == [
        "2 are down under of b in wave 4, where 1 may be"
    ]


def test_a_problem_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(SMALL, tmp_path / "problem.json")
    assert read(tmp_path / "problem.json") == SMALL


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Small ones that can be done: every budget lets a pod move once those that are down moved."""
    count = draw(st.integers(1, 4))
    charges = [
        Charge(takes=tuple(sorted(takes)), releases=())
        for takes in draw(st.lists(st.sets(st.integers(0, count - 1), min_size=1), min_size=1))
    ]
    charges.append(Charge(takes=(), releases=(0,)))
    groups = []
    for number in range(draw(st.integers(1, 4))):
        moves = draw(st.lists(st.integers(0, len(charges) - 1), min_size=1, max_size=8))
        canary = draw(st.integers(1, len(moves)))
        stages = tuple(sorted({canary, len(moves)}))
        ordered = draw(st.booleans())
        # What makes room goes first, so that the order of a group never stands in the way.
        if ordered:
            moves.sort(key=lambda move: bool(charges[move].takes))
        groups.append(Group(name=str(number), ordered=ordered, stages=stages, moves=tuple(moves)))
    down = sum(move == len(charges) - 1 for group in groups for move in group.moves)
    limits = [draw(st.integers(1, 3)) + (down if index == 0 else 0) for index in range(count)]
    budgets = tuple(
        Budget(name=str(index), limit=limit, down=down if index == 0 else 0)
        for index, limit in enumerate(limits)
    )
    precedences = [
        Precedence(
            before=before, after=after, count=draw(st.integers(1, len(groups[before].moves)))
        )
        for before in range(len(groups))
        for after in range(before + 1, len(groups))
        if draw(st.booleans())
    ]
    return Problem(
        budgets=budgets,
        charges=tuple(charges),
        groups=tuple(groups),
        precedences=tuple(precedences),
    )


@given(problems())
def test_both_scripts_keep_every_rule_and_no_tail_is_longer_than_what_they_find(
    problem: Problem,
) -> None:
    in_tails = tails.Tails(problem)
    least = max(
        head + tail - 1
        for head, tail in zip(
            in_tails.heads(), in_tails.given([0] * len(problem.groups)), strict=True
        )
    )
    for solve in (layers.solve, tails.solve):
        waves = solve(problem, 1).waves
        assert list(violations(problem, waves)) == []
        assert least <= length(waves)


def test_list_scheduling_does_not_wait_for_what_nothing_waits_for_any_more() -> None:
    """In wave 2 two moves of a are left that nobody needs, and b has two stages before it."""
    problem = replace(
        SMALL,
        budgets=(Budget(name="of both", limit=2, down=0),),
        charges=(Charge(takes=(0,), releases=()),),
        groups=(
            Group(name="a", ordered=False, stages=(4,), moves=(0, 0, 0, 0)),
            Group(name="b", ordered=False, stages=(1, 2), moves=(0, 0)),
        ),
    )
    assert length(tails.solve(problem, 1).waves) == 3


def test_list_scheduling_does_not_wait_for_whole_layers() -> None:
    assert length(tails.solve(SMALL, 1).waves) == 4
    assert length(layers.solve(SMALL, 1).waves) == 5


SORTS = ("bench/pdb/", "bench/workload/", "bench/sidecarset/", "per-node", "per-zone", "fleet")


@pytest.fixture(scope="module", params=list(Regime))
def regime(request: pytest.FixtureRequest) -> Regime:
    return Regime(request.param)


def test_a_plan_keeps_the_problem_that_the_checker_poses_and_nothing_of_it_is_idle(
    regime: Regime,
) -> None:
    told, posed = planned(observe(1000, 1), regime)
    problem, schedule = posed.problem, posed.schedule
    assert told.waves == length(schedule)
    assert sum(len(group.moves) for group in problem.groups) == 1000
    at_once = " ".join(violations(problem, [[1] * len(waves) for waves in schedule]))
    for rule in ("begins a stage", "are done", *map("under {}".format, SORTS)):
        assert rule in at_once, rule
    backwards = [[length(schedule) + 1 - wave for wave in waves] for waves in schedule]
    assert "out of order" in " ".join(violations(problem, backwards))


def test_pods_of_a_clone_set_that_are_down_are_listed_in_its_order(regime: Regime) -> None:
    """What takes nothing comes first, and no plan goes before what list scheduling may do."""
    _, posed = planned(observe(1000, 1), regime)
    seen = 0
    for group, waves in zip(posed.problem.groups, posed.schedule, strict=True):
        down = [
            w for m, w in zip(group.moves, waves, strict=True) if not posed.problem.charges[m].takes
        ]
        if "/CloneSet/" in group.name:
            assert down == sorted(down), group.name
            assert down == list(waves[: len(down)])
            seen += len(down) > 1
    assert seen


def test_scripts_are_asked_in_a_process_of_their_own_and_judged() -> None:
    told = ask("tails", SMALL, 1)
    assert (told.waves, told.bound, told.why) == (4, 0, "")


def test_nobody_wins_by_breaking_a_rule() -> None:
    broken = {"answer": {"waves": [[1, 2, 2, 2], [4, 4, 3]], "bound": 0}, "seconds": 0.5}
    told = judged(SMALL, broken, 1)
    assert told == Told(
        seconds=0.5, why="breaks a rule: 3 are down under of a in wave 2, where 2 may be"
    )
    assert judged(SMALL, {"answer": None, "seconds": 1.5}, 1).why == "no schedule in 1 s"


@pytest.fixture(scope="module")
def solvers() -> None:
    if (why := missing()) is not None:
        pytest.skip(f"the solvers cannot be installed: {why}")


# One move of node 1 and one other in each of three waves; list scheduling takes two others in one.
CROWDED = Problem(
    budgets=(Budget(name="fleet", limit=2, down=0), Budget(name="node 1", limit=1, down=0)),
    charges=(Charge(takes=(0,), releases=()), Charge(takes=(0, 1), releases=())),
    groups=(
        Group(name="a", ordered=True, stages=(2,), moves=(1, 1)),
        Group(name="b", ordered=False, stages=(4,), moves=(0, 0, 0, 1)),
    ),
    precedences=(),
)


def test_list_scheduling_is_not_always_the_best() -> None:
    assert length(tails.solve(CROWDED, 1).waves) == 4


@pytest.mark.usefixtures("solvers")
@pytest.mark.parametrize("peer", SOLVERS)
@pytest.mark.parametrize(("problem", "waves"), [(SMALL, 4), (CROWDED, 3)])
def test_solvers_find_the_shortest_of_small_problems(
    peer: str, problem: Problem, waves: int
) -> None:
    told = ask(peer, problem, 60)
    # PyJobShop settles stages before it starts, so it proves nothing of the problem itself.
    assert told == replace(told, waves=waves, bound=waves if peer == "cpsat" else 0, why="")


def result(peer: str, waves: int | None, *, seed: int = 1, bound: int = 0, why: str = "") -> Result:
    place = Place(pods=1000, regime=Regime.NODE, seed=seed)
    return Result(place=place, peer=peer, told=Told(waves=waves, bound=bound, seconds=0.5, why=why))


def test_the_table_says_who_needed_fewer_waves_and_why_answers_are_missing() -> None:
    results = [
        result(PLANNER, 10, bound=10),
        result(PLANNER, 11, seed=2, bound=10),
        result("tails", 12),
        result("tails", 10, seed=2),
        result("cpsat", 10, seed=1, bound=10),
        result("cpsat", None, seed=2, why="out of memory"),
        result("jobshop", None, why="no schedule in 60 s"),
    ]
    assert list(table(results)) == [
        "| pods | regime | by | fleets | waves | over bound | at most | proved | fewer | seconds |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| 1,000 | node | planner | 2 | 10.5 | 1.0500 | 1.1000 | 50 % | 0 | 0.50 |",
        "| 1,000 | node | tails | 2 | 11.0 | 1.1000 | 1.2000 | 0 % | 1 | 0.50 |",
        "| 1,000 | node | cpsat | 1 of 2 | 10.0 | 1.0000 | 1.0000 | 50 % | 0 | 0.50 |",
        "| 1,000 | node | jobshop | 0 of 1 | - | - | - | - | - | - |",
        "",
        "- 1,000 pods, node, seed 2: tails needs 10, the plan 11 waves (bound 10)",
        "- 1,000 pods, node, seed 2: cpsat: out of memory",
        "- 1,000 pods, node, seed 1: jobshop: no schedule in 60 s",
    ]


def test_what_was_measured_is_kept_and_not_measured_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    keep = tmp_path / "kept.jsonl"
    command = ["--pods", "300", "--seeds", "1", "--regimes", "loose", "--peers", "layers"]
    assert main([*command, "--keep", str(keep)]) == 0
    first = capsys.readouterr()
    lines = keep.read_text().splitlines()
    assert [json.loads(line)["peer"] for line in lines] == [PLANNER, "layers"]
    assert main([*command, "--keep", str(keep)]) == 0
    again = capsys.readouterr()
    assert (again.out, again.err) == (first.out, "")
    assert keep.read_text().splitlines() == lines


def test_an_unknown_peer_is_named_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--peers", "gurobi"]) == 2
    assert capsys.readouterr().err == (
        "gurobi: no such peer; there are fast, best, layers, tails, cpsat, jobshop\n"
    )
