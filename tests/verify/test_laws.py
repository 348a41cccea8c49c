"""Laws over random small fleets: naive plans hold, and what breaks them is found."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.verify.builders import App, budget, upgrade, version
from tests.verify.plans import MoveJson, Written, move, one_a_wave, unmovable, write

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A sort of workload in which one pod may be down at a time, and how its pods move."""

    app_kind: str
    move_kind: str
    spec: dict[str, object]

    @property
    def ordered(self) -> bool:
        return self.app_kind.endswith("StatefulSet")


SORTS = [
    Sort(
        app_kind="CloneSet",
        move_kind="in-place",
        spec={"updateStrategy": {"type": "InPlaceOnly", "maxUnavailable": 1}},
    ),
    Sort(
        app_kind="CloneSet",
        move_kind="recreate",
        spec={
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"podUpdatePolicy": "ReCreate", "maxUnavailable": "1%"},
            }
        },
    ),
    Sort(
        app_kind="CloneSet",
        move_kind="evict",
        spec={"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"maxUnavailable": 1}}},
    ),
    Sort(
        app_kind="Deployment",
        move_kind="recreate",
        spec={"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}},
    ),
    Sort(
        app_kind="Deployment",
        move_kind="surge",
        spec={"strategy": {"rollingUpdate": {"maxUnavailable": "9%", "maxSurge": "1%"}}},
    ),
    Sort(app_kind="StatefulSet", move_kind="recreate", spec={}),
    Sort(
        app_kind="AdvancedStatefulSet",
        move_kind="in-place",
        spec={"updateStrategy": {"rollingUpdate": {"podUpdatePolicy": "InPlaceIfPossible"}}},
    ),
    Sort(app_kind="DaemonSet", move_kind="recreate", spec={}),
    Sort(
        app_kind="DaemonSet",
        move_kind="delete",
        spec={"updateStrategy": {"type": "OnDelete"}},
    ),
    Sort(app_kind="AdvancedDaemonSet", move_kind="recreate", spec={}),
]


@dataclass(frozen=True, kw_only=True)
class Naive:
    """A plan that moves one pod a wave, workload after workload, and what it was made from."""

    apps: Sequence[App]
    plan: Written

    def moves_of(self, app: App) -> list[MoveJson]:
        return [each for each in self.plan.moves if each["workload"]["name"] == app.name]


@st.composite
def naive_plans(draw: st.DrawFn) -> Naive:
    sorts = draw(st.lists(st.sampled_from(SORTS), min_size=1, max_size=4))
    apps: list[App] = []
    moves: list[MoveJson] = []
    for number, sort in enumerate(sorts):
        pods = draw(st.integers(1, 5))
        # A StatefulSet goes from the top, so below the top nothing may be down already.
        may_be_down = [pods - 1] if sort.ordered else list(range(pods))
        app = App(
            name=f"app{number}",
            kind=sort.app_kind,
            pods=pods,
            spec=sort.spec,
            down=frozenset(draw(st.sets(st.sampled_from(may_be_down)))),
            first_node=draw(st.integers(0, 3)),
        )
        apps.append(app)
        order = reversed(range(pods)) if sort.ordered else range(pods)
        down_first = sorted(order, key=lambda index: index not in app.down)
        moves.extend(move(app, index, sort.move_kind) for index in down_first)
    guarded = [app for app in apps if not app.kind.endswith("DaemonSet") and draw(st.booleans())]
    chain = [
        {"workload": {"name": after.name}, "after": [{"name": before.name}]}
        for before, after in pairwise(apps)
        if draw(st.booleans())
    ]
    plan = write(
        apps,
        one_a_wave(moves),
        extra=[version(), *(budget(app.name, maxUnavailable=1) for app in guarded)],
        target={"images": upgrade(*apps)},
        dependencies=chain,
        budgets=[{"name": "per-workload", "scope": "workload", "maxUnavailable": "100%"}],
    )
    return Naive(apps=apps, plan=plan)


def names(plan: Written) -> set[tuple[str, str]]:
    return {(each.rule, each.subject) for each in plan.check()}


@given(naive_plans())
def test_one_pod_a_wave_in_the_order_of_its_controller_breaks_no_rule(naive: Naive) -> None:
    assert naive.plan.check() == []


@given(naive_plans(), st.data())
def test_pods_that_share_a_budget_of_one_are_never_moved_together(
    naive: Naive, data: st.DataObject
) -> None:
    app = data.draw(st.sampled_from(naive.apps))
    assume(app.pods - len(app.down) > 1)
    first = naive.moves_of(app)[0]["wave"]
    own = {each["pod"] for each in naive.moves_of(app)}
    merged = naive.plan.in_waves(lambda each: first if each["pod"] in own else each["wave"])
    name = f"{app.namespace}/{app.kind}/{app.name}"
    surges = naive.moves_of(app)[0]["kind"] == "surge"
    expected = (
        ("surge", f"{app.cluster}/surge/{name}")
        if surges
        else ("workload-budget", f"{app.cluster}/workload/{name}")
    )
    assert expected in names(merged)


@given(naive_plans(), st.data())
def test_no_pod_is_forgotten(naive: Naive, data: st.DataObject) -> None:
    forgotten = data.draw(st.sampled_from(naive.plan.moves))
    kept = [each for each in naive.plan.moves if each is not forgotten]
    subject = f"{forgotten['cluster']}/{forgotten['namespace']}/{forgotten['pod']}"
    assert ("unmovable-missing", subject) in names(naive.plan.with_moves(kept))


@given(naive_plans())
def test_workloads_do_not_go_before_those_that_they_wait_for(naive: Naive) -> None:
    waiting = naive.plan.header["request"]["spec"]["dependencies"]
    assume(waiting)
    reverse = naive.plan.in_waves(lambda each: -each["wave"])
    late = {rule["workload"]["name"] for rule in waiting}
    subjects = {("dependency", app.subject()) for app in naive.apps if app.name in late}
    assert subjects <= names(reverse)


@given(naive_plans(), st.data())
def test_a_pod_that_could_move_is_not_unmovable(naive: Naive, data: st.DataObject) -> None:
    app = data.draw(st.sampled_from(naive.apps))
    last = naive.moves_of(app)[-1]
    index = next(index for index in range(app.pods) if app.pod_name(index) == last["pod"])
    kept = [each for each in naive.plan.moves if each is not last]
    listed = naive.plan.with_header(unmovable=[unmovable(app, index)]).with_moves(kept)
    found = listed.in_waves(lambda each: each["wave"])
    assert ("unmovable-unfounded", app.pod_subject(index)) in names(found)


@given(naive_plans())
def test_a_plan_that_holds_has_nothing_to_say_about_its_own_header(naive: Naive) -> None:
    wrong = naive.plan.with_header(waves=naive.plan.header["waves"] + 1)
    assert ("totals", "plan") in names(wrong)
