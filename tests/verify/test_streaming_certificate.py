"""What proves how long a streaming plan takes at least is worked out again, number by number."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

import planner
from planner.verify import fold_rows, proved_by, verify
from tests import fleets, test_rates
from tests.shop import header_of, moves_of, rows_of
from tests.test_verify_shop import observed
from tests.verify.builders import App, upgrade
from tests.verify.plans import Written, move, write
from tests.verify.streams import streamed
from tests.verify.test_certificate import numbers, says_more

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fleets import Recorded

Json = dict[str, Any]

CART = App(name="cart", pods=5, spec={"updateStrategy": {"type": "ReCreate", "maxUnavailable": 2}})
WEB = App(
    name="web",
    namespace="shop",
    pods=4,
    first_node=10,
    spec={"updateStrategy": {"type": "ReCreate", "maxUnavailable": 4}},
)
CART_SOLO: Json = {"name": "workload/trade/CloneSet/cart", "cluster": "hangzhou", "place": None}
FLEET: Json = {"name": "fleet", "cluster": None, "place": None}
AFTER_CART = [{"workload": {"name": "web"}, "after": [{"name": "cart"}]}]
STAGES: list[Json] = [
    {"name": "canary", "perWorkload": 1, "soak": "10m"},
    {"name": "rest", "perWorkload": "100%"},
]


def plan_of(
    starts: Mapping[str, Sequence[float]],
    lasts: Mapping[str, float],
    **spec: Any,  # noqa: ANN401
) -> Written:
    """Moves of cart and web that begin then and take so long; each in a wave of its own."""
    apps = [app for app in (CART, WEB) if app.name in starts]
    moves = []
    for app in apps:
        for index, start_s in enumerate(starts[app.name]):
            stage = STAGES[index > 0]["name"] if "stages" in spec else None
            times = {"start_s": float(start_s), "seconds": float(lasts[app.name])}
            moves.append(move(app, index, "recreate", stage=stage, **times))
    moves.sort(key=lambda each: each["start_s"])
    # One a wave, in the order in which they begin.
    moves = [{**each, "wave": number} for number, each in enumerate(moves, start=1)]
    plan = write(apps, moves, target={"images": upgrade(*apps)}, streaming=True, **spec)
    end_s = max(each["start_s"] + each["seconds"] for each in moves)
    return plan.with_header(streaming={"seconds": end_s, "seconds_bound": 0, "proof": {}})


def proved(plan: Written, bound: float, proof: Json) -> Written:
    said = {**plan.header["streaming"], "seconds_bound": bound}
    return plan.with_header(streaming={**said, "proof": {"text": "", **proof}})


def found(plan: Written) -> list[str]:
    violations = plan.check()
    assert {(each.rule, each.subject) for each in violations} <= {("certificate", "streaming")}
    return [each.message for each in violations]


def link(app: App, waves: int, **more: Any) -> Json:  # noqa: ANN401
    room = {"budget": {**CART_SOLO, "moves": 5, "room": 2}} if app is CART else {"budget": None}
    times = {"shortest_s": 30.0, "longest_s": 30.0, "soaks_s": 0.0}
    stages = {"moves": app.pods, "stages": [app.pods]}
    return {"workload": app.subject(), "waves": waves, **stages, **room, **times, **more}


UNSAID: Json = {"shortest_s": None, "longest_s": None, "soaks_s": None}
TWO_AT_ONCE = {"cart": [0, 0, 30, 30, 60]}
ALONE = plan_of(TWO_AT_ONCE, {"cart": 30})
STAGED = plan_of({"cart": [0, 630, 630, 660, 660]}, {"cart": 30}, stages=STAGES)
BOTH = plan_of({**TWO_AT_ONCE, "web": [90] * 4}, {"cart": 30, "web": 20}, dependencies=AFTER_CART)
RATES = [{"name": "api", "writesPerSecond": 1}]


def at_a_rate(starts: Mapping[str, Sequence[float]], lasts: Mapping[str, float]) -> Written:
    """A move a second may begin."""
    entry = {"name": "api/hangzhou", "cluster": "hangzhou", "writes_per_second": 1}
    moves = sum(map(len, starts.values()))
    return plan_of(starts, lasts, rates=RATES).with_header(rates=[{**entry, "moves": moves}])


AT_A_RATE = at_a_rate({"cart": [1, 2, 31, 32, 61]}, {"cart": 30})
QUICK = at_a_rate({"web": [1, 2, 3, 4]}, {"web": 2})
NARROW = plan_of(
    {"cart": [0, 30, 60, 90, 120], "web": [0, 20, 40, 60]},
    {"cart": 30, "web": 20},
    budgets=[{"name": "fleet", "maxUnavailable": 2}],
)
RATE: Json = {"name": "api/hangzhou", "moves": 5, "begun_s": 5.0}
HOLDS: dict[str, tuple[Written, float, Json]] = {
    "a workload alone": (ALONE, 90.0, {"kind": "workload", "chain": [link(CART, 3)]}),
    "a workload that soaks": (
        STAGED,
        690.0,
        {"kind": "workload", "chain": [link(CART, 3, stages=[1, 4], soaks_s=600.0)]},
    ),
    "a chain": (
        BOTH,
        110.0,
        {
            "kind": "chain",
            "chain": [link(CART, 3), link(WEB, 1, shortest_s=20.0, longest_s=20.0)],
        },
    ),
    "a workload at a rate": (
        AT_A_RATE,
        90.0,
        {"kind": "workload", "chain": [link(CART, 3, begun_s=4.0)]},
    ),
    "a workload that a rate alone holds back": (
        QUICK,
        5.0,
        {
            "kind": "workload",
            "chain": [link(WEB, 1, shortest_s=2.0, longest_s=2.0, begun_s=3.0)],
        },
    ),
    "a rate": (AT_A_RATE, 35.0, {"kind": "rate", "rate": RATE, "shortest_s": 30.0}),
    "the time of all moves of a budget": (
        # Five of 30 s and four of 20 s in a room of two.
        NARROW,
        115.0,
        {
            "kind": "budget",
            "budget": {**FLEET, "moves": 9, "room": 2},
            "times": {"head_s": 0.0, "moves_s": 115.0, "tail_s": 0.0},
        },
    ),
    "the shortest move of a budget as often as rooms are full": (
        ALONE,
        90.0,
        {
            "kind": "budget",
            "budget": {**CART_SOLO, "moves": 5, "room": 2},
            "times": {"head_s": 0.0, "moves_s": 90.0, "tail_s": 0.0},
        },
    ),
    "a budget and what follows": (
        BOTH,
        110.0,
        {
            "kind": "budget",
            "budget": {**CART_SOLO, "moves": 5, "room": 2},
            "times": {"head_s": 0.0, "moves_s": 90.0, "tail_s": 20.0},
        },
    ),
    "a budget after others": (
        BOTH,
        110.0,
        {
            "kind": "budget",
            "budget": {
                "name": "workload/shop/CloneSet/web",
                "cluster": "hangzhou",
                "place": None,
                "moves": 4,
                "room": 4,
            },
            "times": {"head_s": 90.0, "moves_s": 20.0, "tail_s": 0.0},
        },
    ),
    "waves as long as the shortest move": (
        BOTH,
        80.0,
        {
            "kind": "chain",
            "shortest_s": 20.0,
            "chain": [{**each, **UNSAID} for each in (link(CART, 3), link(WEB, 1))],
        },
    ),
    "the room of a budget in waves": (
        ALONE,
        90.0,
        {
            "kind": "budget",
            "shortest_s": 30.0,
            "budget": {**CART_SOLO, "moves": 5, "room": 2},
            "head": {"waves": 0, "moves": 0},
            "tail": {"waves": 0, "moves": 0},
        },
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_a_proof_holds_and_is_not_a_second_more(name: str) -> None:
    plan, bound, proof = HOLDS[name]
    assert proved_by(proof)
    assert found(proved(plan, bound, proof)) == []
    wrong = proved(plan, bound - 1, proof)
    (message,) = found(wrong)
    assert f"its numbers prove {bound:g}, and the bound is {bound - 1:g}" in message


@pytest.mark.parametrize("name", HOLDS)
def test_each_number_that_claims_more_than_follows_is_refused_itself(name: str) -> None:
    """It is not only the sum that is not the bound any more."""
    plan, bound, proof = HOLDS[name]
    paths = list(numbers(proof))
    assert paths
    for path in paths:
        tampered = deepcopy(proof)
        at: Any = tampered
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] += says_more(path)
        (message,) = found(proved(plan, bound, tampered))
        assert "follows" in message or "the stages" in message, path


def test_a_rate_adds_nothing_to_what_it_is_beside() -> None:
    proof = {"kind": "rate", "rate": RATE, "shortest_s": 30.0, "chain": [link(CART, 3)]}
    (message,) = found(proved(AT_A_RATE, 35.0, proof))
    assert message == "a rate adds nothing to a chain or to the room of a budget"


def test_the_moves_of_a_workload_begin_at_their_rate_after_the_first() -> None:
    proof = {"kind": "workload", "chain": [link(CART, 3, begun_s=5.0)]}
    (message,) = found(proved(AT_A_RATE, 90.0, proof))
    assert "have begun: it says 5000, and no more than 4000 follows" in message


def test_a_chain_lies_inside_what_is_open() -> None:
    """Of 70 seconds that are open each day two waves of 30 fit into the first."""
    day_s = 86_400
    window = {
        "name": "mornings",
        "during": [
            {"rrule": "FREQ=DAILY;BYHOUR=9;BYMINUTE=34", "duration": "70s", "timeZone": "UTC"}
        ],
    }
    starts = {"cart": [0, 0, 30, 30, day_s]}
    plan = plan_of(starts, {"cart": 30}, windows=[window])
    moves = [{**each, "wave": wave} for each, wave in zip(plan.moves, (1, 1, 2, 2, 3), strict=True)]
    plan = plan.with_moves(moves)
    waves = [
        {**wave, "start_s": start_s, "seconds": 30, "waits_s": waits_s}
        for wave, start_s, waits_s in zip(
            plan.header["per_wave"], (0, 30, day_s), (0, 0, day_s - 60), strict=True
        )
    ]
    plan = plan.with_header(
        per_wave=waves,
        seconds=day_s + 30,
        start="2026-11-23T09:34:00Z",
        calendars=[{"name": "window:mornings", "open": []}],
        workloads=[{**each, "calendars": [0]} for each in plan.header["workloads"]],
    )
    proof = {"kind": "calendar", "chain": [link(CART, 3)]}
    assert found(proved(plan, day_s + 30, proof)) == []
    (message,) = found(proved(plan, 90.0, proof))
    assert "its numbers prove 86430" in message
    assert found(proved(plan, 90.0, {**proof, "kind": "workload"})) == []


law = partial(
    settings, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@law(max_examples=25, phases=[Phase.generate])
@given(st.one_of(fleets.fleets(), fleets.troubled_fleets()), st.data())
def test_a_bound_in_waves_is_one_of_moves_that_do_not_wait_for_them(
    fleet: Recorded, data: st.DataObject
) -> None:
    log = fleet.log()
    try:
        plan = fleet.plan(log)
    except planner.InfeasibleError:
        reject()
    header, moves = streamed(header_of(plan), moves_of(plan))
    known, proof = fold_rows(rows_of(log.events)), header["streaming"]["proof"]
    assert proved_by(proof)
    assert verify(header, moves, known) == []
    path = data.draw(st.sampled_from(list(numbers(proof))), label="number")
    tampered = deepcopy(header)
    at = tampered["streaming"]["proof"]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] += says_more(path)
    (violation,) = verify(tampered, moves, known)
    assert (violation.rule, violation.subject) == ("certificate", "streaming")


def test_a_rate_of_the_shop_proves_that_its_moves_have_begun() -> None:
    plan = test_rates.at_once()
    header, moves = streamed(header_of(plan), moves_of(plan))
    entry = header["rates"][0]
    shortest_s = min(move["seconds"] for move in moves if move["cluster"] == entry["cluster"])
    rate = {"name": entry["name"], "moves": entry["moves"], "begun_s": float(entry["moves"])}
    proof = {"kind": "rate", "text": "", "rate": rate, "shortest_s": shortest_s}
    bound = entry["moves"] + shortest_s
    header["streaming"] |= {"seconds_bound": bound, "proof": proof}
    assert verify(header, moves, observed()) == []
    for key, by in (("begun_s", 1), ("moves", 1)):
        wrong = deepcopy(header)
        wrong["streaming"]["proof"]["rate"][key] += by
        assert [each.subject for each in verify(wrong, moves, observed())] == ["streaming"]
    wrong = deepcopy(header)
    wrong["streaming"]["proof"]["shortest_s"] += 0.001
    assert [each.subject for each in verify(wrong, moves, observed())] == ["streaming"]
