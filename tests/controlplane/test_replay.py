"""Recorded upgrades by OpenKruise's controllers, once more by the stand-in on a real API server."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.agreement.compare import Agreement, compare
from tests.agreement.operations import Operation, operations_of
from tests.agreement.recording import Recording
from tests.controlplane.conftest import add_nodes
from tests.controlplane.definitions import definitions
from tests.controlplane.plane import ControlPlane
from tests.controlplane.replayed import Stage
from tests.simulate.measured import predicted_by
from tests.simulate.real import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of the recorded cluster.
NODES = 60


@pytest.fixture(scope="module")
def empty_plane(tools: None) -> Iterator[ControlPlane]:  # noqa: ARG001 skips
    """A plane with the nodes of the recorded cluster; containers restart in a third of the time."""
    plane = ControlPlane("replay", hurry=3)
    try:
        plane.start(first=definitions("v1beta1", "v1alpha1"))
        add_nodes(plane, NODES)
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="module")
def recording() -> Recording:
    return Recording()


def named(recording: Recording, name: str) -> Operation:
    return next(it for it in operations_of(recording) if it.name == name)


def replayed(plane: ControlPlane, operation: Operation, recording: Recording) -> Agreement:
    stage = Stage(plane, operation, recording, time.time)  # noqa: TID251 the server's own
    return compare(operation, predicted_by(operation, stage.replay()), recording)


def row(measured: Agreement, stand_in: str) -> tuple[str, ...]:
    """The row of docs/simulation.md."""
    shares = (measured.pods, measured.order.pairs, measured.across.pairs, measured.ways)
    return (measured.name, measured.kind, *map(str, shares), str(measured.at_once), stand_in)


@pytest.mark.parametrize("name", ["cart", "image-resizer", "tair"])
def test_the_same_pods_of_a_workload_go_in_the_same_order_and_as_many_at_once(
    empty_plane: ControlPlane, recording: Recording, name: str
) -> None:
    measured = replayed(empty_plane, named(recording, name), recording)
    assert row(measured, str(measured.limit)) in ROWS


def test_a_sidecar_set_takes_the_same_pods_of_all_workloads_in_the_same_order(
    empty_plane: ControlPlane, recording: Recording
) -> None:
    first, second = (named(recording, f"log-tail ({it})") for it in ("5", "20%"))
    whole = replace(first, name="log-tail", end=second.end, interrupted=False)
    measured = replayed(empty_plane, whole, recording)
    assert measured.limit <= int(ROWS[-1][-1].removeprefix("at most "))
    assert row(measured, ROWS[-1][-1]) in ROWS
