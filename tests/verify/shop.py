"""A small shop with one workload of every sort, and a plan for it that breaks no rule."""

from __future__ import annotations

from tests.verify.builders import (
    REGISTRY,
    App,
    budget,
    node,
    sidecar_set,
    upgrade,
    version,
)
from tests.verify.plans import MoveJson, Written, move, one_a_wave, unmovable, write

MESH = {"mesh": f"{REGISTRY}/mesh:2.0.0"}

CART = App(
    name="cart",
    pods=4,
    labels={"mesh": "enabled", "team": "trade"},
    sidecars={"mesh": "1.0.0"},
    spec={"updateStrategy": {"type": "InPlaceIfPossible", "maxUnavailable": "50%"}},
)
PAYMENT = App(
    name="payment",
    pods=4,
    first_node=10,
    spec={"updateStrategy": {"type": "ReCreate", "maxUnavailable": 1}},
)
RANK = App(
    name="rank",
    namespace="search",
    pods=4,
    first_node=20,
    spec={"updateStrategy": {"type": "ReCreate", "maxUnavailable": 3, "partition": 2}},
)
WEB = App(
    name="web",
    kind="Deployment",
    namespace="shop",
    pods=8,
    first_node=30,
    labels={"team": "storefront"},
)
LEDGER = App(
    name="ledger",
    kind="Deployment",
    pods=4,
    first_node=40,
    spec={"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}},
)
AUTH = App(
    name="auth",
    kind="Deployment",
    namespace="platform",
    pods=2,
    first_node=50,
    spec={"paused": True},
)
KAFKA = App(
    name="kafka",
    kind="StatefulSet",
    namespace="data",
    pods=4,
    first_node=60,
    spec={"updateStrategy": {"rollingUpdate": {"partition": 1}}},
)
ETCD = App(
    name="etcd",
    kind="StatefulSet",
    namespace="data",
    pods=3,
    first_node=70,
    spec={"updateStrategy": {"type": "OnDelete"}},
)
AGENT = App(
    name="agent",
    kind="DaemonSet",
    namespace="platform",
    pods=3,
    first_node=80,
    spec={"updateStrategy": {"type": "OnDelete"}},
)
LAKE = App(name="lake", namespace="data", pods=2, first_node=90, labels={"team": "data"})
MYSQL = App(name="mysql", cluster="shanghai", pods=2, kind="Deployment", namespace="trade")

APPS = [CART, PAYMENT, RANK, WEB, LEDGER, AUTH, KAFKA, ETCD, AGENT, LAKE, MYSQL]

EXTRA = [
    version(minor="34"),
    version("shanghai", minor="36+"),
    sidecar_set("mesh", maxUnavailable=1),
    budget("cart", maxUnavailable="25%"),
    budget("kafka", namespace="data", minAvailable=3),
    budget("etcd", namespace="data", maxUnavailable=1),
    budget("rank", namespace="search", resource="podunavailablebudgets", maxUnavailable="25%"),
    *(node(f"node-{number:04}", "zone-a") for number in (30, 31, 32, 33)),
    *(node(f"node-{number:04}", "zone-b") for number in (34, 35, 36, 37)),
]

SPEC = {
    "target": {
        "images": upgrade(*APPS),
        "sidecars": [{"sidecarSet": "mesh", "container": "mesh", "to": MESH["mesh"]}],
    },
    "dependencies": [
        {
            "workload": {"namespace": "trade", "name": "payment"},
            "after": [{"namespace": "trade", "name": "cart"}],
            "ready": "75%",
        }
    ],
    "budgets": [
        {
            "name": "storefront",
            "selector": {"matchLabels": {"team": "storefront"}},
            "maxUnavailable": "13%",
        },
        {"name": "per-zone", "scope": "zone", "maxUnavailable": 1},
        {"name": "per-node", "scope": "node", "maxUnavailable": 1},
    ],
    "exclude": [{"selector": {"matchLabels": {"team": "data"}}}],
}


def legal_moves() -> list[MoveJson]:
    """Every move of the shop in an order that is legal one by one."""
    return [
        *(
            move(CART, index, "in-place", containers={"main": CART.wanted, **MESH})
            for index in range(4)
        ),
        *(move(PAYMENT, index, "recreate") for index in range(4)),
        *(move(RANK, index, "recreate") for index in range(2)),
        *(move(WEB, index, "recreate") for index in range(8)),
        *(move(LEDGER, index, "surge") for index in range(4)),
        *(move(KAFKA, index, "recreate") for index in (3, 2, 1)),
        *(move(ETCD, index, "evict") for index in (2, 1, 0)),
        *(move(AGENT, index, "delete") for index in range(3)),
        *(move(MYSQL, index, "surge") for index in range(2)),
    ]


def left_alone() -> list[dict[str, object]]:
    return [
        *(unmovable(RANK, index, "partition") for index in (2, 3)),
        *(unmovable(AUTH, index, "paused") for index in range(2)),
        unmovable(KAFKA, 0, "partition"),
        *(unmovable(LAKE, index, "excluded") for index in range(2)),
    ]


def valid_plan() -> Written:
    """One pod a wave, in legal order."""
    plan = write(APPS, one_a_wave(legal_moves()), extra=EXTRA, left=left_alone(), **SPEC)
    return plan.with_header(budgets=budgets(plan))


def budgets(plan: Written) -> list[dict[str, object]]:
    """Three budgets with their headroom, worked out by hand: each wave moves one pod."""

    def headroom(app: App, limit: int) -> list[int]:
        moved = {each["wave"] for each in plan.moves if each["workload"]["name"] == app.name}
        return [limit - (wave in moved) for wave in range(1, plan.header["waves"] + 1)]

    zones = {each["wave"] for each in plan.moves if each["workload"]["name"] == "web"}
    return [
        {
            "name": "pdb/trade/cart",
            "cluster": "hangzhou",
            "limit": 1,
            "down": 0,
            "headroom": headroom(CART, 1),
        },
        {
            "name": "workload/shop/Deployment/web",
            "cluster": "hangzhou",
            "limit": 2,
            "down": 0,
            "headroom": headroom(WEB, 2),
        },
        {
            "name": "per-zone",
            "cluster": None,
            "limit": 1,
            "down": 0,
            "instances": 2,
            "headroom": [int(wave not in zones) for wave in range(1, plan.header["waves"] + 1)],
        },
    ]


def staged_plan() -> Written:
    """A canary that soaks and asks, a half, and the rest; for two workloads."""
    stages = [
        {"name": "canary", "perWorkload": 1, "soak": "10m", "approval": "required"},
        {"name": "half", "perWorkload": "50%", "soak": "5m"},
        {"name": "rest", "perWorkload": "100%"},
    ]
    names = ["canary", "half", "rest", "rest"]
    moves = [
        move(app, index, kind, stage=names[index])
        for app, kind in ((PAYMENT, "recreate"), (LEDGER, "surge"))
        for index in range(4)
    ]
    return write(
        [PAYMENT, LEDGER],
        one_a_wave(moves),
        target={"images": upgrade(PAYMENT, LEDGER)},
        stages=stages,
    )
