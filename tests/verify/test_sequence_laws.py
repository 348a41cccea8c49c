"""Laws of sequences: what a look at each pair of pods finds is what the check finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.verify.builders import App, node, upgrade
from tests.verify.plans import Written, move, write
from tests.verify.streams import names, streaming

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

law = partial(
    settings, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

ZONE_OF = {f"node-000{number}": zone for number, zone in enumerate(("", "", "b", "a", "b"))}
SORTS: dict[str, dict[str, Any]] = {
    "CloneSet": {"updateStrategy": {"type": "ReCreate", "maxUnavailable": "100%"}},
    "Deployment": {"strategy": {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}},
    "StatefulSet": {},
}


@dataclass(frozen=True, kw_only=True)
class Pod:
    app: App
    index: int

    @property
    def node(self) -> str:
        return self.app.node(self.index)

    @property
    def zone(self) -> str:
        return ZONE_OF[self.node]

    @property
    def down(self) -> bool:
        return self.index in self.app.down

    @property
    def subject(self) -> str:
        return self.app.pod_subject(self.index)


PHASE: dict[str, Callable[[Pod], str]] = {
    "zone": lambda pod: pod.zone,
    "node": lambda pod: f"{pod.app.cluster}/{pod.node}",
    "cluster": lambda pod: pod.app.cluster,
}
PART: dict[str, Callable[[Pod], str]] = {
    "zone": lambda pod: pod.zone and f"{pod.app.cluster}/{pod.zone}",
    "node": lambda pod: f"{pod.app.cluster}/{pod.node}",
    "workload": lambda pod: pod.app.subject(),
    "namespace": lambda pod: f"{pod.app.cluster}/{pod.app.namespace}",
    "cluster": lambda pod: pod.app.cluster,
    "fleet": lambda _: "all",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    plan: Written
    pods: Sequence[Pod]
    each: str
    scope: str

    def members(self) -> list[Pod]:
        """Pods of a phase."""
        phase, part = PHASE[self.each], PART[self.scope]
        able = [it for it in self.pods if not it.down and phase(it) and part(it)]
        phases = {
            app.subject(): {(part(it), phase(it)) for it in able if it.app is app}
            for app in self.apps()
        }
        torn = {
            name
            for name, both in phases.items()
            if len({its_part for its_part, _ in both}) < len(both)
        }
        return [it for it in able if it.app.kind != "StatefulSet" or it.app.subject() not in torn]

    def apps(self) -> list[App]:
        return list({it.app.subject(): it.app for it in self.pods}.values())

    def early(self, begins: str, ends: Callable[[dict[str, Any]], float]) -> set[tuple[str, str]]:
        """Pods that move before one of an earlier phase of their part is through."""
        phase, part, move_of = PHASE[self.each], PART[self.scope], {}
        for each in self.plan.moves:
            move_of[f"{each['cluster']}/{each['namespace']}/{each['pod']}"] = each
        return {
            ("sequence", later.subject)
            for earlier, later in product(self.members(), repeat=2)
            if part(earlier) == part(later)
            and phase(earlier) < phase(later)
            and move_of[later.subject][begins] < ends(move_of[earlier.subject])
        }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    apps = []
    for number, kind in enumerate(
        draw(st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=4))
    ):
        pods = draw(st.integers(1, 3))
        app = App(
            name=f"app{number}",
            kind=kind,
            cluster=draw(st.sampled_from(("hangzhou", "shanghai"))),
            namespace=draw(st.sampled_from(("shop", "trade"))),
            pods=pods,
            spec=SORTS[kind],
            first_node=draw(st.integers(0, 2)),
            down=frozenset(draw(st.sets(st.integers(0, pods - 1), max_size=1))),
        )
        apps.append(app)
    pods_of = [Pod(app=app, index=index) for app in apps for index in range(app.pods)]
    moves = [move(pod.app, pod.index, "recreate", wave=draw(st.integers(1, 4))) for pod in pods_of]
    each, scope = draw(st.sampled_from(sorted(PHASE))), draw(st.sampled_from(sorted(PART)))
    plan = write(
        apps,
        moves,
        extra=[
            node(name, zone, cluster)
            for cluster in ("hangzhou", "shanghai")
            for name, zone in ZONE_OF.items()
        ],
        target={"images": upgrade(*apps)},
        sequences=[{"name": "one", "each": each, "scope": scope}],
    )
    return Case(plan=plan.in_waves(lambda it: it["wave"]), pods=pods_of, each=each, scope=scope)


def sequences(plan: Written) -> set[tuple[str, str]]:
    return {each for each in names(plan) if each[0] == "sequence"}


@law(max_examples=300)
@given(cases())
def test_the_check_of_waves_finds_what_a_look_at_each_pair_finds(case: Case) -> None:
    assert sequences(case.plan) == case.early("wave", lambda it: it["wave"] + 1)


@law(max_examples=300)
@given(cases(), st.data())
def test_the_check_of_starts_finds_what_a_look_at_each_pair_finds(
    case: Case, data: st.DataObject
) -> None:
    plan = streaming(case.plan)
    lasts = {app.name: data.draw(st.integers(1, 20)) for app in case.apps()}
    moves = [
        {
            **each,
            "start_s": data.draw(st.integers(0, 20)),
            "seconds": lasts[each["workload"]["name"]],
        }
        for each in plan.moves
    ]
    timed = replace(case, plan=replace(plan, moves=moves))
    found = timed.early("start_s", lambda it: it["start_s"] + it["seconds"])
    assert sequences(timed.plan) == found | case.early("wave", lambda it: it["wave"] + 1)
