"""What budgets count and whom they let go, by the traps of the reference."""

from typing import Any

import pytest

from planner.simulate.rules.budgets import (
    Standing,
    Verdict,
    disruption_standing,
    evict,
    protect,
    protected_total,
    unavailable_standing,
)


def pod(*, ready: bool = True, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"name": "cart-1", "labels": {}, "annotations": {}, **changed}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"phase": metadata.pop("phase", "Running"), "conditions": conditions}
    return {"metadata": metadata, "spec": {"containers": []}, "status": status}


def budget(**spec: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"spec": spec}


@pytest.mark.parametrize(
    ("spec", "desired"),
    [
        ({"maxUnavailable": "50%"}, 3),
        ({"minAvailable": "50%"}, 4),
        ({"maxUnavailable": 2}, 5),
        ({"minAvailable": 6}, 6),
        ({"maxUnavailable": 9}, 0),
    ],
)
def test_a_disruption_budget_over_seven(spec: dict[str, Any], desired: int) -> None:
    standing = disruption_standing(budget(**spec), [pod()] * 7, [7])
    assert standing == Standing(healthy=7, desired=desired, allowed=7 - desired)


def test_an_integer_min_available_needs_no_scale_and_everything_else_does() -> None:
    assert disruption_standing(budget(minAvailable=2), [pod()] * 3, None).allowed == 1
    assert disruption_standing(budget(maxUnavailable=2), [pod()] * 3, None).allowed == 0


def test_leaving_pods_are_not_healthy() -> None:
    pods = [pod(), pod(deletionTimestamp="2026-11-23T09:33:00Z"), pod(ready=False)]
    assert disruption_standing(budget(maxUnavailable=1), pods, [3]).healthy == 1


FULL = Standing(healthy=3, desired=3, allowed=0)
ROOM = Standing(healthy=4, desired=3, allowed=1)
SHORT = Standing(healthy=2, desired=3, allowed=0)


@pytest.mark.parametrize(
    ("who", "standings", "policy", "verdict"),
    [
        (pod(), [ROOM], None, "allowed"),
        (pod(), [FULL], None, "refused"),
        (pod(), [ROOM, ROOM], None, "several budgets"),
        (pod(), [], None, "free"),
        (pod(phase="Pending", ready=False), [SHORT], None, "free"),
        (pod(ready=False), [FULL], None, "free"),
        (pod(ready=False), [SHORT], None, "refused"),
        (pod(ready=False), [SHORT], "AlwaysAllow", "free"),
    ],
)
def test_who_may_be_evicted(
    who: dict[str, Any], standings: list[Standing], policy: str | None, verdict: Verdict
) -> None:
    spec = {"unhealthyPodEvictionPolicy": policy} if policy else {}
    assert evict(who, [(budget(**spec), standing) for standing in standings]) == verdict


def test_an_unavailable_budget_rounds_up_both_ways() -> None:
    pods = [pod()] * 10
    assert unavailable_standing(budget(maxUnavailable="15%"), pods, 10).desired == 8
    assert unavailable_standing(budget(minAvailable="15%"), pods, 10).desired == 2


@pytest.mark.parametrize(
    ("who", "spec", "standing", "verdict"),
    [
        (pod(), {}, ROOM, "allowed"),
        (pod(), {}, FULL, "refused"),
        (pod(ready=False), {}, FULL, "free"),
        (pod(annotations={"pub.kruise.io/no-protect": "true"}), {}, FULL, "free"),
        (pod(labels={"a": "b"}), {"ignoredPodSelector": {"matchLabels": {"a": "b"}}}, FULL, "free"),
        (pod(), {"protectOperations": ["EVICT"]}, FULL, "free"),
        (pod(), {}, Standing(healthy=0, desired=0, allowed=0), "free"),
    ],
)
def test_whom_an_unavailable_budget_protects(
    who: dict[str, Any], spec: dict[str, Any], standing: Standing, verdict: Verdict
) -> None:
    assert protect(who, budget(**spec), standing, "DELETE") == verdict


def noted(**annotations: str) -> dict[str, Any]:
    """A budget of v1alpha1, which says in annotations what v1beta1 says in its spec."""
    prefixes = {"total": "pub.kruise.io/protect-total-replicas"}
    prefixes["operations"] = "kruise.io/pub-protect-operations"
    return {
        "metadata": {"annotations": {prefixes[key]: text for key, text in annotations.items()}},
        "spec": {},
    }


@pytest.mark.parametrize(
    ("operations", "verdict"),
    [("EVICT", "free"), ("EVICT, DELETE", "refused"), ("", "refused")],
)
def test_the_old_version_notes_what_it_protects_from(operations: str, verdict: Verdict) -> None:
    assert protect(pod(), noted(operations=operations), FULL, "DELETE") == verdict


def test_a_budget_may_say_itself_of_how_many_pods_it_is_in_either_version() -> None:
    assert protected_total(budget(protectTotalReplicas=6)) == 6
    assert protected_total(noted(total="6")) == 6
    assert protected_total({**noted(total="6"), **budget(protectTotalReplicas=7)}) == 7
    assert protected_total(noted(total="six")) is protected_total(budget()) is None
