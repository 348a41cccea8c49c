"""A law of gangs: what a look at each pair of pods finds is what the check finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.verify.builders import App, upgrade
from tests.verify.groups import group_of, grouped
from tests.verify.plans import Written, move, unmovable, write
from tests.verify.streams import names

if TYPE_CHECKING:
    from collections.abc import Sequence

law = partial(
    settings, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

SORTS: dict[str, dict[str, Any]] = {
    "CloneSet": {"updateStrategy": {"type": "ReCreate", "maxUnavailable": "100%"}},
    "Deployment": {"strategy": {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}},
    "StatefulSet": {},
}
GANGS = [
    {"name": "first", "labelKey": "group", "selector": {"matchLabels": {"app": "app0"}}},
    {"name": "second", "labelKey": "group"},
]
STAGE = {"name": "all", "perWorkload": "100%"}


@dataclass(frozen=True, kw_only=True)
class Pod:
    app: App
    index: int
    wave: int
    """0 when it stays."""

    @property
    def gang(self) -> tuple[str, ...]:
        """What its gang is called; nothing for none."""
        label = group_of(self.app, self.index)
        if not label or self.index in self.app.down:
            return ()
        entry = "first" if self.app.name == "app0" else "second"
        return entry, self.app.cluster, self.app.namespace, label

    @property
    def moves(self) -> bool:
        return self.wave > 0

    @property
    def ordered(self) -> bool:
        return self.app.kind == "StatefulSet"

    @property
    def serves(self) -> bool:
        return self.index not in self.app.down

    @property
    def subject(self) -> str:
        return self.app.pod_subject(self.index)


@dataclass(frozen=True, kw_only=True)
class Case:
    plan: Written
    pods: Sequence[Pod]
    staged: bool

    def broken(self) -> set[str]:
        """Pods that do not go with their gang, or that lie between two of one."""
        found = set()
        for mover, other in product(self.pods, repeat=2):
            if not mover.moves or not mover.gang or mover.gang != other.gang or mover is other:
                continue
            if not other.moves or mover.wave < other.wave:
                found.add(other.subject)
            if other.moves and mover.app is other.app:
                if self.staged and not other.ordered:
                    found.add(other.subject)
                found |= {it.subject for it in self.pods if _is_between(mover, it, other)}
        return found

    def numbers(self) -> list[dict[str, Any]]:
        """What the header should say."""
        found = []
        for name in ("first", "second"):
            gangs = [it.gang for it in self.pods if it.moves and it.gang[:1] == (name,)]
            moves = [count for it in set(gangs) if (count := gangs.count(it)) > 1]
            most = max(moves, default=0)
            found.append({"name": name, "gangs": len(moves), "moves": sum(moves), "largest": most})
        return found

    def with_numbers(self) -> Written:
        gangs = self.numbers()
        alone = [it["name"] for it in gangs if it["largest"] <= 1]
        warnings = [f"gangs {name}: no two pods move together by it" for name in alone]
        return self.plan.with_header(gangs=gangs, warnings=warnings)


def _is_between(one: Pod, pod: Pod, other: Pod) -> bool:
    inside = one.index < pod.index < other.index and pod.gang != one.gang
    return pod.moves and pod.serves and pod.ordered and pod.app is one.app and inside


@st.composite
def cases(draw: st.DrawFn) -> Case:
    apps = []
    kinds = draw(st.lists(st.sampled_from(sorted(SORTS)), min_size=1, max_size=3))
    for number, kind in enumerate(kinds):
        groups = draw(st.text("ab.", min_size=1, max_size=4))
        app = App(
            name=f"app{number}",
            kind=kind,
            cluster=draw(st.sampled_from(("hangzhou", "shanghai"))),
            namespace=draw(st.sampled_from(("shop", "trade"))),
            spec=SORTS[kind],
            down=frozenset(draw(st.sets(st.integers(0, len(groups) - 1), max_size=1))),
        )
        apps.append(grouped(app, groups))
    pods = [
        Pod(app=app, index=index, wave=draw(st.integers(0, 3)))
        for app in apps
        for index in range(app.pods)
    ]
    staged = draw(st.booleans())
    plan = write(
        apps,
        [
            move(it.app, it.index, "recreate", wave=it.wave, stage="all" if staged else None)
            for it in pods
            if it.moves
        ],
        left=[unmovable(it.app, it.index) for it in pods if not it.moves],
        target={"images": upgrade(*apps)},
        gangs=GANGS,
        **({"stages": [STAGE]} if staged else {}),
    )
    numbered = plan.in_waves(lambda it: it["wave"])
    waves = sorted({it.wave for it in pods if it.moves})
    pods = [replace(it, wave=waves.index(it.wave) + 1) if it.moves else it for it in pods]
    return Case(plan=numbered, pods=pods, staged=staged)


@law(max_examples=400)
@given(cases())
def test_the_check_finds_what_a_look_at_each_pair_finds(case: Case) -> None:
    found = {subject for rule, subject in names(case.with_numbers()) if rule == "gang"}
    assert found == case.broken()


@law(max_examples=100)
@given(cases(), st.sampled_from(("gangs", "moves", "largest")), st.integers(0, 1))
def test_each_number_of_the_header_is_counted(case: Case, field: str, entry: int) -> None:
    plan = case.with_numbers()
    gangs = [dict(it) for it in plan.header["gangs"]]
    gangs[entry][field] += 1
    wrong = {subject for rule, subject in names(plan.with_header(gangs=gangs)) if rule == "gang"}
    assert wrong == case.broken() | {f"gangs {gangs[entry]['name']}"}


@law(max_examples=100)
@given(cases())
def test_a_gang_is_a_cause_of_who_moves_with_others_by_it(case: Case) -> None:
    mates = {
        one.subject
        for one, other in product(case.pods, repeat=2)
        if one is not other and one.moves and other.moves and one.gang and one.gang == other.gang
    }
    for name in ("first", "second"):
        moves = [{**it, "because": [f"gang:{name}"]} for it in case.plan.moves]
        plan = replace(case.plan, moves=moves)
        refused = {subject for rule, subject in names(plan) if rule == "because"}
        expected = {
            it.subject
            for it in case.pods
            if it.moves and (it.wave == 1 or it.subject not in mates or it.gang[0] != name)
        }
        assert refused == expected
