"""When a wave is through, which pods its moves take, and what counts as drift."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from planner.apply.checkpoint import Checkpoint, PodStanding, PodState, Standing
from planner.apply.course import Place
from planner.apply.drift import drift
from planner.apply.events import (
    AnyEvent,
    Back,
    Dropped,
    LetGo,
    Relapsed,
    WaveBegun,
    WaveEnded,
)
from planner.apply.moveset import MoveSet
from planner.apply.reached import how_far, relapsed
from planner.apply.state import Run, fold
from planner.apply.wave import (
    bind,
    bound_moves,
    by_others,
    rebased,
    split,
)
from planner.model.plan import Move, Workload

CART = Place("hz", "trade", "CloneSet", "cart")


def move(uid: str, kind: Any = "recreate") -> Move:  # noqa: ANN401 one of the kinds
    return Move(
        wave=1, stage=None, cluster="hz", namespace="trade", pod=f"cart-{uid}", uid=uid, node="n",
        workload=Workload(kind="CloneSet", name="cart"), kind=kind,
        containers={"main": "cart:2"}, because=(),
    )  # fmt: skip


def standing(*, movable: int, unsettled: int = 0, pods: int = 10, at_target: int = 0) -> Standing:
    return Standing(
        place=CART, unordered=False, replicas=10, pods=pods, behind=movable, movable=movable,
        old=movable, at_target=at_target, unsettled=unsettled, examples=("cart-x",),
    )  # fmt: skip


def pod(state: PodState) -> PodStanding:
    return PodStanding(
        state=state,
        old=True,
        serves=True,
        namespace="trade",
        name="cart-x",
        revision="cart-1",
        node="n",
        version="7",
    )


def answer(stand: Standing, *states: PodState) -> Checkpoint:
    let_go = tuple(pod(state) for state in states)
    return Checkpoint(position=1, workloads=(stand,), tightest=None, let_go=let_go, due=())


def moving(count: int, *, base: tuple[int, int, int, int, int]) -> Run:
    begun = WaveBegun(wave=1, moves=f"0-{count - 1}", base=(base,))
    return fold(Run(plan="p"), [begun, LetGo(wave=1, moves=f"0-{count - 1}")], 0)


def found(run: Run, moves: list[Move], checkpoint: Checkpoint) -> Any:  # noqa: ANN401 Reached
    due = bound_moves(enumerate(moves), run.wave)
    return how_far(due, run.wave, {CART: 0}, checkpoint)


BASE = (0, 10, 0, 0, 0)
TAKEN: tuple[PodState, ...] = ("gone", "here", "leaving")


def test_a_workload_is_through_when_all_that_is_new_serves() -> None:
    run, moves = moving(2, base=BASE), [move("a"), move("b")]
    going = found(run, moves, answer(standing(movable=8), "gone", "gone"))
    assert (going.back, going.strays) == (MoveSet([0, 1]), MoveSet())


def test_it_is_not_while_pods_change_are_missing_or_do_not_serve() -> None:
    run, moves = moving(2, base=BASE), [move("a"), move("b")]
    for stand, why in [
        (standing(movable=9), "1 pod to change still"),
        (standing(movable=8, pods=9), "1 pod missing"),
        (standing(movable=8, unsettled=1), "1 pod not back, such as cart-x"),
    ]:
        going = found(run, moves, answer(stand, "gone", "gone"))
        assert len(going.back) == 1
        assert list(going.waiting.values()) == [why]


def test_what_did_not_serve_before_the_wave_is_not_waited_for() -> None:
    run = moving(1, base=(0, 10, 2, 1, 0))
    stand = standing(movable=9, unsettled=2, pods=9)
    assert found(run, [move("a")], answer(stand, "gone")).back == MoveSet([0])


def test_a_pod_that_stays_is_back_before_its_workload_is_through() -> None:
    run, moves = moving(2, base=BASE), [move("a", "in-place"), move("b", "in-place")]
    going = found(run, moves, answer(standing(movable=9), "done", "here"))
    assert (going.back, list(going.waiting)) == (MoveSet([0]), [1])


@given(
    st.lists(st.sampled_from(TAKEN), min_size=1, max_size=20),
    st.integers(0, 25), st.integers(0, 5), st.integers(0, 25),
)  # fmt: skip
def test_no_more_moves_are_back_than_pods_are_and_no_more_fail_than_are_not(
    states: list[PodState], old: int, missing: int, slow: int
) -> None:
    count = len(states)
    run = moving(count, base=(0, 30, 0, 0, 0))
    stand = standing(movable=30 - count + old, unsettled=slow, pods=10 - missing)
    moves = [move(str(number)) for number in range(count)]
    going = found(run, moves, answer(stand, *states))
    short = old + missing + slow
    if not short:
        assert len(going.back) == count
    else:
        assert len(going.back) == min(states.count("gone"), max(0, count - short))
        assert all(states[number] == "gone" for number in going.back)
    assert going.back | MoveSet(going.waiting) == MoveSet(range(count))


@given(*[st.integers(0, 10)] * 6)
def test_a_wave_does_not_wait_for_pods_that_come_beside_it(
    served: int, slow: int, stays: int, came_old: int, came_new: int, came_slow: int
) -> None:
    """Somebody scales up: pods come at either version, and some of the new ones do not serve."""
    gone = served + slow
    stand = standing(
        movable=30 - gone + came_old,
        at_target=gone + came_new + came_slow,
        unsettled=slow + came_slow,
    )
    moves = [move(str(number)) for number in range(gone + stays)]
    states: list[PodState] = ["gone" for _ in range(gone)]
    states += ["here" for _ in range(stays)]
    run = moving(len(moves), base=(0, 30, 0, 0, 0))
    going = found(run, moves, answer(stand, *states))
    assert len(going.back) == min(gone, served + came_new), "as many as new ones serve"
    assert all(states[number] == "gone" for number in going.back)
    if going.waiting:
        (why,) = set(going.waiting.values())
        assert why.endswith("to change still" if stays else "not back, such as cart-x")


def test_a_deployment_with_its_new_pods_takes_none_that_was_let_go() -> None:
    """It was scaled up from 10 to 14, and two of the pods that came went for those let go."""
    web = Place("hz", "trade", "Deployment", "web")
    run = moving(2, base=BASE)
    run = fold(run, [LetGo(wave=1, moves="0-1", levers=((0, "go", 2, 0),))], 0)
    its = Workload(kind="Deployment", name="web")
    due = bound_moves(enumerate([replace(move(uid), workload=its) for uid in "ab"]), run.wave)
    for new, back in ((1, MoveSet()), (2, MoveSet([0, 1]))):
        stand = replace(standing(movable=14 - new, at_target=new), place=web)
        going = how_far(due, run.wave, {web: 0}, answer(stand, "here", "here"))
        assert going.back == going.strays == back


def test_a_deployment_that_is_scaled_down_meanwhile_has_still_to_take_what_was_let_go() -> None:
    """Of 10 pods 2 were new, and 3 old and a new one went when it was scaled to 6."""
    web = Place("hz", "trade", "Deployment", "web")
    run = moving(1, base=(0, 8, 0, 0, 2))
    run = fold(run, [LetGo(wave=1, moves="0", levers=((0, "go", 3, 0),))], 0)
    due = bound_moves([(0, replace(move("a"), workload=Workload(kind="Deployment", name="web")))],
                      run.wave)  # fmt: skip
    stand = replace(standing(movable=5, at_target=1, pods=6), place=web, replicas=6)
    going = how_far(due, run.wave, {web: 0}, answer(stand, "here"))
    assert (going.back, list(going.waiting.values())) == (MoveSet(), ["1 pod to change still"])


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5), st.integers(1, 3))
def test_moves_count_from_what_others_left_of_a_workload(
    movable: int, at_target: int, before: int, count: int
) -> None:
    """Whatever others removed, moves are waited for until as many pods have changed."""
    total = before + count
    begun = WaveBegun(wave=1, moves=f"0-{total - 1}", base=((0, 30, 0, 0, 0),))
    first = MoveSet(range(before))
    run = fold(
        Run(plan="p"), [begun, LetGo(wave=1, moves=str(first)), Back(wave=1, moves=str(first))], 0
    )
    due = bound_moves(enumerate(map(move, map(str, range(total)))), run.wave)
    stand = standing(movable=movable + count, at_target=at_target)
    base = rebased(due, run.wave, {CART: 0}, answer(stand))
    run = fold(run, [LetGo(wave=1, moves=str(MoveSet(range(before, total))), base=base)], 0)
    for changed in range(count + 1):
        states: list[PodState] = ["gone"] * (before + changed)
        states += ["here"] * (count - changed)
        now = standing(movable=movable + count - changed, at_target=at_target + changed)
        reached = how_far(due, run.wave, {CART: 0}, answer(now, *states))
        assert len(reached.back) == changed
    assert rebased(due, run.wave, {CART: 0}, answer(stand)) == (), "what is under way may be it"


def test_nothing_counts_anew_where_moves_alone_changed_pods() -> None:
    run = moving(2, base=BASE)
    run = fold(run, [Back(wave=1, moves="0-1")], 0)
    due = bound_moves(enumerate([move("a"), move("b"), move("c")]), run.wave)
    assert rebased(due, run.wave, {CART: 0}, answer(standing(movable=8, at_target=2))) == ()


def test_a_pod_for_which_another_one_went_is_not_let_go_any_more() -> None:
    """Nobody takes it, so it takes no room: the rest of its wave would wait for it for ever."""
    run, moves = moving(1, base=BASE), [move("a")]
    for old, kept in ((9, MoveSet([0])), (10, MoveSet())):
        levers = ((0, "go", 9, 0),)
        its = fold(run, [LetGo(wave=1, moves="0", levers=levers)], 0)
        stand = replace(standing(movable=9, at_target=1), old=old)
        going = found(its, moves, answer(stand, "here"))
        assert going.kept == kept
        its = fold(its, [Back(wave=1, moves="0", strays="0", kept=str(going.kept))], 0)
        assert its.wave.let_go == MoveSet([0]) - kept
        assert its.moved == 1


def test_one_new_pod_that_never_serves_is_one_failure() -> None:
    run, moves = moving(20, base=(0, 20, 0, 0, 0)), [move(str(number)) for number in range(20)]
    stand = standing(movable=0, unsettled=1, at_target=20)
    going = found(run, moves, answer(stand, *TAKEN[:1] * 20))
    assert (len(going.back), len(going.waiting)) == (19, 1)
    assert not going.strays


def test_a_pod_that_another_one_went_for_is_a_stray() -> None:
    run, moves = moving(2, base=BASE), [move("a"), move("b")]
    going = found(run, moves, answer(standing(movable=8), "gone", "here"))
    assert (going.back, going.strays) == (MoveSet([0, 1]), MoveSet([1]))
    moves = [move("a", "in-place"), move("b", "in-place")]
    going = found(run, moves, answer(standing(movable=8), "done", "gone"))
    assert going.strays == MoveSet([1]), "made anew where it should have stayed"


@given(
    st.lists(st.sampled_from(["gone", "done", "settling", "here", "leaving"]), min_size=1),
    st.integers(0, 5), st.integers(0, 5), st.data(),
)  # fmt: skip
def test_what_is_not_back_any_more_stays_so_until_something_changes(
    states: list[PodState], missing: int, slow: int, data: st.DataObject
) -> None:
    count = len(states)
    run = moving(count, base=(0, 30, 0, 0, 0))
    failed = MoveSet(data.draw(st.sets(st.integers(0, count - 1))))
    back = MoveSet(range(count)) - failed
    strays = MoveSet(number for number in back if states[number] == "here")
    over: list[AnyEvent] = [Back(wave=1, moves=str(back), strays=str(strays)), WaveEnded(wave=1)]
    run = fold(run, over, 0)
    moves = [move(str(number), "in-place") for number in range(count)]
    stand = standing(movable=30 - count, at_target=count, unsettled=slow, pods=10 - missing)
    due = bound_moves(enumerate(moves), run.wave)
    away = relapsed(due, run.wave, {CART: 0}, answer(stand, *states))
    assert not away.keys() & set(failed), "they are waited for as it is"
    assert all(states[number] in ("gone", "settling", "leaving") for number in away)
    if missing + slow == 0:
        assert not away
    if slow and set(states) == {"settling"}:
        assert len(away) == len(back)
    run = fold(run, [Relapsed(wave=1, moves=str(MoveSet(away)), why="")], 0)
    assert not found(run, moves, answer(stand, *states)).back & MoveSet(away)


def test_a_move_whose_pod_is_gone_takes_one_that_the_plan_does_not_know() -> None:
    moves = list(enumerate([move("a"), move("b"), move("c")]))
    states = {("hz", "a"): pod("gone"), ("hz", "b"): pod("here"), ("hz", "c"): pod("gone")}
    known = frozenset({"a", "b", "later"})
    binding = bind(moves, states, {CART: ["b", "later", "new"]}, known, nodes={}, drained=())
    assert binding.bound == {0: "new"}
    assert binding.dropped == MoveSet([2])


@given(st.lists(st.sampled_from(["here", "done", "gone"]), min_size=1, max_size=20), st.data())
def test_what_others_did_to_a_waiting_pod_is_told_once(
    states: list[PodState], data: st.DataObject
) -> None:
    numbers = range(len(states))
    let_go = MoveSet(data.draw(st.sets(st.sampled_from(numbers))))
    begun = WaveBegun(wave=1, moves=str(MoveSet(numbers)), base=(BASE,))
    run = fold(Run(plan="p"), [begun, LetGo(wave=1, moves=str(let_go))], 0)
    moves = list(enumerate(move(str(number)) for number in numbers))
    told: list[int] = []
    for _ in range(len(states) + 1):
        _, waiting = split(bound_moves(moves, run.wave), run.wave)
        due = tuple(pod(states[it.number]) for it in waiting)
        checkpoint = replace(answer(standing(movable=9)), due=due)
        done, gone = by_others(waiting, run.wave, {CART: 0}, checkpoint)
        told += [*done, *gone]
        event = Back(wave=1, moves=str(done), strays=str(done))
        run = fold(run, [event, Dropped(wave=1, moves=str(gone))], 0)
    assert sorted(told) == sorted(set(told)), "no move twice"
    assert {it.number for it in waiting} == {
        number for number in numbers if states[number] == "here" and number not in let_go
    }
    assert run.moved == sum(states[it] == "done" and it not in let_go for it in numbers)
    ended = fold(run, [WaveEnded(wave=1)], 0)
    assert not any(states[number] != "here" for number in ended.unfinished - let_go)


def test_a_pod_that_is_gone_is_waited_for_until_one_has_come_in_its_place() -> None:
    run = fold(Run(plan="p"), [WaveBegun(wave=1, moves="0", base=((0, 10, 0, 1, 0),))], 0)
    due = bound_moves([(0, move("a"))], run.wave)
    for pods, dropped in ((8, MoveSet()), (9, MoveSet([0])), (10, MoveSet([0]))):
        seen = replace(answer(standing(movable=9, pods=pods)), due=(pod("gone"),))
        assert by_others(due, run.wave, {CART: 0}, seen) == (MoveSet(), dropped)


def test_pods_that_others_moved_leave_less_to_change() -> None:
    run = fold(moving(3, base=BASE), [Back(wave=1, moves="3", strays="3")], 0)
    moves = [move(uid) for uid in "abcd"]
    going = found(run, moves, answer(standing(movable=7), "gone", "gone", "here"))
    assert list(going.waiting) == [2], "three of ours and one of theirs make four"


def test_pods_that_others_moved_are_no_drift() -> None:
    assert drift({CART: 10}, {}, {CART: standing(movable=7)}) == ()


def test_more_to_move_than_planned_is_drift() -> None:
    (why,) = drift({CART: 7}, {}, {CART: standing(movable=10)})
    assert why == "hz/trade/CloneSet/cart: 10 pods have to move, planned were 7"
    (why,) = drift({}, {}, {CART: standing(movable=10)})
    assert "planned were none" in why


def test_what_the_plan_leaves_where_it_is_is_no_drift() -> None:
    assert drift({CART: 5}, {CART: 5}, {CART: standing(movable=10)}) == (), "its stages end at half"
    assert drift({CART: 0}, {CART: 10}, {CART: standing(movable=10)}) == (), "its budget is 0"
    assert drift({CART: 5}, {CART: 5}, {CART: standing(movable=11)}), "one was added"


def test_pods_that_cannot_move_any_more_are_drift() -> None:
    stuck = Standing(
        place=CART, unordered=False, replicas=10, pods=10, behind=9, movable=5, old=9,
        at_target=1, unsettled=0, examples=(),
    )  # fmt: skip
    assert drift({CART: 7}, {CART: 2}, {CART: stuck}) == (f"{CART}: 2 pods cannot move any more",)
    assert drift({CART: 5}, {CART: 4}, {CART: stuck}) == ()


def test_a_workload_that_is_gone_is_drift_and_long_lists_are_cut() -> None:
    places = {Place("hz", "trade", "CloneSet", f"w{n}"): 1 for n in range(9)}
    assert len(drift(places, {}, {})) == 6
    assert drift(places, {}, {})[-1] == "and 4 more"


def test_what_is_made_anew_takes_the_first_pod_and_what_stays_one_that_may_stay() -> None:
    drained = {("hz", "empty")}
    nodes = {"x": "empty", "y": "full", "z": "empty"}
    states = {("hz", uid): pod("gone") for uid in "abc"}

    def bound(*kinds: str) -> dict[int, str]:
        moves = [move(uid, kind) for uid, kind in zip("abc", kinds, strict=False)]
        listed = {CART: ["x", "y", "z"]}
        binding = bind(
            list(enumerate(moves)), states, listed, frozenset("abc"), nodes=nodes, drained=drained
        )
        return dict(binding.bound)

    assert bound("recreate", "recreate", "recreate") == {0: "x", 1: "y", 2: "z"}
    assert bound("in-place", "recreate", "in-place") == {0: "y", 1: "x"}
