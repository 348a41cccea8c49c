"""How long moves are expected to take where no run has shown it: as pods that are there started."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from benches.request import Regime
from tests.fleets import Recorded, recorded

if TYPE_CHECKING:
    from collections.abc import Collection

MADE = "2026-11-01T08:00:00Z"


def started(seconds: int, names: Collection[str] | None = None) -> Recorded:
    """A fleet whose pods, or those of these names, were Ready so late; others tell nothing."""

    def change(name: str, item: dict[str, Any]) -> None:
        if not name.startswith("pods"):
            return
        tells = names is None or item["metadata"]["name"] in names
        item["metadata"]["creationTimestamp"] = MADE
        status = item["status"]
        for condition in status.get("conditions", ()):
            condition["lastTransitionTime"] = f"2026-11-01T08:00:{seconds:02}Z"
        for container in status.get("containerStatuses", ()):
            container["restartCount"] = 0 if tells else 1

    return recorded(100, 1, Regime.LOOSE).with_objects(change)


def seconds(fleet: Recorded) -> list[float]:
    """How long each wave is expected to take."""
    waves = msgspec.json.decode(fleet.plan().header())["per_wave"]
    return [each["seconds"] for each in waves]


def names_of_the_largest() -> list[str]:
    """Pods of the workload that has most of them."""
    pods = [
        pod
        for name, text in recorded(100, 1, Regime.LOOSE).lists.items()
        if name.startswith("pods")
        for pod in msgspec.json.decode(text)["items"]
    ]
    owners = Counter(pod["metadata"]["ownerReferences"][0]["uid"] for pod in pods)
    (largest, _), *_ = owners.most_common(1)
    return [
        pod["metadata"]["name"]
        for pod in pods
        if pod["metadata"]["ownerReferences"][0]["uid"] == largest
    ]


def test_waves_are_expected_to_take_as_long_as_pods_took_to_start() -> None:
    quick, slow = seconds(started(4)), seconds(started(20))
    assert {after - before for before, after in zip(quick, slow, strict=True)} == {16}


def test_a_workload_whose_pods_tell_nothing_starts_as_its_cluster_does() -> None:
    assert seconds(started(4, names_of_the_largest())) == seconds(started(4))


def test_two_pods_of_a_cluster_are_no_observation() -> None:
    nothing = seconds(started(4, ()))
    assert seconds(started(4, names_of_the_largest()[:2])) == nothing
    assert min(nothing) > max(seconds(started(4)))
