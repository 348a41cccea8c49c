"""What holds of every plan that drains nodes, over random fleets."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given
from hypothesis import strategies as st

import planner
from tests import fleets
from tests.shop import header_of, moves_of
from tests.test_plan_laws import law, plan_if_any

if TYPE_CHECKING:
    from tests.fleets import Recorded

Json = dict[str, Any]
ELSEWHERE = "a-node-of-the-new-pool"
DAEMONS = {"DaemonSet", "AdvancedDaemonSet"}


@st.composite
def drained(draw: st.DrawFn, of: st.SearchStrategy[Recorded]) -> Recorded:
    """A fleet of which some nodes are to be drained, and that may have nothing else to do."""
    fleet = draw(of)
    random = Random(draw(st.integers(0, 2**32)))
    names = fleet.nodes()
    chosen = set(random.sample(names, random.randint(1, len(names) // 2)))
    named = random.choice(sorted(chosen))

    def label(name: str, item: Json) -> None:
        if name == "nodes.json" and item["metadata"]["name"] in chosen - {named}:
            item["metadata"].setdefault("labels", {})["pool"] = "old"
        if name.startswith("pods") and random.random() < 0.1:
            item["spec"].setdefault("volumes", []).append({"name": "tmp", "emptyDir": {}})
        if name.startswith("pods") and random.random() < 0.02:
            item["metadata"].setdefault("annotations", {})["kubernetes.io/config.mirror"] = "x"

    def drain(spec: Json) -> None:
        deletes = random.random() < 0.5
        old = {"selector": {"matchLabels": {"pool": "old"}}, "deleteEmptyDirData": deletes}
        if random.random() < 0.3:
            spec["target"] = {}
        spec["target"]["drain"] = [old, {"name": named}]

    return fleet.with_objects(label).with_request(drain)


@law(max_examples=30)
@given(drained(fleets.fleets()))
def test_a_plan_that_drains_passes_the_independent_check(fleet: Recorded) -> None:
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is not None:
        assert planner.verify(log, plan) == []


@law(max_examples=60, phases=[Phase.generate])
@given(drained(fleets.troubled_fleets()))
def test_drains_of_fleets_in_trouble_break_no_rule(fleet: Recorded) -> None:
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is None:
        return
    assert planner.verify(log, plan) == []
    totals = header_of(plan)["totals"]
    assert totals["differ"] == totals["moves"] + totals["unmovable"]


@law(max_examples=20)
@given(drained(fleets.fleets()))
def test_a_drain_that_is_carried_out_leaves_only_what_cannot_leave(fleet: Recorded) -> None:
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is None:
        return
    header = header_of(plan)
    drains = {it["name"]: it for it in header["drains"]}
    stay = mirrors_of(fleet)
    moves = [it for it in moves_of(plan) if it["uid"] not in stay and it["node"] in drains]
    leaving = {it["uid"]: it for it in moves if leaves(it)}
    assert Counter(it["node"] for it in leaving.values()) == Counter(
        {name: it["moves"] for name, it in drains.items() if it["moves"]}
    )
    last = dict.fromkeys(drains, 0)
    for move in leaving.values():
        last[move["node"]] = max(last[move["node"]], move["wave"])
    assert {name: it["wave"] for name, it in drains.items()} == {
        name: None if drains[name]["stays"] else wave for name, wave in last.items()
    }

    def go(name: str, item: Json) -> None:
        if name.startswith("pods") and item["metadata"]["uid"] in leaving:
            item["spec"]["nodeName"] = ELSEWHERE

    after = planner.diff(fleet.applied(moves_of(plan)).with_objects(go).log(), fleet.wanted())[
        "totals"
    ]
    assert (after["moves"], after["differ"]) == (0, header["totals"]["unmovable"])


def leaves(move: Json) -> bool:
    return move["kind"] != "in-place" and move["workload"]["kind"] not in DAEMONS


def mirrors_of(fleet: Recorded) -> set[str]:
    texts = [text for name, text in fleet.lists.items() if name.startswith("pods")]
    pods = [pod["metadata"] for text in texts for pod in json.loads(text)["items"]]
    return {it["uid"] for it in pods if "kubernetes.io/config.mirror" in it.get("annotations", {})}
