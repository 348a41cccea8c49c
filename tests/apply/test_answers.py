"""What each answer of an API server to a write means."""

import pytest

from planner.apply import answers
from planner.apply.answers import Meaning
from planner.errors import ClusterError

WEBHOOK = ClusterError(
    500,
    'Internal error occurred: failed calling webhook "mcloneset.kb.io": connection refused',
    reason="InternalError",
)
TWO_BUDGETS = ClusterError(
    500,
    "This pod has more than one PodDisruptionBudget, "
    "which the eviction subresource does not support.",
)
NO_ROOM = ClusterError(
    429,
    "Cannot evict pod as it would violate the pod's disruption budget.",
    reason="TooManyRequests",
)
BEHIND = ClusterError(429, NO_ROOM.message, reason="TooManyRequests", retry_after_s=10)
CONTENDED = ClusterError(
    504,
    'Timeout: couldn\'t update PodDisruptionBudget "web" due to conflicts',
    reason="Timeout",
    retry_after_s=10,
)
BUSY = ClusterError(429, "Too many requests, please try again later.", retry_after_s=1)
FULL = ClusterError(
    403,
    'poddisruptionbudget.policy "web" is forbidden: DisruptedPods map too big - '
    "too many evictions not confirmed by PDB controller",
    reason="Forbidden",
)
UNAVAILABLE_BUDGET = ClusterError(
    403,
    'admission webhook "vpod.kb.io" denied the request: podunavailablebudget.policy.kruise.io '
    '"web" is forbidden: pub unavailable allowed is negative',
    reason="Forbidden",
)
DENIED = ClusterError(
    403,
    'admission webhook "pods.example.com" denied the request: no labels on a Sunday',
    reason="Forbidden",
)
RIGHT = ClusterError(
    403,
    'pods "web-1" is forbidden: User "planner" cannot create resource "pods/eviction" '
    'in API group "" in the namespace "trade"',
    reason="Forbidden",
)
SILENCE = ClusterError(0, "connection reset by peer")
CONFLICT = ClusterError(409, "the object has been modified", reason="Conflict")
INVALID = ClusterError(422, "the server rejected our request", reason="Invalid")
GONE = ClusterError(404, 'pods "web-1" not found', reason="NotFound")
NOBODY = ClusterError(401, "Unauthorized", reason="Unauthorized")


@pytest.mark.parametrize(
    ("error", "of_object", "of_pod", "of_removal"),
    [
        (SILENCE, "unknown", "unknown", "unknown"),
        (WEBHOOK, "unknown", "unknown", "unknown"),
        (BUSY, "unknown", "unknown", "unknown"),
        (NO_ROOM, "unknown", "unknown", "not-now"),
        (BEHIND, "unknown", "unknown", "not-now"),
        (TWO_BUDGETS, "unknown", "unknown", "not-now"),
        (CONTENDED, "unknown", "unknown", "not-now"),
        (FULL, "never", "not-now", "not-now"),
        (UNAVAILABLE_BUDGET, "never", "not-now", "not-now"),
        (DENIED, "never", "not-now", "not-now"),
        (RIGHT, "never", "never", "never"),
        (NOBODY, "never", "never", "never"),
        (CONFLICT, "overtaken", "overtaken", "overtaken"),
        (INVALID, "overtaken", "overtaken", "never"),
        (GONE, "gone", "gone", "gone"),
    ],
)
def test_an_answer_means(
    error: ClusterError, of_object: Meaning, of_pod: Meaning, of_removal: Meaning
) -> None:
    assert answers.of_object(error) == of_object
    assert answers.of_pod(error) == of_pod
    assert answers.of_removal(error) == of_removal


@pytest.mark.parametrize("error", [NO_ROOM, BEHIND, CONTENDED, FULL, UNAVAILABLE_BUDGET])
def test_a_budget_without_room_has_some_later(error: ClusterError) -> None:
    assert answers.is_full(error)


@pytest.mark.parametrize("error", [TWO_BUDGETS, DENIED, RIGHT, INVALID, BUSY])
def test_anything_else_that_refuses_is_no_budget_without_room(error: ClusterError) -> None:
    assert not answers.is_full(error)
