"""What holds of every plan with sequences, over random fleets of two clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given
from hypothesis import strategies as st

import planner
from tests import fleets
from tests.shop import empty_log
from tests.test_plan_laws import law

if TYPE_CHECKING:
    from tests.fleets import Recorded

Json = dict[str, Any]
SCOPES = ("node", "zone", "workload", "namespace", "cluster", "fleet", "fleet", "fleet")
LEADER = {"matchLabels": {"role": "leader"}}
FOLLOWERS = {"matchExpressions": [{"key": "role", "operator": "NotIn", "values": ["leader"]}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two clusters; the request of the first is for both."""

    clusters: tuple[Recorded, Recorded]

    def log(self) -> planner.Log:
        log = empty_log()
        for each in self.clusters:
            each.append_to(log)
        return log

    def plan(self, log: planner.Log) -> planner.Plan | None:
        """None where nothing can be planned."""
        try:
            return self.clusters[0].plan(log)
        except planner.InfeasibleError:
            return None


@st.composite
def in_sequence(draw: st.DrawFn, of: st.SearchStrategy[Recorded], *, streams: bool) -> Pair:
    """Two clusters, some pods of which lead, with up to two sequences and nodes to drain."""
    pair = draw(of), replace(draw(of), cluster="shanghai")
    random = Random(draw(st.integers(0, 2**32)))
    share = random.choice([0.0, 0.2])

    def lead(name: str, item: Json) -> None:
        if name.startswith("pods") and random.random() < share:
            item["metadata"].setdefault("labels", {})["role"] = "leader"

    def ask(spec: Json) -> None:
        names = ("one", "two")[: random.randint(1, 2)]
        spec["sequences"] = [_sequence(random, name) for name in names]
        spec["streaming"] = streams
        if random.random() < 0.5:
            spec.pop("dependencies", None)
        if random.random() < 0.5:
            if random.random() < 0.5:
                spec["target"] = {}
            nodes = pair[0].nodes()
            chosen = random.sample(nodes, random.randint(1, len(nodes)))
            spec["target"]["drain"] = [{"name": it, "deleteEmptyDirData": True} for it in chosen]

    led = [each.with_objects(lead) for each in pair]
    return Pair(clusters=(led[0].with_request(ask), led[1]))


def _sequence(random: Random, name: str) -> Json:
    sequence: Json = {"name": name, "scope": random.choice(SCOPES)}
    if random.random() < 0.3:
        sequence["drained"] = True
    if random.random() < 0.5:
        return {**sequence, "each": random.choice(["zone", "zone", "node", "cluster"])}
    phases: list[Json] = [
        {"zone": "zone-b"},
        {"cluster": "shanghai"},
        {"selector": LEADER},
        {"selector": FOLLOWERS, "cluster": "hangzhou"},
        {"selector": {"matchLabels": {"team": "team-001"}}},
        {"namespace": "platform"},
    ]
    chosen = random.sample(phases, random.randint(1, 3))
    return {**sequence, "phases": [{"name": f"{at}", **it} for at, it in enumerate(chosen)]}


@law(max_examples=60, phases=[Phase.generate])
@given(in_sequence(fleets.fleets() | fleets.troubled_fleets(), streams=False))
def test_a_plan_in_sequence_passes_the_independent_check(pair: Pair) -> None:
    log = pair.log()
    plan = pair.plan(log)
    if plan is not None:
        assert planner.verify(log, plan) == []


@law(max_examples=60, phases=[Phase.generate])
@given(in_sequence(fleets.fleets() | fleets.paced_fleets(), streams=True))
def test_moves_that_begin_in_sequence_pass_the_independent_check(pair: Pair) -> None:
    log = pair.log()
    plan = pair.plan(log)
    if plan is not None:
        assert planner.verify(log, plan) == []
