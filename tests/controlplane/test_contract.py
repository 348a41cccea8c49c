"""Real controllers, and those that stand in for OpenKruise's, do what the contract says.

The same scenarios as in the simulated cluster: the same pods, in the same order, as many at once.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.controlplane.conftest import add_nodes
from tests.controlplane.definitions import definitions
from tests.controlplane.plane import ControlPlane
from tests.controlplane.realbed import RealBed, real_bed
from tests.simulate.contract.controllers import ControllersContract

if TYPE_CHECKING:
    from collections.abc import Iterator

HURRY = 10
# The simulated StatefulSets of 1.35 and later know maxUnavailable; in 1.36.3 the gate is still off
# until somebody turns it on, and then the API server drops the field.
GATES = ("MaxUnavailableStatefulSet",)
_numbers = count(1)


@pytest.fixture(scope="module")
def quick_plane(tools: None) -> Iterator[ControlPlane]:  # noqa: ARG001 skips
    """A control plane on which pods take a tenth of the time."""
    plane = ControlPlane("contract", hurry=HURRY, gates=GATES)
    try:
        plane.start(first=definitions("v1beta1", "v1alpha1"))
        plane.start_stand_in()
        add_nodes(plane, 12)
        yield plane
    finally:
        plane.stop()


@pytest.fixture
def bed(quick_plane: ControlPlane) -> Iterator[RealBed]:
    with real_bed(quick_plane, f"contract-{next(_numbers)}") as made:
        yield made


class TestRealControllers(ControllersContract):
    """On a real API server."""
