"""What failure budgets stop, and what they let go where pods have failed."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from planner.apply.checkpoint import PodStanding
from planner.apply.course import Place, place_of
from planner.apply.events import AnyEvent, Back, Failed, LetGo, Started, WaveBegun
from planner.apply.failures import in_waves, too_many_failed, without_too_many
from planner.apply.moveset import MoveSet
from planner.apply.policy import Allowance, Policy
from planner.apply.state import Run, fold
from planner.apply.steps import Going
from planner.apply.wave import Due
from planner.model.plan import Move, Workload

CART, ORDER = (Place("hz", "trade", "CloneSet", name) for name in ("cart", "order"))
POD = PodStanding(
    state="here", old=True, serves=True, namespace="trade", name="x", revision="1", node="n",
    version="1",
)  # fmt: skip


def move(name: str) -> Move:
    return Move(
        wave=1, stage=None, cluster="hz", namespace="trade", pod="x", uid="x", node="n",
        workload=Workload(kind="CloneSet", name=name), kind="recreate", containers={}, because=(),
    )  # fmt: skip


def under_way(*names: str, let_go: int, back: int = 0, failed: int = 0) -> tuple[list[Due], Run]:
    """A wave of one move of each of these workloads: the first ones are back, the next failed."""
    due = [Due(number, move(name), "x") for number, name in enumerate(names)]
    events: list[AnyEvent] = [
        Started(plan="p", by="me", policy={}),
        WaveBegun(wave=1, moves=str(MoveSet(range(len(due))))),
        LetGo(wave=1, moves=str(MoveSet(range(let_go)))),
        Back(wave=1, moves=str(MoveSet(range(back)))),
        Failed(wave=1, moves=str(MoveSet(range(back, back + failed))), why=""),
    ]
    return due, fold(Run(), events, 0)


def allowing(run: int, *, wave: int = 99, workload: int = 99) -> Policy:
    return Policy(
        failures_run=Allowance(run),
        failures_wave=Allowance(wave),
        failures_workload=Allowance(workload),
    )


def goes(due: list[Due], run: Run, policy: Policy) -> list[int]:
    waiting = [each for each in due if each.number not in run.wave.let_go]
    going = [Going(number=it.number, move=it.move, uid=it.uid, pod=POD) for it in waiting]
    lost = Counter(place_of(each.move) for each in due if each.number in run.wave.failed)
    moves = Counter(place_of(each.move) for each in due)
    kept = without_too_many(going, due, run, policy, moves=moves, failed=lost)
    return [each.number for each in kept]


def test_where_nothing_has_failed_all_go() -> None:
    due, run = under_way(*["cart"] * 6, let_go=3, back=1)
    assert goes(due, run, allowing(0)) == [3, 4, 5]


def test_where_pods_have_failed_no_more_go_than_may_fail_still() -> None:
    due, run = under_way(*["cart"] * 9, let_go=3, back=1, failed=1)
    assert goes(due, run, allowing(5)) == [3, 4, 5], "one has failed, and one is under way"
    assert goes(due, run, allowing(5, wave=3)) == [3]
    assert goes(due, run, allowing(5, workload=2)) == []


def test_what_others_have_failed_at_holds_up_nobody_else() -> None:
    due, run = under_way("cart", "order", "order", "cart", "order", let_go=1, failed=1)
    assert goes(due, run, allowing(1)) == [1, 2, 4]


@given(
    st.lists(st.sampled_from(["cart", "order"]), min_size=1, max_size=12),
    st.data(),
    st.integers(0, 9), st.integers(0, 9), st.integers(0, 9),
)  # fmt: skip
def test_when_all_that_go_fail_no_budget_is_exceeded_by_what_went_after_the_first(
    names: list[str], data: st.DataObject, in_run: int, in_wave: int, of_workload: int
) -> None:
    let_go = data.draw(st.integers(1, len(names)))
    due, run = under_way(*names, let_go=let_go, failed=let_go)
    policy = allowing(in_run, wave=in_wave, workload=of_workload)
    failing = {names[number] for number in range(let_go)}
    went = [each for each in goes(due, run, policy) if names[each] in failing]
    if went:
        all_failed = Counter(names[number] for number in (*range(let_go), *went))
        assert let_go + len(went) <= min(in_run, in_wave)
        assert all(all_failed[name] <= of_workload for name in {names[it] for it in went})


def test_a_failure_budget_of_the_run_the_wave_or_the_workload_stops_it() -> None:
    due, run = under_way(*["cart"] * 10, let_go=2, failed=2)
    waves, two, one = in_waves(due, run.wave), Allowance(2), Allowance(1)

    def why(run_may: Allowance, wave_may: Allowance, workload_may: Allowance) -> str:
        policy = Policy(
            failures_run=run_may, failures_wave=wave_may, failures_workload=workload_may
        )
        moves = {CART: 90, ORDER: 10}
        return too_many_failed(run, policy, waves=waves, moves=moves, failed={CART: 2})

    assert why(two, two, two) == ""
    assert "in this run" in why(one, two, two)
    assert "in wave 1" in why(two, one, two)
    assert str(CART) in why(two, two, one)
    assert why(Allowance(2, percent=True), Allowance(20, percent=True), two) == ""
