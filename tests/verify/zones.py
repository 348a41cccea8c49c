"""Workloads on nodes of two zones: pods 0 and 1 of each in zone-a, 2 and 3 in zone-b."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tests.verify.builders import App, Row, node, upgrade
from tests.verify.plans import MoveJson, Written, move, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    Where = list[tuple[App, int, int]]
    """The pods that move, and the wave of each."""

AT_ONCE: dict[str, Any] = {"updateStrategy": {"type": "ReCreate", "maxUnavailable": "100%"}}
ANY_ORDER = {"strategy": {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}}
ROLES = {0: {"labels": '{"app": "cart", "role": "leader"}'}}
CART = App(name="cart", spec=AT_ONCE, columns=ROLES)
WEB = App(name="web", namespace="shop", pods=4, spec=AT_ONCE)
ABROAD = App(name="abroad", cluster="shanghai", pods=4, spec=AT_ONCE)
NEAR = App(name="near", cluster="hangzhou-2", pods=1, spec=AT_ONCE)
"""As node names begin: hangzhou-2/ comes before hangzhou/."""
KAFKA = App(name="kafka", kind="StatefulSet", namespace="data", pods=2, first_node=1)
"""The pod that goes first is in the zone that comes second."""
FIRST, SECOND = (0, 1), (2, 3)
"""Pods of a workload of four in zone-a, and in zone-b."""
ZONES: list[Row] = [
    node(f"node-000{number}", zone, cluster)
    for cluster in ("hangzhou", "shanghai")
    for zone, numbers in (("zone-a", FIRST), ("zone-b", SECOND))
    for number in numbers
] + [node("node-0008", "")]
BY_ZONE: dict[str, Any] = {"name": "zones", "each": "zone"}
TRADE = {"name": "trade", "namespace": "trade"}
FOLLOWERS = {"matchExpressions": [{"key": "role", "operator": "NotIn", "values": ["leader"]}]}


def waves(*pods: Sequence[tuple[App, Sequence[int]]]) -> Where:
    """These pods in wave 1, and in wave 2, and so on."""
    return [
        (app, index, wave)
        for wave, each in enumerate(pods, start=1)
        for app, indices in each
        for index in indices
    ]


def apps_of(where: Where) -> list[App]:
    return list({app.name: app for app, _, _ in where}.values())


def upgraded(where: Where, *sequences: dict[str, Any], **more: Any) -> Written:  # noqa: ANN401
    """A plan that makes these pods anew with another image, which all others have."""
    apps = [_done(app, {index for it, index, _ in where if it is app}) for app in apps_of(where)]
    moves = [move(app, index, "recreate", wave=wave) for app, index, wave in where]
    spec = {"target": {"images": upgrade(*apps)}, "sequences": list(sequences), **more}
    return write(apps, moves, extra=ZONES, **spec)


def left(
    where: Where,
    *sequences: dict[str, Any],
    moves: dict[str, Any] = MappingProxyType({"kind": "evict", "containers": {}}),  # type: ignore[assignment]
    **target: Any,  # noqa: ANN401
) -> Written:
    """A plan that drains the nodes of all of these pods, and may change more."""
    apps = apps_of(where)
    nodes = sorted({app.node(index) for app, index, _ in where})
    written = [move(app, index, wave=wave, **moves) for app, index, wave in where]
    drain = [{"cluster": "hangzhou", "name": name} for name in nodes]
    plan = write(
        apps,
        written,
        extra=ZONES,
        target={"drain": drain, **target},
        sequences=list(sequences),
    )
    totals = {**plan.header["totals"], "disruptions_saved": len(where) if target else 0}
    return plan.with_header(drains=_drains(written), totals=totals)


def _done(app: App, but: set[int]) -> App:
    spec = json.dumps({"containers": [{"name": "main", "image": app.wanted}]})
    done = {
        index: {**app.columns.get(index, {}), "spec": spec}
        for index in range(app.pods)
        if index not in but
    }
    return replace(app, columns={**app.columns, **done})


def _drains(moves: Sequence[MoveJson]) -> list[dict[str, Any]]:
    of_node: defaultdict[str, list[int]] = defaultdict(list)
    for each in moves:
        of_node[each["node"]].append(each["wave"])
    return [
        {"cluster": "hangzhou", "name": name, "moves": len(its), "stays": 0, "wave": max(its)}
        for name, its in sorted(of_node.items())
    ]


def broken(*pods: tuple[App, Sequence[int]], rule: str = "sequence") -> set[tuple[str, str]]:
    return {(rule, app.pod_subject(index)) for app, indices in pods for index in indices}
