"""One workload of a generated fleet and the drawing of its properties.

Every strategy and budget lets at least one pod move, and pods are down only in workloads that
nothing depends on: so a plan exists for every seed, and a bench measures planning, not luck.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

SIDECARS = ("log-tail", "mesh-proxy")
_SIDECAR_SHARES = (0.6, 0.85)
_INDEPENDENT_SHARE = 0.5
# Of the pods in independent stateless workloads, so that about 2% of all pods are down.
_DOWN_SHARE = 0.055
_ON_ITS_WAY_SHARE = 0.05
_PUB_SHARE = 0.25
_BUDGET_SHARE = 0.7
_COUNT_SHARE = 0.1
# At least so many pods before a percentage takes the place of one pod at a time.
_SMALL = 10
# minAvailable rounds up: with fewer pods 80% would be all of them.
_EIGHTY_PERCENT_MIN = 5
_WORDS = (
    *("account", "address", "advisor", "audit", "auth", "billing", "cart", "catalog", "chat"),
    *("checkout", "config", "coupon", "delivery", "email", "export", "feed", "fraud", "gateway"),
    *("inventory", "invoice", "ledger", "loyalty", "media", "message", "order", "payment"),
    *("pricing", "product", "profile", "query", "ranker", "recommend", "refund", "report"),
    *("risk", "search", "session", "shipping", "stock", "suggest", "tax", "trace", "wallet"),
)


class Kind(StrEnum):
    """The kind of a workload, with Kruise's StatefulSet told apart from the native one."""

    CLONE_SET = "CloneSet"
    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    ADVANCED_STATEFUL_SET = "AdvancedStatefulSet"
    DAEMON_SET = "DaemonSet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A PodDisruptionBudget (`pdb`) or PodUnavailableBudget (`pub`) over one workload."""

    source: str
    field: str
    value: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload; its pods take `replicas` successive places of the fleet from `first` on."""

    kind: Kind
    namespace: str
    team: str
    name: str
    uid: str
    revision: str
    replicas: int
    first: int
    max_unavailable: int | str
    max_surge: int | str = 0
    pod_update: str = ""
    old: int = 0
    old_revision: str = ""
    down: int = 0
    independent: bool = True
    sidecars: tuple[str, ...] = ()
    budget: Budget | None = None


def uuid(random: Random) -> str:
    """A version 4 UUID from this source of randomness."""
    digits = random.randbytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def revision(random: Random) -> str:
    """A revision hash, in the letters of Kubernetes' SafeEncodeString."""
    return "".join(random.choices("456789bcdf", k=9))


def ordinary_workload(
    random: Random, number: int, kind: Kind, replicas: int, namespace: tuple[str, str]
) -> Workload:
    """Draw a Deployment, CloneSet or StatefulSet of this size; its name is unique by `number`."""
    independent = random.random() < _INDEPENDENT_SHARE
    stateless = kind in (Kind.CLONE_SET, Kind.DEPLOYMENT)
    down = int(replicas * _DOWN_SHARE + random.random()) if stateless and independent else 0
    # A rollout on its way: a quarter of the pods is still at the old revision.
    old = replicas // 4 if kind is Kind.CLONE_SET and random.random() < _ON_ITS_WAY_SHARE else 0
    max_unavailable, max_surge = _strategy(random, kind, replicas)
    return Workload(
        kind=kind,
        namespace=namespace[0],
        team=namespace[1],
        # Numbers of one width: no name begins another, so sorted workloads are sorted pods.
        name=f"{random.choice(_WORDS)}-{number:05}",
        uid=uuid(random),
        revision=revision(random),
        replicas=replicas,
        first=0,
        max_unavailable=max_unavailable,
        max_surge=max_surge,
        pod_update=_pod_update(random, kind),
        old=old,
        old_revision=revision(random) if old else "",
        down=min(down, replicas - 1),
        independent=independent,
        sidecars=tuple(
            sidecar
            for sidecar, share in zip(SIDECARS, _SIDECAR_SHARES, strict=True)
            if stateless and random.random() < share
        ),
        budget=_budget(random, kind, replicas),
    )


def daemon_set(random: Random, name: str, nodes: int) -> Workload:
    """Draw a DaemonSet with a pod on every node."""
    return Workload(
        kind=Kind.DAEMON_SET,
        namespace="platform",
        team="platform",
        name=name,
        uid=uuid(random),
        revision=revision(random),
        replicas=nodes,
        first=0,
        max_unavailable=random.choice(("5%", "10%", "25%")),
    )


def _strategy(random: Random, kind: Kind, replicas: int) -> tuple[int | str, int | str]:
    """`maxUnavailable` and `maxSurge` such that at least one pod may always move."""
    if kind is Kind.DEPLOYMENT:
        choices: tuple[tuple[int | str, int | str], ...]
        choices = (("25%", "25%"), ("25%", "25%"), ("10%", 0), (0, "25%"), ("20%", "10%"))
        return random.choice(choices)
    if kind is Kind.CLONE_SET:
        return random.choice(("10%", "20%", "20%", "25%")), 0
    return (1 if replicas <= _SMALL else random.choice(("10%", "20%"))), 0


def _pod_update(random: Random, kind: Kind) -> str:
    if kind not in (Kind.CLONE_SET, Kind.ADVANCED_STATEFUL_SET):
        return ""
    in_place, recreate = "InPlaceIfPossible", "ReCreate"
    return random.choices((in_place, recreate, "InPlaceOnly"), (80, 15, 5))[0]


def _budget(random: Random, kind: Kind, replicas: int) -> Budget | None:
    """A budget for most workloads, never one that allows no disruption at all."""
    draw = random.random()
    if kind is Kind.CLONE_SET and draw < _PUB_SHARE:
        value = random.choice(("10%", "15%", "20%"))
        return Budget(source="pub", field="maxUnavailable", value=value)
    if draw > _BUDGET_SHARE or replicas == 1:
        return None
    choices = [("maxUnavailable", value) for value in ("10%", "20%", "25%", "50%")]
    choices += [("minAvailable", "80%")] if replicas >= _EIGHTY_PERCENT_MIN else []
    field, value = random.choice(choices)
    if draw < _COUNT_SHARE:
        return Budget(source="pdb", field="minAvailable", value=replicas - max(1, replicas // 10))
    return Budget(source="pdb", field=field, value=value)
