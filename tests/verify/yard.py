"""Workloads of every sort on nodes that are drained, and a plan for them that breaks no rule.

The pod of number i is on node-000i. Those of pool old, 0 and 1, are drained by their label;
node-0008 and node-0009 by name, and on the last data may be deleted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.verify.builders import (
    EMPTY_DIR,
    MIRROR,
    READY,
    READY_KNOWN,
    REGISTRY,
    RUNNING,
    SUCCEEDED,
    App,
    node,
    sidecar_set,
    upgrade,
)
from tests.verify.plans import MoveJson, Written, move, one_a_wave, unmovable, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.verify.builders import Row

    Break = Callable[[Written], Written]

Found = set[tuple[str, str]]
"""Rules and subjects of what a check finds."""

MESH = {"mesh": f"{REGISTRY}/mesh:2.0.0"}
UP = RUNNING | READY | READY_KNOWN
NO_SURGE = {"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}}
DATA = {0: {"flags": UP | EMPTY_DIR}}
MESHED: dict[str, Any] = {"labels": {"mesh": "enabled"}, "sidecars": {"mesh": "1.0.0"}}

# Of these the application changes.
CART = App(name="cart", spec={"updateStrategy": {"type": "InPlaceIfPossible"}}, **MESHED)
PAYMENT = App(name="payment", pods=2)
LEDGER = App(name="ledger", kind="Deployment", pods=1, spec=NO_SURGE)
AUTH = App(name="auth", kind="Deployment", pods=3, spec={"paused": True})
RANK = App(name="rank", pods=2, spec={"updateStrategy": {"partition": 1}})
KAFKA = App(
    name="kafka",
    kind="StatefulSet",
    pods=2,
    spec={"updateStrategy": {"rollingUpdate": {"partition": 1}}},
)
ETCD = App(name="etcd", kind="StatefulSet", pods=2, spec={"updateStrategy": {"type": "OnDelete"}})
MYSQL = App(name="mysql", kind="Deployment", pods=2, spec={"strategy": {"type": "Recreate"}})
FIXED = App(
    name="fixed",
    pods=1,
    spec={"updateStrategy": {"type": "InPlaceOnly"}},
    own_template={"spec": {"hostNetwork": True}},
)
AGENT = App(name="agent", kind="DaemonSet", pods=2, spec={"updateStrategy": {"type": "OnDelete"}})
LAKE = App(name="lake", pods=1, labels={"team": "data"})
CHANGED = [CART, PAYMENT, LEDGER, AUTH, RANK, KAFKA, ETCD, MYSQL, FIXED, AGENT, LAKE]

# And of these it stays as it is.
WEB = App(name="web", kind="Deployment", pods=2, spec=NO_SURGE)
QUEUE = App(name="queue", kind="StatefulSet", pods=2)
LOGS = App(name="logs", pods=1, **MESHED)
CACHE = App(name="cache", pods=1, columns=DATA)
SCRATCH = App(name="scratch", pods=1, first_node=9, columns=DATA)
BARE = App(name="bare", pods=1, columns={0: {"owner": None}})
PROXY = App(name="proxy", kind="AdvancedDaemonSet", pods=1)
KUBELET = App(name="kubelet", pods=1, columns={0: {"owner": None, "flags": UP | MIRROR}})
ENDED = App(name="ended", pods=1, columns={0: {"flags": SUCCEEDED}})
APPS = [*CHANGED, WEB, QUEUE, LOGS, CACHE, SCRATCH, BARE, PROXY, KUBELET]

EXTRA = [
    *ENDED.rows(),
    sidecar_set("mesh", maxUnavailable=1),
    *(node(f"node-000{number}", "zone-a", pool="old") for number in range(2)),
    *(node(f"node-000{number}", "zone-a", pool="new") for number in (2, 3, 8, 9)),
]
DRAIN: list[dict[str, Any]] = [
    {"selector": {"matchLabels": {"pool": "old"}}},
    {"cluster": "hangzhou", "name": "node-0008"},
    {"name": "node-0009"},
    {"name": "node-0009", "deleteEmptyDirData": True},
]
TARGET = {
    "images": upgrade(*CHANGED),
    "sidecars": [{"sidecarSet": "mesh", "container": "mesh", "to": MESH["mesh"]}],
    "drain": DRAIN,
}


STAYS_PUT = ("in-place", "delete")
"""Moves of the plan of pods that stay where they are; the others make theirs leave."""


def leaves(app: App, index: int) -> MoveJson:
    """An eviction that changes nothing else."""
    return move(app, index, "evict", containers={})


def legal_moves() -> list[MoveJson]:
    both = {"main": CART.wanted, **MESH}
    return [
        *(move(CART, index, "evict", containers=both) for index in range(2)),
        *(move(CART, index, "in-place", containers=both) for index in (2, 3)),
        *(move(PAYMENT, index, "recreate") for index in range(2)),
        move(LEDGER, 0, "surge"),
        *(leaves(AUTH, index) for index in range(2)),
        move(RANK, 0, "recreate"),
        leaves(RANK, 1),
        move(KAFKA, 1, "recreate"),
        leaves(KAFKA, 0),
        *(move(ETCD, index, "evict") for index in (1, 0)),
        *(leaves(MYSQL, index) for index in range(2)),
        leaves(FIXED, 0),
        *(move(AGENT, index, "delete") for index in range(2)),
        *(leaves(WEB, index) for index in range(2)),
        *(leaves(QUEUE, index) for index in (1, 0)),
        move(LOGS, 0, "evict", containers=MESH),
        leaves(SCRATCH, 0),
    ]


STAYING = [(CACHE, 0), (BARE, 0), (LAKE, 0)]
"""Pods that should leave and cannot."""
LEAVING = {
    **{each["pod"]: each["node"] for each in legal_moves() if each["kind"] not in STAYS_PUT},
    **{app.pod_name(index): app.node(index) for app, index in STAYING},
}
"""Nodes of the pods that have to leave them."""
PARTIAL = ((AUTH, 2), (RANK, 1), (KAFKA, 1), (MYSQL, 2), (FIXED, 1))
"""Moves that leave their pods at the old version."""
SAVED = 14
"""Disruptions: cart 2 * 2 and 2 * 1, payment 2, ledger, rank, kafka and logs 1, etcd 2."""


def drains(moves: Sequence[MoveJson]) -> list[dict[str, Any]]:
    """What the header says of the nodes, for some moves."""
    waves = defaultdict(list)
    for each in moves:
        if each["pod"] in LEAVING and each["kind"] != "in-place":
            waves[each["node"]].append(each["wave"])
    pods = Counter(LEAVING.values())
    return [
        {
            "cluster": "hangzhou",
            "name": name,
            "moves": len(waves[name]),
            "stays": pods[name] - len(waves[name]),
            "wave": max(waves[name], default=0) if pods[name] == len(waves[name]) else None,
        }
        for name in ("node-0000", "node-0001", "node-0008", "node-0009")
    ]


def drained(plan: Written) -> Written:
    """The plan with a header that agrees with its moves about the nodes."""
    return plan.with_header(drains=drains(plan.moves))


def valid_plan() -> Written:
    """One pod a wave, in legal order."""
    left = [*(unmovable(*each) for each in STAYING), unmovable(AUTH, 2)]
    plan = write(
        APPS,
        one_a_wave(legal_moves()),
        extra=EXTRA,
        left=left,
        target=TARGET,
        exclude=[{"selector": {"matchLabels": {"team": "data"}}}],
    )
    totals = {**plan.header["totals"], "disruptions_saved": SAVED}
    partial = {app.subject(): count for app, count in PARTIAL}
    agreeing = plan.with_header(totals=totals, partial=partial).with_moves(plan.moves)
    return drained(agreeing.with_header(totals=totals))


def found(plan: Written) -> Found:
    return {(each.rule, each.subject) for each in plan.check()}


def saving(plan: Written, saved: int) -> Written:
    return plan.with_header(totals={**plan.header["totals"], "disruptions_saved": saved})


def with_rows(*rows: Row) -> Break:
    return lambda plan: replace(plan, rows=[*plan.rows, *rows])


def asking(**spec: Any) -> Break:  # noqa: ANN401
    return lambda plan: plan.with_request(**spec)


def one(rule: str, app: App, index: int = 0) -> Found:
    return {(rule, app.pod_subject(index))}
