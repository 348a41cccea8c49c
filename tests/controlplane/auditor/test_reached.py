"""The auditor knows whether it has seen everything, so that it does not judge by half of it."""

from typing import Any

import pytest

from tests.controlplane.auditor.reached import Reached


def pod(uid: str, version: int) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "resourceVersion": str(version)}}


@pytest.fixture
def reached() -> Reached:
    found = Reached()
    found.listed([pod("a", 3), pod("b", 5)], "6")
    return found


def test_what_was_listed_is_reached(reached: Reached) -> None:
    assert reached.has([pod("a", 3), pod("b", 5)], "9")


def test_a_pod_that_changed_since_is_waited_for(reached: Reached) -> None:
    now = [pod("a", 3), pod("b", 7)], "9"
    assert not reached.has(*now)
    reached.see(pod("b", 7), gone=False)
    assert reached.has(*now)
    reached.see(pod("b", 12), gone=False)
    assert reached.has(*now), "who has seen more has seen that"


def test_a_pod_that_went_is_waited_for(reached: Reached) -> None:
    now = [pod("a", 3)], "9"
    assert not reached.has(*now)
    reached.see(pod("b", 8), gone=True)
    assert reached.has(*now)


def test_a_pod_that_came_is_waited_for_unless_it_went_again(reached: Reached) -> None:
    now = [pod("a", 3), pod("b", 5), pod("c", 8)], "9"
    assert not reached.has(*now)
    reached.see(pod("c", 8), gone=False)
    assert reached.has(*now)
    reached.see(pod("c", 11), gone=True)
    assert reached.has(*now)


def test_a_pod_that_came_later_is_not_missed(reached: Reached) -> None:
    reached.see(pod("c", 11), gone=False)
    assert reached.has([pod("a", 3), pod("b", 5)], "9")


def test_a_pod_that_was_not_listed_again_went(reached: Reached) -> None:
    reached.listed([pod("b", 5)], "11")
    assert reached.has([pod("a", 3), pod("b", 5)], "9")
    assert reached.has([pod("a", 3), pod("b", 5), pod("c", 8)], "9"), "it was never seen"
