"""What holds of every plan with gangs, over random fleets."""

from __future__ import annotations

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
LEADER = {"matchLabels": {"role": "leader"}}
LEADERS = {"name": "leaders", "labelKey": "together", "selector": LEADER}
ZONES = {"name": "zones", "each": "zone", "scope": "workload"}


@st.composite
def ganged(draw: st.DrawFn, of: st.SearchStrategy[Recorded]) -> Recorded:
    """A cluster, some pods of which have a label that says with whom they move."""
    recorded, random = draw(of), Random(draw(st.integers(0, 2**32)))
    share, values = random.choice([0.1, 0.5, 1.0]), random.choice([2, 8, 40])

    def join(name: str, item: Json) -> None:
        if name.startswith("pods") and random.random() < share:
            labels = item["metadata"].setdefault("labels", {})
            labels["together"] = f"{random.randrange(values)}"
            labels["role"] = random.choice(["leader", "follower"])

    def ask(spec: Json) -> None:
        _ask(random, spec)
        if random.random() < 0.3:
            (chosen,) = random.sample(recorded.nodes(), 1)
            spec["target"]["drain"] = [{"name": chosen, "deleteEmptyDirData": True}]

    return recorded.with_objects(join).with_request(ask)


def _ask(random: Random, spec: Json) -> None:
    spec["streaming"] = False
    spec["gangs"] = [{"name": "one", "labelKey": "together"}]
    if random.random() < 0.3:
        spec["gangs"].insert(0, LEADERS)
    for rule in ("dependencies", "stages"):
        if random.random() < 0.4:
            spec.pop(rule, None)
    if random.random() < 0.2:
        spec["sequences"] = [ZONES]


@law(max_examples=60, phases=[Phase.generate])
@given(ganged(fleets.fleets() | fleets.troubled_fleets()))
def test_a_plan_with_gangs_passes_the_independent_check(recorded: Recorded) -> None:
    log = empty_log()
    recorded.append_to(log)
    try:
        plan = recorded.plan(log)
    except planner.InfeasibleError:
        return
    assert planner.verify(log, plan) == []
