"""A plan that drains nodes passes; broken in any one way, it is caught by name, and by no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.verify.builders import App, budget
from tests.verify.plans import MoveJson, Written, unmovable
from tests.verify.yard import (
    APPS,
    AUTH,
    BARE,
    CACHE,
    CART,
    DRAIN,
    ENDED,
    ETCD,
    FIXED,
    KAFKA,
    KUBELET,
    LEDGER,
    LOGS,
    MESH,
    MYSQL,
    PARTIAL,
    PAYMENT,
    PROXY,
    QUEUE,
    RANK,
    SAVED,
    SCRATCH,
    TARGET,
    WEB,
    Found,
    asking,
    drained,
    found,
    leaves,
    one,
    saving,
    valid_plan,
    with_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.verify.yard import Break


def change(app: App, index: int, saved: int = SAVED, **fields: Any) -> Break:  # noqa: ANN401
    pod = app.pod_name(index)
    return lambda plan: drained(saving(plan.change(pod, **fields), saved))


def together(*pods: tuple[App, int]) -> Break:
    """Move these pods in the wave of the first of them."""
    names = [app.pod_name(index) for app, index in pods]

    def merge(plan: Written) -> Written:
        first = plan.wave(names[0])
        return drained(plan.in_waves(lambda each: first if each["pod"] in names else each["wave"]))

    return merge


def swap(app: App, one: int, other: int) -> Break:
    names = app.pod_name(one), app.pod_name(other)

    def exchange(plan: Written) -> Written:
        waves = {names[0]: plan.wave(names[1]), names[1]: plan.wave(names[0])}
        return drained(plan.in_waves(lambda each: waves.get(each["pod"], int(each["wave"]))))

    return exchange


def also(each: MoveJson) -> Break:
    """Move one more pod, in a wave of its own, that nobody calls unmovable any more."""

    def append(plan: Written) -> Written:
        left = [it for it in plan.header["unmovable"] if it["pod"] != each["pod"]]
        moves = [*plan.moves, {**each, "wave": plan.header["waves"] + 1}]
        return drained(plan.with_header(unmovable=left).with_moves(moves))

    return append


def leave(app: App, index: int, saved: int = SAVED) -> Break:
    """Call a pod unmovable."""

    def drop(plan: Written) -> Written:
        left = [*plan.header["unmovable"], unmovable(app, index)]
        kept = [each for each in plan.moves if each["pod"] != app.pod_name(index)]
        fewer = plan.with_header(unmovable=left).with_moves(kept)
        return drained(saving(fewer.in_waves(lambda each: each["wave"]), saved))

    return drop


def list_unmovable(app: App, index: int = 0) -> Break:
    def add(plan: Written) -> Written:
        left = [*plan.header["unmovable"], unmovable(app, index)]
        return plan.with_header(unmovable=left).with_moves(plan.moves)

    return add


def forget(app: App) -> Break:
    def drop(plan: Written) -> Written:
        left = [each for each in plan.header["unmovable"] if each["pod"] != app.pod_name(0)]
        return plan.with_header(unmovable=left).with_moves(plan.moves)

    return drop


def entry(index: int, **fields: Any) -> Break:  # noqa: ANN401
    """Overwrite fields of what the header says of a node."""

    def overwrite(plan: Written) -> Written:
        entries = list(plan.header["drains"])
        entries[index] = {**entries[index], **fields}
        return plan.with_header(drains=entries)

    return overwrite


def entries(edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Break:
    return lambda plan: plan.with_header(drains=edit(plan.header["drains"]))


def draining(*drain: dict[str, Any]) -> Break:
    return asking(target={**TARGET, "drain": list(drain)})


NODE = "hangzhou/node-000"
OVER_WEB: dict[str, Any] = {"selector": {"matchLabels": {"app": "web"}}, "maxUnavailable": 1}
BROKEN: dict[str, tuple[Break, Found]] = {
    "in place, which makes nobody leave": (
        change(CART, 0, SAVED - 1, kind="in-place"),
        one("kind", CART),
    ),
    "recreate what its controller changes in place": (
        change(CART, 0, kind="recreate"),
        one("kind", CART),
    ),
    "an eviction without the sidecar of the new pod": (
        change(CART, 0, SAVED - 1, containers={"main": CART.wanted}),
        one("containers", CART),
    ),
    "an eviction without the application of the new pod": (
        change(CART, 0, SAVED - 1, containers=MESH),
        one("containers", CART),
    ),
    "evict what is recreated anyway": (change(PAYMENT, 0, kind="evict"), one("kind", PAYMENT)),
    "evict what surges anyway": (change(LEDGER, 0, kind="evict"), one("kind", LEDGER)),
    "recreate what only leaves": (
        change(WEB, 0, kind="recreate"),
        one("kind", WEB)
        | {
            ("partition", WEB.subject()),
            ("workload-budget", "hangzhou/workload/trade/Deployment/web"),
        },
    ),
    "an image that nobody asked for": (
        change(WEB, 0, containers={"main": WEB.wanted}),
        one("containers", WEB),
    ),
    "the sidecar of one that only leaves, forgotten": (
        change(LOGS, 0, SAVED - 1, containers={}),
        one("containers", LOGS),
    ),
    "the application of OnDelete, forgotten": (
        change(ETCD, 0, SAVED - 1, containers={}),
        one("containers", ETCD),
    ),
    "the application of what is paused": (
        change(AUTH, 0, SAVED + 1, containers={"main": AUTH.wanted}),
        one("containers", AUTH) | one("paused", AUTH),
    ),
    "the controller of what is paused": (
        change(AUTH, 0, SAVED + 1, kind="surge", containers={"main": AUTH.wanted}),
        one("kind", AUTH) | one("paused", AUTH),
    ),
    "a Deployment taken down as a whole": (
        change(MYSQL, 0, SAVED + 1, kind="recreate", containers={"main": MYSQL.wanted}),
        one("kind", MYSQL) | {("workload-budget", "hangzhou/workload/trade/Deployment/mysql")},
    ),
    "an application that only ever changes in place": (
        change(FIXED, 0, SAVED + 1, containers={"main": FIXED.wanted}),
        one("containers", FIXED),
    ),
    "the application below a partition": (
        change(KAFKA, 0, SAVED + 1, containers={"main": KAFKA.wanted}),
        one("containers", KAFKA) | one("partition", KAFKA),
    ),
    "the controller below a partition": (
        change(KAFKA, 0, SAVED + 1, kind="recreate", containers={"main": KAFKA.wanted}),
        one("kind", KAFKA) | one("partition", KAFKA),
    ),
    "only out of the way, above a partition": (
        change(KAFKA, 1, SAVED - 1, kind="evict", containers={}),
        one("kind", KAFKA, 1),
    ),
    "more than a CloneSet's partition lets go": (
        change(RANK, 1, SAVED + 1, kind="recreate", containers={"main": RANK.wanted}),
        {("partition", RANK.subject())},
    ),
    "a DaemonSet's pod": (
        also(leaves(PROXY, 0)),
        one("complete", PROXY) | {("partition", PROXY.subject())},
    ),
    "a DaemonSet's pod called unmovable": (list_unmovable(PROXY), one("complete", PROXY)),
    "a mirror pod called unmovable": (list_unmovable(KUBELET), one("complete", KUBELET)),
    "a pod that has ended called unmovable": (list_unmovable(ENDED), one("complete", ENDED)),
    "a bare pod, forgotten": (forget(BARE), one("unmovable-missing", BARE)),
    "a bare pod, evicted": (
        also(leaves(BARE, 0)),
        one("kind", BARE) | one("workload", BARE) | {("totals", BARE.subject())},
    ),
    "data, forgotten": (forget(CACHE), one("unmovable-missing", CACHE)),
    "data deleted": (also(leaves(CACHE, 0)), one("empty-dir", CACHE)),
    "data deleted that no entry speaks of": (draining(*DRAIN[:3]), one("empty-dir", SCRATCH)),
    "data deleted elsewhere": (
        draining(*DRAIN[:3], {**DRAIN[3], "name": "node-0008"}),
        one("empty-dir", SCRATCH),
    ),
    "excluded pods": (
        asking(exclude=[{"selector": {"matchLabels": {"app": it}}} for it in ("lake", "web")]),
        one("excluded", WEB) | one("excluded", WEB, 1),
    ),
    "evicted under two PodDisruptionBudgets": (
        with_rows(budget("one", **OVER_WEB), budget("two", **OVER_WEB)),
        one("eviction", WEB) | one("eviction", WEB, 1),
    ),
    "two of a workload of which nothing may be down": (
        together((WEB, 0), (WEB, 1)),
        {("workload-budget", "hangzhou/workload/trade/Deployment/web")},
    ),
    "an eviction of a workload that lacks a pod": (
        with_rows(replace(WEB, replicas=3).rows()[0]),
        {("workload-budget", "hangzhou/workload/trade/Deployment/web")},
    ),
    "two of a PodDisruptionBudget": (
        lambda plan: together((MYSQL, 0), (MYSQL, 1))(
            with_rows(budget("mysql", maxUnavailable=1))(plan)
        ),
        {("budget", "hangzhou/pdb/trade/mysql")},
    ),
    "two of a PodUnavailableBudget": (
        lambda plan: together((MYSQL, 0), (MYSQL, 1))(
            with_rows(budget("mysql", resource="podunavailablebudgets", maxUnavailable=1))(plan)
        ),
        {("budget", "hangzhou/pub/trade/mysql")},
    ),
    "two of a SidecarSet": (
        together((CART, 0), (LOGS, 0)),
        {("sidecarset-budget", "hangzhou/sidecarset/mesh")},
    ),
    "two of a node": (
        lambda plan: together((WEB, 0), (MYSQL, 0))(
            asking(budgets=[{"name": "calm", "scope": "node", "maxUnavailable": 1}])(plan)
        ),
        {("request-budget", "calm[hangzhou/node-0000]")},
    ),
    "a StatefulSet from below": (swap(QUEUE, 0, 1), one("order", QUEUE)),
    "what a partition holds, before what it does not": (swap(KAFKA, 0, 1), one("order", KAFKA)),
    "before those have left that it waits for": (
        asking(dependencies=[{"workload": {"name": "payment"}, "after": [{"name": "web"}]}]),
        {("dependency", PAYMENT.subject())},
    ),
    "a pod that could be evicted": (leave(WEB, 1), one("unmovable-unfounded", WEB, 1)),
    "paused, which keeps nobody": (leave(AUTH, 0), one("unmovable-unfounded", AUTH)),
    "a partition, which keeps nobody": (leave(KAFKA, 0), one("unmovable-unfounded", KAFKA)),
    "all at once, which keeps nobody": (leave(MYSQL, 0), one("unmovable-unfounded", MYSQL)),
    "data that may be deleted": (leave(SCRATCH, 0), one("unmovable-unfounded", SCRATCH)),
    "a pod that is recreated, kept": (
        leave(PAYMENT, 0, SAVED - 1),
        one("unmovable-unfounded", PAYMENT),
    ),
    "fewer disruptions than it is": (
        lambda plan: saving(plan, SAVED + 1),
        {("totals", "totals")},
    ),
    "more disruptions than it is": (lambda plan: saving(plan, SAVED - 1), {("totals", "totals")}),
    "a node that is left out": (entries(lambda its: its[1:]), {("drains", f"{NODE}0")}),
    "no node at all": (
        lambda plan: replace(plan, header={**plan.header, "drains": []}),
        {("drains", f"{NODE}{it}") for it in (0, 1, 8, 9)},
    ),
    "a node that nobody drains": (
        entries(lambda its: [*its[:2], {**its[2], "name": "node-0002"}, *its[2:]]),
        {("drains", f"{NODE}2")},
    ),
    "nodes in another order": (entries(lambda its: its[::-1]), {("drains", "plan")}),
    "a node twice": (entries(lambda its: [its[0], *its]), {("drains", "plan")}),
    "other moves": (entry(1, moves=8), {("drains", f"{NODE}1")}),
    "others that stay": (entry(0, stays=0), {("drains", f"{NODE}0")}),
    "empty too early": (entry(1, wave=1), {("drains", f"{NODE}1")}),
    "empty while pods stay": (entry(0, wave=26), {("drains", f"{NODE}0")}),
    "never empty": (entry(2, wave=None), {("drains", f"{NODE}8")}),
    "a list that is none": (
        lambda plan: plan.with_header(drains={}),
        {("header", "header.drains")},
    ),
    "a node without a wave": (
        entries(lambda its: [{key: its[0][key] for key in its[0] if key != "wave"}]),
        {("header", "header.drains[0].wave")},
    ),
    "an entry that names nothing, and nobody is told": (
        draining(*DRAIN, {"name": "node-0007"}),
        {("drains", "drain[4]")},
    ),
    "a warning of an entry that names something": (
        lambda plan: plan.with_header(warnings=["drain[0]: no node matches"]),
        {("drains", "drain[0]")},
    ),
}


def test_a_plan_that_empties_nodes_breaks_no_rule() -> None:
    assert valid_plan().check() == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plan_is_caught_and_nothing_else_is_said(name: str) -> None:
    break_, expected = BROKEN[name]
    # Other moves leave other pods behind, of which the header still says the same.
    also = {("totals", app.subject()) for app in APPS}
    assert found(break_(valid_plan())) - also == expected - also


@pytest.mark.parametrize(("app", "count"), PARTIAL, ids=lambda it: getattr(it, "name", ""))
def test_how_many_pods_stay_behind_is_not_to_be_said_wrong(app: App, count: int) -> None:
    plan = valid_plan()
    for said in (count - 1, count + 1):
        partial = {**plan.header["partial"], app.subject(): said}
        broken = drained(plan.with_header(partial=partial).with_moves(plan.moves))
        assert found(saving(broken, SAVED)) == {("totals", app.subject())}


def test_an_entry_that_names_nothing_is_told_of() -> None:
    plan = draining(*DRAIN, {"cluster": "shanghai", "name": "node-0000"})(valid_plan())
    assert plan.with_header(warnings=["drain[4]: no node matches", "other"]).check() == []


def test_without_drains_nothing_leaves_and_nothing_is_listed() -> None:
    plan = draining()(valid_plan())
    expected = {("drains", f"{NODE}{it}") for it in (0, 1, 8, 9)}
    expected |= one("kind", CART) | one("complete", WEB) | one("complete", CACHE)
    assert expected <= found(plan)
    old = {key: value for key, value in plan.header.items() if key != "drains"}
    assert not any(rule == "drains" for rule, _ in found(replace(plan, header=old)))
