"""Plans without barriers on simulated clusters: judged by the checker, by when their moves went."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from io import StringIO
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, assume, given, reject, settings
from hypothesis import strategies as st
from rich.console import Console

import planner
from planner.model.request import UpgradeRequest, canonical_json
from planner.show.simulation import tell_simulation
from planner.simulate import Faults, simulate
from planner.simulate.driver import PATIENCE_MS
from planner.simulate.pace import drawn_around_expected
from planner.simulate.rates import TICK_MS
from planner.verify.observed import fold_rows
from tests import fleets
from tests.shop import SHOP, empty_log, header_of, moves_of, request, rows_of, shop_log
from tests.simulate.carried import AsPlanned, broken, carried_out
from tests.test_streaming import streamed
from tests.test_windows import TIMES

if TYPE_CHECKING:
    from planner.model.simulation import Simulation
    from planner.simulate.course import Course
    from planner.verify import Observed
    from tests.fleets import Recorded

Json = dict[str, Any]
Case = tuple[Json, list[Json], "Observed"]

NOTHING = Faults()
SLOW = drawn_around_expected(0, NOTHING)

law = partial(
    settings,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def shanghai(*, approvals: bool = False, streaming: bool = True, times: bool = False) -> Case:
    """The release in the smaller cluster alone."""
    tree = msgspec.json.decode(canonical_json(request()))
    tree["spec"]["streaming"] = streaming
    if times:
        window = {**TIMES["windows"][0], "cluster": "shanghai"}
        tree["spec"] |= {**TIMES, "windows": [window]}
        del tree["spec"]["deadline"]
    if not approvals:
        _without_approvals(tree)
    log = empty_log()
    log.import_recorded("shanghai", SHOP / "shanghai")
    plan = planner.plan(log, msgspec.convert(tree, UpgradeRequest), keep=False)
    return header_of(plan), moves_of(plan), fold_rows(rows_of(log.events))


def _without_approvals(tree: Json) -> None:
    for stage in tree["spec"].get("stages") or ():
        stage.pop("approval", None)


def simulated(case: Case, *, seed: int = 0, faults: Faults = NOTHING) -> Simulation:
    return simulate(*case, seed=seed, faults=faults)


def _check(case: Case, course: Course) -> None:
    """No rule is broken; a course is too large to be shown where one is."""
    violations = list(broken(*case, course))
    assert violations == []
    exceeded = [each.name for each in course.budgets if each.broken]
    assert exceeded == []
    twice = [slot.name for slot in course.slots if slot.disruptions > 1]
    assert twice == []


def _not_back(course: Course) -> list[str]:
    return [f"{it.slot.name}: {it.held_by}" for it in course.planned if not it.back]


@cache
def shop_simulation() -> Simulation:
    observed = fold_rows(rows_of(shop_log().events))
    plan = streamed()
    return simulate(header_of(plan), moves_of(plan), observed, seed=0, faults=NOTHING)


def test_every_pod_of_the_shop_moves_as_planned_and_no_budget_is_exceeded() -> None:
    simulation = shop_simulation()
    assert (simulation.moves, simulation.gone) == (1341, 2)
    assert simulation.as_planned == simulation.in_wave == simulation.in_kind == 1339
    assert simulation.exceeded == ()
    assert simulation.disrupted_twice == 0
    fleet = next(each for each in simulation.budgets if each.name == "fleet")
    assert (fleet.peak, fleet.limit) == (46, 46)


def test_a_simulation_of_the_shop_tells_the_times_without_barriers() -> None:
    told, simulation = header_of(streamed())["streaming"], shop_simulation()
    assert simulation.streams is True
    assert simulation.planned_s == told["seconds"]
    spans = [
        (each.planned_start_s, each.planned_s + (each.planned_start_s or 0))
        for each in simulation.per_wave
    ]
    assert spans == [pytest.approx(span) for span in told["spans"]]
    assert max(it.start_s + it.seconds for it in simulation.per_wave) == simulation.seconds


def test_without_barriers_it_ends_as_much_sooner_as_the_plan() -> None:
    simulation, with_barriers = simulated(shanghai()), simulated(shanghai(streaming=False))
    assert simulation.seconds < with_barriers.seconds
    assert 0.7 < simulation.seconds / simulation.planned_s < 1.3
    assert simulation.gates == 0


def test_all_wait_at_an_approval_until_those_before_it_are_back() -> None:
    header, moves, observed = shanghai(approvals=True)
    course = carried_out(header, moves, observed, SLOW)
    gates = [it["wave"] for it in header["per_wave"][:-1] if it["approvals"]]
    told = course.gates
    assert told == len(gates) > 0
    for gate in gates:
        before = max(it.back_ms for it in course.planned if it.move["wave"] <= gate)
        after = min(it.let_go_ms for it in course.planned if it.move["wave"] > gate)
        assert before <= after
    _check((header, moves, observed), course)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_times_are_drawn_every_rule_holds_when_moves_go(seed: int) -> None:
    header, moves, observed = shanghai()
    course = carried_out(header, moves, observed, drawn_around_expected(seed, NOTHING))
    not_back = _not_back(course)
    assert not_back == []
    _check((header, moves, observed), course)


def test_nobody_goes_when_a_window_is_closed_or_closes_too_soon() -> None:
    header, moves, observed = shanghai(times=True)
    course = carried_out(header, moves, observed, AsPlanned.of(moves, observed))
    not_back = _not_back(course)
    assert not_back == []
    _check((header, moves, observed), course)
    hours = {it.let_go_ms // 3_600_000 for it in course.planned}
    assert len(hours) > 1, "windows are an hour long"


def test_slow_starts_cost_time_and_nothing_else() -> None:
    slow = simulated(shanghai(), faults=Faults(slow=0.2))
    assert slow.faithful == 1
    assert slow.seconds > simulated(shanghai()).seconds


def test_who_never_comes_up_is_given_up_and_holds_up_what_depends_on_it() -> None:
    failing = simulated(shanghai(), faults=Faults(fail=0.2))
    assert failing.exceeded == ()
    reasons = {each.reason for each in failing.not_as_planned}
    assert "did not come back" in reasons
    assert any(reason.startswith("held: dependency") for reason in reasons)
    assert failing.seconds > PATIENCE_MS / 1000


@pytest.mark.parametrize("seed", range(4))
def test_whatever_goes_wrong_no_move_takes_a_budget_over_its_limit(seed: int) -> None:
    faults = Faults(slow=0.1, fail=0.1, node_loss=1)
    simulation = simulated(shanghai(approvals=seed % 2 == 0), seed=seed, faults=faults)
    assert simulation.exceeded == ()
    assert simulation.disrupted_twice == 0
    assert len(simulation.lost_nodes) == 1


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    first, again, other = (simulated(shanghai(), seed=seed) for seed in (5, 5, 6))
    assert msgspec.json.encode(first) == msgspec.json.encode(again)
    assert first.seconds != other.seconds


def test_what_is_told_speaks_of_times_without_barriers_and_of_approvals() -> None:
    console = Console(file=StringIO(), width=140)
    tell_simulation(shop_simulation(), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "moved when they were let go and in the way that the plan says" in text
    assert " without barriers, planned 1h 24m" in text
    assert "waited for all at 8 approvals, which the planned time does not count" in text
    assert "PLANNED END" in text
    assert "wave by wave" not in text


def streaming(fleet: Recorded, *, approvals: bool) -> Case:
    """The plan of a fleet without barriers, and maybe without approvals."""
    wanted = json.loads(fleet.request)
    wanted["spec"]["streaming"] = True
    if not approvals:
        _without_approvals(wanted)
    fleet = replace(fleet, request=json.dumps(wanted))
    log = fleet.log()
    try:
        plan = fleet.plan(log)
    except planner.InfeasibleError:
        reject()
    return header_of(plan), moves_of(plan), fold_rows(rows_of(log.events))


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=25)
@given(
    fleet=st.one_of(fleets.fleets(), fleets.paced_fleets(), fleets.pulling_fleets()),
    approvals=st.booleans(),
    seed=st.integers(0, 9),
)
def test_moves_of_every_fleet_go_when_they_may(
    fleet: Recorded, *, approvals: bool, seed: int
) -> None:
    case = streaming(fleet, approvals=approvals)
    course = carried_out(*case, drawn_around_expected(seed, NOTHING))
    # Controllers do not take every pod of a fleet in trouble, without barriers or with them.
    assume(not _not_back(course))
    _check(case, course)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=25)
@given(fleets.fleets())
def test_it_ends_about_when_planned_where_moves_take_as_long_as_planned(fleet: Recorded) -> None:
    case = header, moves, observed = streaming(fleet, approvals=False)
    course = carried_out(*case, AsPlanned.of(moves, observed))
    not_back = _not_back(course)
    assert not_back == []
    _check(case, course)
    # Who goes as soon as it may can take the place of one that should have had it a moment later.
    seconds = course.end_ms / 1000
    assert seconds <= 1.3 * header["streaming"]["seconds"]
    assert seconds <= 1.05 * header["seconds"]


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=20)
@given(fleet=fleets.troubled_fleets(), approvals=st.booleans())
def test_in_a_fleet_in_trouble_no_pod_goes_down_twice(fleet: Recorded, *, approvals: bool) -> None:
    case = streaming(fleet, approvals=approvals)
    simulation = simulated(case, faults=Faults(fail=0.05))
    assert simulation.disrupted_twice == 0
    assert simulation.exceeded == ()


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=15)
@given(fleets.paced_fleets())
def test_moves_begin_no_faster_than_their_rate(fleet: Recorded) -> None:
    case = header, _, _ = streaming(fleet, approvals=False)
    course = carried_out(*case, SLOW)
    for rate in header["rates"]:
        went = [it for it in course.planned if it.let_go]
        its = sorted(it.let_go_ms for it in went if it.move["cluster"] == rate["cluster"])
        each_ms = 1000 / rate["writes_per_second"]
        for number, begin_ms in enumerate(its):
            # What could have gone while nobody looked goes at once.
            first = its[max(0, number - 20)]
            assert (number - max(0, number - 20) - 1) * each_ms <= begin_ms - first + TICK_MS
