"""Pods that go before others, wherever they are: two clusters and three zones of the shop."""

from __future__ import annotations

import json
import lzma
from functools import cache
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import convert
from rich.console import Console

import planner
from planner.apply.back import back_request
from planner.apply.course import Course
from planner.apply.tail import tail_request
from planner.model.amend import amended
from planner.model.bottlenecks import Bottlenecks
from planner.model.request import canonical_json
from planner.show.bottlenecks import tell_bottlenecks
from planner.show.html import render
from planner.show.sequences import sequence_lines
from planner.simulate import Faults
from planner.simulate.pace import drawn_around_expected
from planner.verify import fold_rows, verify
from tests.shop import SHOP, header_of, moves_of, request, rows_of, shop_log
from tests.simulate.carried import carried_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planner.model.request import UpgradeRequest
    from planner.verify import Observed

Json = dict[str, Any]
ZONE = "topology.kubernetes.io/zone"
DRAINED = [{"name": f"node-{number:04d}"} for number in range(0, 30, 2)]
ZONES = {"name": "zones", "each": "zone", "drained": True}
FIRST_HANGZHOU = {"name": "clusters", "phases": [{"name": "big", "cluster": "hangzhou"}]}

FIRST_SHANGHAI = {"name": "clusters", "phases": [{"name": "small", "cluster": "shanghai"}]}


def planned(*sequences: Json, **spec: Any) -> planner.Plan:  # noqa: ANN401
    """The plan of the shop's request with these sequences."""
    return planner.plan(shop_log(), asking(*sequences, **spec), keep=False)


def asking(*sequences: Json, **spec: Any) -> UpgradeRequest:  # noqa: ANN401
    """The shop's request with these sequences."""
    sets = [*spec.items(), ("sequences", list(sequences))]
    return amended(json.loads(canonical_json(request())), sets)


def recorded(kind: str) -> Iterator[tuple[str, Json]]:
    """The objects of a kind, with their cluster."""
    for cluster in ("hangzhou", "shanghai"):
        packed = (SHOP / cluster / f"{kind}.json.xz").read_bytes()
        for each in json.loads(lzma.decompress(packed))["items"]:
            yield cluster, each


@cache
def zones() -> dict[tuple[str, str], str]:
    """The zone of each node, by cluster and name."""
    return {
        (cluster, node["metadata"]["name"]): node["metadata"]["labels"][ZONE]
        for cluster, node in recorded("nodes")
    }


def zone_of(move: Mapping[str, Any]) -> str:
    return zones()[move["cluster"], move["node"]]


def spans(moves: list[Json], phase: Callable[[Json], str]) -> dict[str, tuple[int, int]]:
    """The first and the last wave of each phase."""
    found: dict[str, tuple[int, int]] = {}
    for move in moves:
        first, last = found.get(phase(move), (move["wave"], 0))
        found[phase(move)] = min(first, move["wave"]), max(last, move["wave"])
    return found


def serving(plan: planner.Plan) -> list[Json]:
    """The moves of pods that served: nothing of a budget is taken for the others."""
    down = {pod["metadata"]["uid"] for _, pod in recorded("pods") if not is_ready(pod)}
    return [move for move in moves_of(plan) if move["uid"] not in down]


def is_ready(pod: Json) -> bool:
    conditions = pod["status"].get("conditions") or []
    ready = any(it["type"] == "Ready" and it["status"] == "True" for it in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def test_zones_are_drained_one_after_another() -> None:
    plan = planned(ZONES, target={"drain": DRAINED}, dependencies=[], stages=[])
    found = spans(serving(plan), zone_of)
    assert list(found) == ["zone-a", "zone-b", "zone-c"]
    for (_, last), (first, _) in pairwise(found.values()):
        assert last < first
    told = header_of(plan)["sequences"]
    assert [(it["name"], it["first_wave"], it["last_wave"]) for it in told] == [
        (zone, first, last) for zone, (first, last) in found.items()
    ]
    (line,) = sequence_lines(told)
    assert line.startswith("zones: zone-a in waves 1 to ")
    page = StringIO()
    render(header_of(plan), moves_of(plan), page)
    assert f"<span>{line}</span>" in page.getvalue()
    assert planner.verify(shop_log(), plan) == []


def test_without_them_zones_are_drained_together() -> None:
    plan = planned(target={"drain": DRAINED}, dependencies=[], stages=[])
    assert {first for first, _ in spans(serving(plan), zone_of).values()} == {1}
    assert "sequences" not in header_of(plan)


def test_a_cluster_goes_before_the_rest() -> None:
    plan = planned(FIRST_HANGZHOU, dependencies=[])
    found = spans(serving(plan), lambda it: it["cluster"])
    assert found["hangzhou"][1] < found["shanghai"][0]
    because = {reason for move in moves_of(plan) for reason in move["because"]}
    assert "sequence:clusters: the rest" in because
    assert planner.verify(shop_log(), plan) == []


def test_its_bound_counts_both_phases() -> None:
    apart: Json = {"dependencies": [], "stages": []}
    header = header_of(planned(FIRST_HANGZHOU, **apart))
    assert header["waves_bound"] > header_of(planned(**apart))["waves_bound"]
    assert header["waves_bound"] <= header["waves"]


def certified() -> tuple[Json, Sequence[Json], Observed]:
    """A plan whose bound in waves the phases prove: header, moves and what they are checked by."""
    plan = planned(ZONES, target={"drain": DRAINED}, dependencies=[], stages=[])
    header = header_of(plan)
    assert header["proof"]["waves"]["kind"] == "phases"
    return header, moves_of(plan), fold_rows(rows_of(shop_log().events))


CLAIMS: dict[str, tuple[Callable[[list[Json]], object], str]] = {
    "more moves": (lambda parts: parts[0]["budget"].update(moves=1000), "moves that take from"),
    "less room": (lambda parts: parts[0]["budget"].update(room=1), "room of"),
    "a phase twice": (lambda parts: parts.append(parts[0]), "a phase is counted twice"),
    "no phase": (lambda parts: parts[0].update(name="zone-z"), "zones has no phase zone-z"),
    "no sequence": (lambda parts: parts[0].update(sequence="x"), "there is no sequence x"),
    "no place": (lambda parts: parts[0].update(place="x"), "there is no sequence zones at x"),
    "several": (lambda parts: parts[1].update(place="x"), "phases of several sequences"),
    "a phase less": (lambda parts: parts.pop(), "its numbers prove"),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_proof_by_phases_that_claims_more_is_named(claim: str) -> None:
    header, moves, observed = certified()
    assert verify(header, moves, observed) == []
    change, says = CLAIMS[claim]
    change(header["proof"]["waves"]["phases"])
    (found,) = verify(header, moves, observed)
    assert found.rule == "certificate"
    assert found.message.startswith(says)


def test_a_simulated_run_without_barriers_has_one_before_each_phase() -> None:
    plan = planned(ZONES, target={"drain": DRAINED}, dependencies=[], stages=[], streaming=True)
    observed = fold_rows(rows_of(shop_log().events))
    course = carried_out(
        header_of(plan), moves_of(plan), observed, drawn_around_expected(0, Faults())
    )
    serve = {move["uid"] for move in serving(plan)}
    its = [it for it in course.planned if it.move["uid"] in serve and it.back_ms]
    for earlier, later in pairwise(("zone-a", "zone-b", "zone-c")):
        before = max(it.back_ms for it in its if zone_of(it.move) == earlier)
        assert before <= min(it.let_go_ms for it in its if zone_of(it.move) == later)


def test_a_circle_is_told_of() -> None:
    plan = planned(FIRST_SHANGHAI)
    reasons = {it["reason"] for it in header_of(plan)["unmovable"]}
    assert any(
        it.startswith("sequence clusters: the rest waits for clusters: small") for it in reasons
    )
    assert {it["cluster"] for it in serving(plan)} == {"shanghai"}


def test_a_circle_is_told_of_before_there_is_a_plan() -> None:
    [found] = planner.lint(shop_log(), asking(FIRST_SHANGHAI))["findings"]
    assert (found["rule"], found["path"]) == ("waits-in-a-circle", "sequences.clusters")
    kept = len(moves_of(planned())) - len(moves_of(planned(FIRST_SHANGHAI)))
    assert found["message"] == (
        f"{kept} moves can never be made: clusters: the rest waits for clusters: small, and"
        " something of that for what comes later, by dependency platform/gateway after"
        " platform/auth"
    )
    assert planner.lint(shop_log(), asking(FIRST_SHANGHAI, dependencies=[]))["findings"] == []


def test_what_a_plan_would_be_without_a_sequence_is_tried() -> None:
    plan = planned(ZONES, target={"drain": DRAINED}, dependencies=[], stages=[])
    found = planner.bottlenecks(shop_log(), plan, limit=3)
    [saving] = (it for it in found["savings"] if it["kind"] == "sequence")
    assert (saving["name"], saving["unit"], saving["more_moves"]) == ("zones", "taken out", 0)
    other = planner.whatif(shop_log(), plan, unsets=[saving["ask"]])
    assert saving["saves_waves"] == header_of(plan)["waves"] - header_of(other)["waves"] > 0
    told = StringIO()
    tell_bottlenecks(convert(found, Bottlenecks), Console(file=told, width=100))
    assert f"planner whatif {plan.id} --unset sequences.zones" in told.getvalue()
    assert "Without a sequence at all" in told.getvalue()


def test_without_a_sequence_moves_can_be_made_that_wait_in_a_circle_by_it() -> None:
    plan = planned(FIRST_SHANGHAI)
    [saving] = (
        it for it in planner.bottlenecks(shop_log(), plan)["savings"] if it["kind"] == "sequence"
    )
    assert saving["more_moves"] == len(moves_of(planned())) - len(plan) > 0


def test_a_sequence_that_holds_nothing_up_is_not_tried() -> None:
    plan = planned({"name": "none", "phases": [{"name": "no", "cluster": "nowhere"}]})
    found = planner.bottlenecks(shop_log(), plan, limit=0)
    [untried] = (it for it in found["untried"] if it["kind"] == "sequence")
    assert (untried["name"], untried["why"]) == ("none", "it holds nothing up")


def test_leaders_go_last_in_each_workload_by_itself() -> None:
    names = {move["pod"] for move in moves_of(planned()) if move["workload"]["name"] == "cart"}
    assert len(names) > 1
    followers = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]}
    plan = planned(
        {
            "name": "cart last",
            "scope": "namespace",
            "phases": [{"name": "others", "selector": followers}],
        },
        dependencies=[],
    )
    trade = [
        it for it in serving(plan) if it["namespace"] == "trade" and it["cluster"] == "hangzhou"
    ]
    found = spans(trade, lambda it: str(it["workload"]["name"] == "cart"))
    assert found["False"][1] < found["True"][0]
    assert planner.verify(shop_log(), plan) == []


def test_a_stateful_set_across_phases_keeps_its_own_order() -> None:
    plan = planned({"name": "zones", "each": "zone"}, dependencies=[], stages=[])
    warnings = [it for it in header_of(plan)["warnings"] if it.startswith("sequence zones: ")]
    assert any("mysql keeps its own order" in it for it in warnings)
    assert planner.verify(shop_log(), plan) == []


@pytest.mark.parametrize("sequence", [FIRST_HANGZHOU, {"name": "zones", "each": "zone"}])
def test_a_plan_without_barriers_keeps_them(sequence: Json) -> None:
    plan = planned(sequence, streaming=True, dependencies=[])
    assert planner.verify(shop_log(), plan) == []


def test_a_sequence_that_does_nothing_is_told_of() -> None:
    one = {"name": "one", "phases": [{"name": "all", "zone": "elsewhere"}]}
    warnings = header_of(planned(one))["warnings"]
    assert "sequence one: nothing goes after anything by it" in warnings


def test_the_way_back_waits_for_no_phase() -> None:
    asked = json.loads(planned(FIRST_HANGZHOU, dependencies=[]).header())["request"]
    assert "sequences" in asked["spec"]
    assert "sequences" not in back_request(asked, {}, {})["spec"]
    assert "sequences" in tail_request(Course(planned(FIRST_HANGZHOU)), {}, 0)["spec"]


def test_a_run_without_barriers_has_one_before_each_phase() -> None:
    course = Course(planned(FIRST_HANGZHOU, dependencies=[], stages=[], streaming=True))
    first, last = course.legs
    clusters = [{move.cluster for _, move in course.moves(leg.wave)} for leg in (first, last)]
    assert "shanghai" in clusters[1]
    assert course.last_wave(1) + 1 == header_of(course.plan)["sequences"][1]["first_wave"]
