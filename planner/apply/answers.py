"""What the answer to a write means: pure decisions on what an API server said.

Written after the handlers themselves: `k8s.io/apiserver pkg/endpoints/handlers`, and for evictions
`kubernetes pkg/registry/core/pod/storage/eviction.go`.
"""

import re
from http import HTTPStatus
from typing import Final, Literal

from planner.errors import ClusterError

Meaning = Literal["unknown", "overtaken", "not-now", "gone", "never"]
"""What it means that a write was not answered with success.

- `unknown`: nobody knows whether it was done; read again, and write what is missing then.
- `overtaken`: the object is not the one that was read; nothing was done.
- `not-now`: something guards the pod; nothing was done, and later it may be.
- `gone`: there is no such object.
- `never`: the same will be said again.
"""

_RIGHT: Final = re.compile(r'User ".*" cannot \w+ resource')
"""How the API server says that a right is missing; budgets and webhooks refuse with 403 too."""
_BUDGET: Final = "PodDisruptionBudget"
_FULL: Final = re.compile(
    r'pod(disruption|unavailable)budget[\w.]* "[^"]*" is forbidden'
    r"|couldn't update Pod(Disruption|Unavailable)Budget",
    re.IGNORECASE,
)
"""How the API server, and OpenKruise's webhook of pods (`pkg/control/pubcontrol`), say that the
books of a budget are full, that it has no room, or that many ask it at once."""


def of_object(error: ClusterError) -> Meaning:
    """What it means for a write to anything but a pod."""
    if _is_unknown(error) or error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "unknown"
    if error.status in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
        return "overtaken"
    return "gone" if error.status == HTTPStatus.NOT_FOUND else "never"


def of_pod(error: ClusterError) -> Meaning:
    """What it means for a write to a pod, which webhooks guard as PodUnavailableBudgets do."""
    guarded = error.status == HTTPStatus.FORBIDDEN and not _RIGHT.search(error.message)
    return "not-now" if guarded else of_object(error)


def of_removal(error: ClusterError) -> Meaning:
    """What it means for an eviction or a deletion.

    A budget says 429 when it has no room and when its status is behind, and neither is worth
    holding up the other pods for; 403 when its books are full; and an error of the server when two
    budgets are over the pod or its status cannot be written. A server that has too many requests
    says 429 without a reason.
    """
    if error.status == HTTPStatus.TOO_MANY_REQUESTS and error.reason:
        return "not-now"
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and _BUDGET in error.message:
        return "not-now"
    if error.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return "never"
    return of_pod(error)


def is_full(error: ClusterError) -> bool:
    """Whether what refuses a pod for now is a budget that has no room, and nothing else.

    Two budgets over one pod refuse it always, and nobody knows what a webhook goes by.
    """
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return bool(error.reason)
    return bool(_FULL.search(error.message))


def is_passing(error: ClusterError) -> bool:
    """Whether a read that failed so is worth repeating."""
    return _is_unknown(error) or error.status == HTTPStatus.TOO_MANY_REQUESTS


def _is_unknown(error: ClusterError) -> bool:
    return error.status == 0 or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
