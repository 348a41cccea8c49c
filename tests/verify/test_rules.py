"""A plan that keeps every rule passes; broken in any one way, it is caught by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.verify.builders import DELETING, READY, READY_KNOWN, RUNNING, SUCCEEDED
from tests.verify.plans import Written, move, unmovable
from tests.verify.shop import (
    AGENT,
    AUTH,
    CART,
    ETCD,
    KAFKA,
    LAKE,
    LEDGER,
    PAYMENT,
    RANK,
    WEB,
    staged_plan,
    valid_plan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.verify.plans import MoveJson

Break = "Callable[[Written], Written]"


def test_a_plan_of_one_pod_a_wave_in_legal_order_breaks_no_rule() -> None:
    assert valid_plan().check() == []


def test_a_staged_plan_that_soaks_breaks_no_rule() -> None:
    assert staged_plan().check() == []


def change(pod: str, **fields: Any) -> Callable[[Written], Written]:  # noqa: ANN401
    return lambda plan: plan.change(pod, **fields)


def together(*pods: str) -> Callable[[Written], Written]:
    """Move these pods in the wave of the first of them."""

    def merge(plan: Written) -> Written:
        first = plan.wave(pods[0])
        return plan.in_waves(lambda each: first if each["pod"] in pods else each["wave"])

    return merge


def swap(first: str, second: str) -> Callable[[Written], Written]:
    def exchange(plan: Written) -> Written:
        waves = {first: plan.wave(second), second: plan.wave(first)}
        return plan.in_waves(lambda each: waves.get(each["pod"], int(each["wave"])))

    return exchange


def also(*moves: MoveJson) -> Callable[[Written], Written]:
    """Append moves, each in a wave of its own."""

    def append(plan: Written) -> Written:
        last = plan.header["waves"]
        new = [{**each, "wave": last + number} for number, each in enumerate(moves, start=1)]
        listed = {each["pod"] for each in moves}
        left = [each for each in plan.header["unmovable"] if each["pod"] not in listed]
        return plan.with_header(unmovable=left).with_moves([*plan.moves, *new])

    return append


def leave(pod: str, entry: dict[str, Any] | None = None) -> Callable[[Written], Written]:
    """Drop a pod's move, and perhaps list it as unmovable."""

    def drop(plan: Written) -> Written:
        listed = [*plan.header["unmovable"], *([] if entry is None else [entry])]
        kept = [each for each in plan.moves if each["pod"] != pod]
        renumbered = plan.with_header(unmovable=listed).with_moves(kept)
        return renumbered.in_waves(lambda each: each["wave"])

    return drop


def list_unmovable(entry: dict[str, Any]) -> Callable[[Written], Written]:
    return lambda plan: plan.with_header(
        unmovable=[*plan.header["unmovable"], entry],
        totals={**plan.header["totals"], "unmovable": len(plan.header["unmovable"]) + 1},
    )


def header(**fields: Any) -> Callable[[Written], Written]:  # noqa: ANN401
    return lambda plan: plan.with_header(**fields)


def entry_of(list_: str, index: int, **fields: Any) -> Callable[[Written], Written]:  # noqa: ANN401
    """Overwrite fields of one entry of one of the header's lists."""

    def overwrite(plan: Written) -> Written:
        entries = list(plan.header[list_])
        entries[index] = {**entries[index], **fields}
        return plan.with_header(**{list_: entries})

    return overwrite


def row_of(pod: str, **columns: Any) -> Callable[[Written], Written]:  # noqa: ANN401
    """Observe a pod otherwise than the planner did."""

    def observe(plan: Written) -> Written:
        rows = [{**row, **columns} if row["name"] == pod else row for row in plan.rows]
        return Written(rows=rows, header=plan.header, moves=plan.moves)

    return observe


def request(**spec: Any) -> Callable[[Written], Written]:  # noqa: ANN401
    return lambda plan: plan.with_request(**spec)


BROKEN = {
    "a uid that nobody saw": (
        change("web-00000", uid="0" * 36),
        ("pod-exists", "hangzhou/shop/web-00000"),
    ),
    "another pod's uid": (
        change("web-00000", uid=WEB.pod_uid(1)),
        ("pod-exists", "hangzhou/shop/web-00000"),
    ),
    "a pod that has ended": (
        row_of("web-00000", flags=SUCCEEDED),
        ("pod-exists", "hangzhou/shop/web-00000"),
    ),
    "a second move": (
        also(move(WEB, 0, "recreate")),
        ("one-move", "hangzhou/shop/web-00000"),
    ),
    "wave 0": (change("cart-00000", wave=0), ("wave-number", "hangzhou/trade/cart-00000")),
    "a wave without moves": (
        lambda plan: plan.with_moves(
            [{**each, "wave": each["wave"] + (each["wave"] > 5)} for each in plan.moves]
        ),
        ("wave-number", "plan"),
    ),
    "moves that are not written in order": (
        lambda plan: Written(rows=plan.rows, header=plan.header, moves=plan.moves[::-1]),
        ("wave-number", CART.pod_subject(0)),
    ),
    "another node": (change("web-00000", node="node-0000"), ("node", WEB.pod_subject(0))),
    "another workload": (
        change("web-00000", workload={"kind": "Deployment", "name": "ledger"}),
        ("workload", WEB.pod_subject(0)),
    ),
    "recreate what goes in place": (
        change("cart-00000", kind="recreate"),
        ("kind", CART.pod_subject(0)),
    ),
    "in place what is recreated": (
        change("payment-00000", kind="in-place"),
        ("kind", PAYMENT.pod_subject(0)),
    ),
    "recreate what must surge": (
        change("ledger-00000", kind="recreate"),
        ("kind", LEDGER.pod_subject(0)),
    ),
    "evict from a DaemonSet": (change("agent-00000", kind="evict"), ("kind", AGENT.pod_subject(0))),
    "a kind that does not exist": (change("web-00000", kind="nudge"), ("kind", WEB.pod_subject(0))),
    "an image that nobody asked for": (
        change("web-00000", containers={"main": "registry.example.com/web:3.0.0"}),
        ("containers", WEB.pod_subject(0)),
    ),
    "a sidecar left behind": (
        change("cart-00000", containers={"main": CART.wanted}),
        ("containers", CART.pod_subject(0)),
    ),
    "an excluded pod": (also(move(LAKE, 0, "recreate")), ("excluded", LAKE.pod_subject(0))),
    "a pod forgotten": (leave("web-00007"), ("unmovable-missing", WEB.pod_subject(7))),
    "no remedy": (
        entry_of("unmovable", 0, remedy=""),
        ("unmovable-missing", RANK.pod_subject(2)),
    ),
    "a pod that moves and cannot": (
        list_unmovable(unmovable(WEB, 0)),
        ("complete", WEB.pod_subject(0)),
    ),
    "a pod listed twice": (
        list_unmovable(unmovable(AUTH, 0)),
        ("complete", AUTH.pod_subject(0)),
    ),
    "an unmovable pod that nobody saw": (
        list_unmovable({**unmovable(WEB, 0), "pod": "ghost"}),
        ("complete", "hangzhou/shop/ghost"),
    ),
    "a move of a pod that is as it should be": (
        request(target={"images": [], "sidecars": []}),
        ("complete", WEB.pod_subject(0)),
    ),
    "a pod that could move": (
        leave("web-00007", unmovable(WEB, 7)),
        ("unmovable-unfounded", WEB.pod_subject(7)),
    ),
    "two of a PodDisruptionBudget": (
        together("cart-00000", "cart-00001"),
        ("budget", "hangzhou/pdb/trade/cart"),
    ),
    "two of an integer minAvailable": (
        together("kafka-3", "kafka-2"),
        ("budget", "hangzhou/pdb/data/kafka"),
    ),
    "two of a PodUnavailableBudget": (
        together("rank-00000", "rank-00001"),
        ("budget", "hangzhou/pub/search/rank"),
    ),
    "two of maxUnavailable 1": (
        together("payment-00000", "payment-00001"),
        ("workload-budget", "hangzhou/workload/trade/CloneSet/payment"),
    ),
    "two of a StatefulSet before 1.35": (
        together("kafka-3", "kafka-2"),
        ("workload-budget", "hangzhou/workload/data/StatefulSet/kafka"),
    ),
    "a pod taken while another is down": (
        row_of("payment-00003", flags=RUNNING | READY_KNOWN),
        ("workload-budget", "hangzhou/workload/trade/CloneSet/payment"),
    ),
    "a pod taken while another is on its way out": (
        row_of("payment-00003", flags=RUNNING | READY | READY_KNOWN | DELETING),
        ("workload-budget", "hangzhou/workload/trade/CloneSet/payment"),
    ),
    "two of maxSurge 1": (
        together("ledger-00000", "ledger-00001"),
        ("surge", "hangzhou/surge/trade/Deployment/ledger"),
    ),
    "two of a SidecarSet": (
        together("cart-00000", "cart-00001"),
        ("sidecarset-budget", "hangzhou/sidecarset/mesh"),
    ),
    "two of a team": (
        together("web-00000", "web-00004"),
        ("request-budget", "storefront"),
    ),
    "two of a zone": (
        together("web-00000", "web-00001"),
        ("request-budget", "per-zone[hangzhou/zone-a]"),
    ),
    "two of a node": (
        lambda plan: row_of("kafka-3", node="node-0000")(
            together("cart-00000", "kafka-3")(plan.change("kafka-3", node="node-0000"))
        ),
        ("request-budget", "per-node[hangzhou/node-0000]"),
    ),
    "a workload before the one that it waits for": (
        swap("cart-00001", "payment-00000"),
        ("dependency", PAYMENT.subject()),
    ),
    "a dependency in the same wave": (
        together("cart-00002", "payment-00000"),
        ("dependency", PAYMENT.subject()),
    ),
    "a stage where the request has none": (
        change("web-00000", stage="canary"),
        ("stage", WEB.pod_subject(0)),
    ),
    "a StatefulSet from below": (swap("kafka-3", "kafka-2"), ("order", KAFKA.pod_subject(2))),
    "an OnDelete StatefulSet from below": (
        swap("etcd-2", "etcd-0"),
        ("order", ETCD.pod_subject(0)),
    ),
    "below a StatefulSet's partition": (
        also(move(KAFKA, 0, "recreate")),
        ("partition", KAFKA.pod_subject(0)),
    ),
    "more than a CloneSet's partition lets go": (
        also(move(RANK, 2, "recreate")),
        ("partition", RANK.subject()),
    ),
    "a paused workload": (also(move(AUTH, 0, "surge")), ("paused", AUTH.pod_subject(0))),
    "a bound above the plan": (header(waves_bound=1000), ("bound", "waves_bound")),
    "a bound of time above the plan": (header(seconds_bound=10**6), ("bound", "seconds_bound")),
    "a header of another version": (header(apiVersion="planner/v9"), ("header", "header.kind")),
    "a header without moves per wave": (header(per_wave=None), ("header", "header.per_wave")),
    "a move without a uid": (
        lambda plan: Written(
            rows=plan.rows,
            header=plan.header,
            moves=[{key: plan.moves[0][key] for key in plan.moves[0] if key != "uid"}],
        ),
        ("header", "moves[0].uid"),
    ),
    "another fleet": (header(clusters=["hangzhou"]), ("header", "clusters")),
    "another moment": (header(time="2026-11-23T09:35:00Z"), ("header", "time")),
    "a moment that is none": (header(time="soon"), ("header", "time")),
    "too few waves": (header(waves=3), ("totals", "plan")),
    "too many moves": (header(totals={"moves": 1}), ("totals", "totals")),
    "moves of another wave": (entry_of("per_wave", 0, moves=2), ("totals", "per_wave 1")),
    "kinds of another wave": (
        entry_of("per_wave", 0, kinds={"surge": 1}),
        ("totals", "per_wave 1"),
    ),
    "workloads of another wave": (
        entry_of("per_wave", 0, workloads=[[1, 1]]),
        ("totals", CART.subject()),
    ),
    "a wave that begins too early": (entry_of("per_wave", 1, start_s=1), ("totals", "per_wave 2")),
    "seconds that do not add up": (header(seconds=1), ("totals", "seconds")),
    "a workload left out": (header(workloads=[]), ("totals", WEB.subject())),
    "a workload that nobody saw": (
        entry_of("workloads", 0, name="ghost"),
        ("totals", "hangzhou/data/StatefulSet/ghost"),
    ),
    "another number of pods": (entry_of("workloads", 0, pods=99), ("totals", ETCD.subject())),
    "another last wave": (entry_of("workloads", 0, last_wave=99), ("totals", ETCD.subject())),
    "another limit": (
        entry_of("budgets", 0, limit=3),
        ("totals", "hangzhou/pdb/trade/cart"),
    ),
    "another headroom": (
        lambda plan: entry_of("budgets", 0, headroom=[1] * plan.header["waves"])(plan),
        ("totals", "hangzhou/pdb/trade/cart"),
    ),
    "a headroom that stops": (
        entry_of("budgets", 0, headroom=[1]),
        ("totals", "hangzhou/pdb/trade/cart"),
    ),
    "another number of zones": (entry_of("budgets", 2, instances=3), ("totals", "per-zone")),
    "a budget that nobody saw": (entry_of("budgets", 0, name="pdb/x/y"), ("totals", "pdb/x/y")),
    "something before wave 1": (
        change("cart-00000", because=["budget:pdb/trade/cart"]),
        ("because", CART.pod_subject(0)),
    ),
    "a budget of others": (
        change("web-00000", because=["budget:pdb/trade/cart"]),
        ("because", WEB.pod_subject(0)),
    ),
    "a cause that is none": (
        change("web-00000", because=["weather:rain"]),
        ("because", WEB.pod_subject(0)),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plan_is_caught_and_the_rule_and_the_object_are_named(name: str) -> None:
    break_, (rule, subject) = BROKEN[name]
    found = break_(valid_plan()).check()
    assert (rule, subject) in {(each.rule, each.subject) for each in found}
    assert all(each.message for each in found)


STAGES_BROKEN = {
    "two stages in a wave": (
        together("payment-00000", "payment-00001"),
        ("stage", PAYMENT.subject()),
    ),
    "the rest before the half": (
        swap("payment-00001", "payment-00003"),
        ("stage", PAYMENT.subject()),
    ),
    "a canary of two": (change("payment-00001", stage="canary"), ("stage", PAYMENT.subject())),
    "a stage that nobody asked for": (
        change("payment-00001", stage="quarter"),
        ("stage", PAYMENT.pod_subject(1)),
    ),
    "no soak": (
        entry_of("per_wave", 1, start_s=45, waits_s=0),
        ("soak", PAYMENT.subject()),
    ),
    "nobody is asked": (entry_of("per_wave", 0, approvals=[]), ("approval", PAYMENT.subject())),
    "asked when it is too late": (
        lambda plan: entry_of("per_wave", 5, approvals=["stage canary of " + PAYMENT.subject()])(
            entry_of("per_wave", 0, approvals=[])(plan)
        ),
        ("approval", PAYMENT.subject()),
    ),
}


@pytest.mark.parametrize("name", STAGES_BROKEN)
def test_a_plan_that_breaks_its_stages_is_caught(name: str) -> None:
    break_, expected = STAGES_BROKEN[name]
    found = break_(staged_plan()).check()
    assert expected in {(each.rule, each.subject) for each in found}


def test_a_violated_budget_names_the_wave_and_the_numbers() -> None:
    plan = together("payment-00000", "payment-00001")(valid_plan())
    wave = plan.wave("payment-00000")
    violation = next(each for each in plan.check() if each.rule == "workload-budget")
    assert violation.wave == wave
    assert "2 where 1 may be down" in violation.message
