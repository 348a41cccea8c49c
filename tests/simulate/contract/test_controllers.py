"""The simulated controllers do what the contract says."""

from typing import Any

import pytest

from tests.simulate.contract.bed import Bed
from tests.simulate.contract.controllers import ControllersContract, images, started, uids
from tests.simulate.contract.simulated import SimulatedBed
from tests.simulate.contract.workloads import NEW, OLD, clone_set, deployment


@pytest.fixture
def bed() -> Bed:
    return SimulatedBed()


class TestSimulatedControllers(ControllersContract):
    """In the simulated cluster, which also takes what an API server converts or refuses."""

    def test_the_flat_strategy_of_v1alpha1_is_understood(self, bed: Bed) -> None:
        def flat(image: str) -> dict[str, Any]:
            made = clone_set(image)
            made["apiVersion"] = "apps.kruise.io/v1alpha1"
            made["spec"]["updateStrategy"] = {"type": "InPlaceIfPossible", "partition": 7}
            return made

        started(bed, flat(OLD))
        before = uids(bed)
        bed.apply(flat(NEW))
        bed.settle()
        assert (images(bed)[NEW], uids(bed), bed.most_down()) == (3, before, 2)

    def test_a_deployment_that_may_neither_surge_nor_miss_one_misses_one(self, bed: Bed) -> None:
        rolling = {"maxSurge": 0, "maxUnavailable": 0}
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
        started(bed, deployment(OLD, strategy=strategy))
        bed.apply(deployment(NEW, strategy=strategy))
        bed.settle()
        assert (images(bed), bed.most_down()) == ({NEW: 10}, 1)
