"""Nodes as places for new pods: what is free there, and whom they keep away.

Of what the scheduler asks, selectors, required affinity to nodes, taints and requests are looked
at. Other pods, volumes and ports of the host are not: they can only make the room smaller.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from planner.verify.columns import grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from planner.verify.observed import Observed
    from planner.verify.pods import Kin
    from planner.verify.table import Pods

Amounts = tuple[int, int, int]
"""Millicores, bytes, pods."""

_Offer = tuple[Amounts, Mapping[str, Fraction]]
"""These, and other resources."""

_QUANTITY = re.compile(r"(\d+\.?\d*|\.\d+)([a-zA-Z]*|[eE][+-]?\d+)")
_SUFFIXES = {
    "": Fraction(1),
    **{name: Fraction(10) ** power for power, name in zip(range(-9, 0, 3), "num", strict=True)},
    **{name: Fraction(1000) ** power for power, name in enumerate("kMGTPE", start=1)},
    **{f"{name}i": Fraction(1024) ** power for power, name in enumerate("KMGTPE", start=1)},
}


class Node(Struct, frozen=True, kw_only=True):
    """One node, less what its pods reserve."""

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Mapping[str, str]]
    open: bool
    """Whether it is Ready, and neither cordoned nor drained."""
    free: Amounts
    others: Mapping[str, Fraction]
    """What it offers of other resources; what pods have of those was not observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a new pod asks its node for."""

    amounts: Amounts
    others: Mapping[str, Fraction]

    def fit(self, free: Amounts) -> int:
        """How many such pods find room."""
        pairs = zip(free, self.amounts, strict=True)
        return max(0, min(room // asked for room, asked in pairs if asked))


def quantity(text: object) -> Fraction | None:
    """An amount as Kubernetes writes it (apimachinery resource/quantity.go); None: it is none."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    return _quantity(str(text))


@lru_cache(maxsize=1 << 14)
def _quantity(text: str) -> Fraction | None:
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    number, suffix = Fraction(found[1]), found[2]
    if suffix[:1] in ("e", "E") and suffix[1:]:
        return number * Fraction(10) ** int(suffix[1:]) if suffix[1:] != "i" else number * 1024**6
    return number * _SUFFIXES[suffix] if suffix in _SUFFIXES else None


def read_nodes(
    observed: Observed, cluster: str, drained: Iterable[str], pods: Pods
) -> Mapping[str, Node] | None:
    """The nodes of a cluster by name, beside its `pods`; None when one of them does not tell."""
    taken = _taken(pods)
    nodes: dict[str, Node] = {}
    away = frozenset(drained)
    for document in observed.documents(cluster, "nodes"):
        name, status = document["metadata"]["name"], document.get("status") or {}
        offered = _offered(status.get("allocatable") or {})
        if offered is None:
            return None
        amounts, others = offered
        spec = document.get("spec") or {}
        ready = any(
            (it["type"], it["status"]) == ("Ready", "True") for it in status.get("conditions") or ()
        )
        own = taken.get(name, (0, 0, 0))
        nodes[name] = Node(
            name=name,
            labels=document["metadata"].get("labels") or {},
            taints=spec.get("taints") or (),
            open=ready and not spec.get("unschedulable") and name not in away,
            free=(amounts[0] - own[0], amounts[1] - own[1], amounts[2] - own[2]),
            others=others,
        )
    return dict(sorted(nodes.items())) or None


def _offered(allocatable: Mapping[str, Any]) -> _Offer | None:
    """What a node offers; None when it does not tell."""
    if None in map(quantity, (it for it in allocatable.values() if it.__class__ is not str)):
        return None
    return _read_offer(tuple(allocatable.items()))


@lru_cache(maxsize=1 << 12)
def _read_offer(told: Sequence[tuple[str, object]]) -> _Offer | None:
    """The same; nodes of the same make tell the same."""
    known = {name: amount for name, text in told if (amount := quantity(text)) is not None}
    if len(known) < len(told) or not known.keys() >= {"cpu", "memory", "pods"}:
        return None
    cpu, memory, pods = (known.pop(name) for name in ("cpu", "memory", "pods"))
    return (up(cpu * 1000), up(memory), up(pods)), known


def _taken(pods: Pods) -> dict[str, Amounts]:
    """What pods reserve by node."""
    table, nodes = pods.table, pods.table.node.values
    codes = table.node.codes[pods.rows]
    requests = table.of_kin(lambda it: it.requests, np.int64).reshape(-1, 2)[pods.rows]
    # What comes before each node's pods, and before the next one's.
    order, ends = grouped(codes, len(nodes))
    before = (np.concatenate(([0], np.cumsum(each[order]))) for each in requests.T)
    cpu, memory = (np.diff(each[ends]).tolist() for each in before)
    counts = np.diff(ends).tolist()
    return dict(zip(nodes, zip(cpu, memory, counts, strict=True), strict=True))


def asked_by(template: Mapping[str, Any], kin: Iterable[Kin]) -> Asked | None:
    """What a new pod of a workload asks for; None when its template does not tell.

    That is what its template says (component-helpers resource/helpers.go, PodRequests), and no
    less than any of its `kin` has: only there is what was injected, or given by default.
    """
    spec = template.get("spec") or {}
    try:
        asked = together(spec, requests_of) + amounts_of(spec.get("overhead") or {})
    except ValueError:
        return None
    own = list(kin)
    return Asked(
        amounts=(
            max(int(asked.pop("cpu", 0)), *(each.requests[0] for each in own), 0),
            max(int(asked.pop("memory", 0)), *(each.requests[1] for each in own), 0),
            1,
        ),
        others={name: Fraction(amount, 1000) for name, amount in asked.items() if amount},
    )


def may_be_on(template: Mapping[str, Any], node: Node) -> bool:
    """Whether the scheduler may put a pod of the template on a node."""
    spec = template.get("spec") or {}
    if any(node.labels.get(key) != it for key, it in (spec.get("nodeSelector") or {}).items()):
        return False
    tolerations = spec.get("tolerations") or ()
    for taint in node.taints:
        repels = taint["effect"] in ("NoSchedule", "NoExecute")
        if repels and not any(_tolerates(each, taint) for each in tolerations):
            return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(_holds(term, node) for term in required.get("nodeSelectorTerms") or ())


def up(amount: Fraction) -> int:
    """The next whole number."""
    return -(-amount.numerator // amount.denominator)


def together(
    spec: Mapping[str, Any], own: Callable[[Mapping[str, Any]], Counter[str]]
) -> Counter[str]:
    """What containers have together, or initialisation at its hungriest moment.

    Native sidecars stay. `own` is what one container has.
    """
    peak: Counter[str] = Counter()
    stays: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        peak |= stays + own(container)
        if container.get("restartPolicy") == "Always":
            stays += own(container)
    for container in spec.get("containers") or ():
        stays += own(container)
    return stays | peak


def limits_of(container: Mapping[str, Any]) -> Counter[str]:
    """The most that a container may use, where that is said."""
    return amounts_of((container.get("resources") or {}).get("limits") or {})


def requests_of(container: Mapping[str, Any]) -> Counter[str]:
    """What a container asks for: a limit where nothing is requested (SetDefaults_Pod)."""
    resources = container.get("resources") or {}
    return amounts_of({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def amounts_of(quantities: Mapping[str, Any]) -> Counter[str]:
    """Bytes of memory, thousandths of everything else.

    Raises:
        ValueError: one of them is no quantity.
    """
    amounts: Counter[str] = Counter()
    for name, text in quantities.items():
        amount = quantity(text)
        if amount is None:
            raise ValueError(f"{name}: {text!r} is no quantity")
        amounts[name] = up(amount if name == "memory" else amount * 1000)
    return amounts


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    """Whether a toleration is one of the taint (core/v1 ToleratesTaint)."""
    key = toleration.get("key") or ""
    if (toleration.get("effect") or taint["effect"]) != taint["effect"]:
        return False
    match toleration.get("operator") or "Equal":
        case "Exists":
            return key in ("", taint["key"])
        case "Equal":
            value = (toleration.get("value") or "", taint.get("value") or "")
            return bool(key == taint["key"] and value[0] == value[1])
    return False


def _holds(term: Mapping[str, Any], node: Node) -> bool:
    """Whether all of a term holds; one that says nothing holds nowhere (nodeaffinity.go)."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    name = {"metadata.name": node.name}
    return bool(expressions or fields) and (
        all(_meets(each, node.labels) for each in expressions)
        and all(_meets(each, name) for each in fields)
    )


def _meets(wanted: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels meet an expression; a label that is missing meets `NotIn`."""
    value, values = labels.get(wanted["key"]), wanted.get("values") or ()
    match wanted["operator"]:
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value not in values
        case "Exists" | "DoesNotExist" as operator:
            return (value is None) is (operator == "DoesNotExist")
        case "Gt" | "Lt" as operator:
            return _compares(operator, value, values)
    return False


def _compares(operator: str, value: str | None, values: Sequence[str]) -> bool:
    try:
        number, than = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return number > than if operator == "Gt" else number < than
