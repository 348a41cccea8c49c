"""Real controllers, and those that stand in for OpenKruise's, do what the contract says.

The same scenarios as in the simulated cluster: the same pods, in the same order, as many at once.
With PLANNER_E2E_KUBECONFIG they are those of the cluster of its first context: OpenKruise's own,
where it is installed.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.controlplane.conftest import add_nodes
from tests.controlplane.definitions import definitions
from tests.controlplane.given import Plane, given_clusters, is_given, wants_room
from tests.controlplane.plane import ControlPlane
from tests.controlplane.realbed import RealBed, real_bed
from tests.controlplane.versions import VERSIONS
from tests.controlplane.wait import until
from tests.simulate.contract.controllers import ControllersContract

if TYPE_CHECKING:
    from collections.abc import Iterator

HURRY = 10
# The simulated StatefulSets of 1.35 and later know maxUnavailable; in 1.36.3 the gate is still off
# until somebody turns it on, and then the API server drops the field.
GATES = ("MaxUnavailableStatefulSet",)
MESH = [f"/apis/apps.kruise.io/{version}/sidecarsets/mesh" for version in VERSIONS]
# A name that nobody has, on whichever cluster.
SPACES = f"contract-{secrets.token_hex(4)}"
_numbers = count(1)


@pytest.fixture(scope="module")
def quick_plane(tools: None) -> Iterator[Plane]:  # noqa: ARG001 skips
    """A control plane on which pods take a tenth of the time; or a cluster that is given."""
    if not is_given():
        with our_own() as plane:
            yield plane
        return
    with given_clusters() as clusters:
        given = clusters["hangzhou"]
        wants_room({"hangzhou": given}, *MESH)
        yield given
        until("its namespaces are gone", lambda: not spaces(given), deadline_s=300)


@contextmanager
def our_own() -> Iterator[ControlPlane]:
    plane = ControlPlane("contract", hurry=HURRY, gates=GATES)
    try:
        plane.start(first=definitions("v1beta1", "v1alpha1"))
        plane.start_stand_in()
        add_nodes(plane, 12)
        yield plane
    finally:
        plane.stop()


@pytest.fixture
def bed(quick_plane: Plane) -> Iterator[RealBed]:
    with real_bed(quick_plane, f"{SPACES}-{next(_numbers)}") as made:
        yield made


def spaces(plane: Plane) -> list[str]:
    """Namespaces of these tests that are still there."""
    names = (each["metadata"]["name"] for each in plane.admin.get("/api/v1/namespaces")["items"])
    return [name for name in names if name.startswith(SPACES)]


class TestRealControllers(ControllersContract):
    """On a real API server."""
