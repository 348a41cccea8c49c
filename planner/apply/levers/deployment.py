"""A Deployment stops exactly where it should when its new pods never count as available.

Its controller takes down `maxUnavailable` minus the new pods that are not available, and no more.
With a `minReadySeconds` of 68 years no new pod ever is, so `maxUnavailable` is the number of pods
of the new version that there shall be, and nothing goes on by itself however fast they start
(`kubernetes pkg/controller/deployment/rolling.go reconcileOldReplicaSets`). Whether they serve is
judged by their condition Ready, here as by every budget.

Once a wave is back it stands still, paused: what has let a wave go would let as many pods go, at
once and beyond what the owner allows, when he changes the template.

With `maxSurge` alone the new pods come first, beside the old; `maxUnavailable` then takes the old
ones away.
"""

from typing import Any, Final

from planner.apply.levers.held import Object, hold, owners

# The largest that the API takes; the deadline has to be larger still.
NEVER_S: Final = 2_147_483_646


def stand_still(deployment: Object) -> dict[str, Any]:
    """Let nothing go on: between waves, and while the new `minReadySeconds` gets around.

    A paused Deployment is scaled all the same, to its replicas and `maxSurge`.
    """
    owner = owners(deployment)["spec"]
    if (owner.get("strategy") or {}).get("type") == "Recreate":
        return dict(deployment)
    rolling = {"maxUnavailable": 1, "maxSurge": 0}
    return hold(
        deployment,
        strategy={"type": "RollingUpdate", "rollingUpdate": rolling},
        minReadySeconds=NEVER_S,
        progressDeadlineSeconds=NEVER_S + 1,
        paused=True,
    )


def is_still(deployment: Object, wanted: Object) -> bool:
    """Whether its controller knows already that no new pod is ever available."""
    same = deployment["spec"]["template"] == wanted["spec"]["template"]
    never = deployment["spec"].get("minReadySeconds") == NEVER_S
    return same and never and has_settled(deployment)


def has_settled(deployment: Object) -> bool:
    """Whether the status is of the present spec, and counts no new pod as available."""
    status, metadata = deployment.get("status") or {}, deployment["metadata"]
    if status.get("observedGeneration", 0) < metadata.get("generation", 0):
        return False
    old = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    return bool(status.get("availableReplicas", 0) <= old)


def let_go(deployment: Object, *, new: int, surge: int) -> dict[str, Any]:
    """Let `new` pods be of the new version, and `surge` more beside as many old ones."""
    owner = owners(deployment)["spec"]
    if (owner.get("strategy") or {}).get("type") == "Recreate":
        # One pod at most, and the old one has to be gone before the new one comes.
        return dict(deployment)
    rolling = {"maxUnavailable": new, "maxSurge": surge}
    return hold(
        deployment,
        strategy={"type": "RollingUpdate", "rollingUpdate": rolling},
        minReadySeconds=NEVER_S,
        progressDeadlineSeconds=NEVER_S + 1,
        paused=None,
    )
