"""What every bed's controllers have to do: the traps of their rules, one a test.

Written against `Bed` alone, so that whatever runs the rules can be put under the same tests.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulate.contract.bed import Bed, Object
from tests.simulate.contract.workloads import (
    NEW,
    OLD,
    advanced_stateful_set,
    clone_set,
    deployment,
    sidecar_set,
    stateful_set,
)

Make = Callable[..., dict[str, Any]]
FIRST = {"canary": "yes"}
BY_LABEL = {"weightPriority": [{"weight": 100, "matchSelector": {"matchLabels": FIRST}}]}


def started(bed: Bed, *documents: Object) -> None:
    for document in documents:
        bed.apply(document)
    bed.settle()
    bed.watch()


def images(bed: Bed, container: str = "main") -> Counter[str]:
    return Counter(
        each["image"]
        for pod in bed.pods()
        for each in pod["spec"]["containers"]
        if each["name"] == container
    )


def uids(bed: Bed) -> dict[str, str]:
    return {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in bed.pods()}


class ControllersContract:
    """Collected where a class of a test module takes it over and there is a fixture `bed`."""

    @pytest.mark.parametrize("make", [clone_set, advanced_stateful_set, stateful_set, deployment])
    def test_a_workload_gets_its_pods_and_then_all_of_them_the_new_image(
        self, bed: Bed, make: Make
    ) -> None:
        started(bed, make(OLD))
        replicas = make(OLD)["spec"]["replicas"]
        assert images(bed) == {OLD: replicas}
        bed.apply(make(NEW))
        bed.settle()
        assert images(bed) == {NEW: replicas}

    @pytest.mark.parametrize("make", [clone_set, advanced_stateful_set])
    def test_a_new_image_alone_leaves_every_pod_where_it_is(self, bed: Bed, make: Make) -> None:
        started(bed, make(OLD))
        before = uids(bed)
        bed.apply(make(NEW))
        bed.settle()
        assert uids(bed) == before
        assert bed.most_down() == 2

    @pytest.mark.parametrize("make", [clone_set, advanced_stateful_set])
    def test_anything_but_an_image_makes_new_pods(self, bed: Bed, make: Make) -> None:
        started(bed, make(OLD))
        before = uids(bed)
        changed = make(NEW)
        changed["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
        bed.apply(changed)
        bed.settle()
        assert images(bed) == {NEW: 10}
        assert uids(bed).keys().isdisjoint(before)
        assert bed.most_down() == 2

    @pytest.mark.parametrize("make", [clone_set, advanced_stateful_set])
    def test_recreate_makes_new_pods_for_an_image(self, bed: Bed, make: Make) -> None:
        started(bed, make(OLD, podUpdatePolicy="ReCreate"))
        before = uids(bed)
        bed.apply(make(NEW, podUpdatePolicy="ReCreate"))
        bed.settle()
        assert uids(bed).keys().isdisjoint(before)

    def test_in_place_only_leaves_what_cannot_go_in_place(self, bed: Bed) -> None:
        started(bed, clone_set(OLD, podUpdatePolicy="InPlaceOnly"))
        changed = clone_set(NEW, podUpdatePolicy="InPlaceOnly")
        changed["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
        bed.apply(changed)
        bed.settle()
        assert images(bed) == {OLD: 10}

    @pytest.mark.parametrize(
        ("partition", "new"), [("100%", 0), ("99%", 1), ("50%", 5), ("1%", 9), (3, 7), (0, 10)]
    )
    def test_a_partition_of_a_clone_set_keeps_so_many_old(
        self, bed: Bed, partition: int | str, new: int
    ) -> None:
        started(bed, clone_set(OLD, partition=partition))
        bed.apply(clone_set(NEW, partition=partition))
        bed.settle()
        assert images(bed)[NEW] == new

    def test_raising_a_partition_takes_nothing_back(self, bed: Bed) -> None:
        started(bed, clone_set(OLD, partition=6))
        bed.apply(clone_set(NEW, partition=6))
        bed.settle()
        bed.apply(clone_set(NEW, partition=9))
        bed.settle()
        assert images(bed) == {NEW: 4, OLD: 6}

    @pytest.mark.parametrize("make", [clone_set, advanced_stateful_set])
    def test_a_paused_workload_does_not_move(self, bed: Bed, make: Make) -> None:
        started(bed, make(OLD, paused=True))
        bed.apply(make(NEW, paused=True))
        bed.settle()
        assert images(bed) == {OLD: 10}

    def test_the_pods_that_a_priority_names_go_first(self, bed: Bed) -> None:
        started(bed, clone_set(OLD, partition="100%"))
        chosen = [pod["metadata"]["name"] for pod in bed.pods()][3:6]
        for name in chosen:
            bed.label(name, FIRST)
        bed.settle()  # Pods and workloads come to a controller by ways of their own.
        bed.watch()
        bed.apply(clone_set(NEW, partition=7, priorityStrategy=BY_LABEL))
        bed.settle()
        assert sorted(bed.order()) == chosen

    def test_pods_without_the_key_of_an_order_go_before_those_that_have_it(self, bed: Bed) -> None:
        started(bed, clone_set(OLD, partition="100%"))
        chosen = [pod["metadata"]["name"] for pod in bed.pods()][:3]
        for number, name in enumerate(chosen):
            bed.label(name, {"rank": f"r-{number}"})
        bed.settle()
        bed.watch()
        order = {"orderPriority": [{"orderedKey": "rank"}]}
        bed.apply(clone_set(NEW, priorityStrategy=order))
        bed.settle()
        # The larger number goes first.
        assert bed.order()[-3:] == chosen[::-1]

    def test_surge_pods_come_first_and_nothing_is_down_for_them(self, bed: Bed) -> None:
        surging: dict[str, Any] = {
            "maxSurge": 2,
            "maxUnavailable": 0,
            "podUpdatePolicy": "ReCreate",
        }
        started(bed, clone_set(OLD, **surging))
        bed.apply(clone_set(NEW, **surging))
        bed.settle()
        assert (images(bed), bed.most_down()) == ({NEW: 10}, 0)

    def test_a_pod_that_is_marked_is_removed_and_replaced(self, bed: Bed) -> None:
        started(bed, clone_set(OLD))
        name = bed.pods()[4]["metadata"]["name"]
        bed.label(name, {"apps.kruise.io/specified-delete": "true"})
        bed.settle()
        left = [pod["metadata"]["name"] for pod in bed.pods()]
        assert (len(left), name in left) == (10, False)

    def test_a_budget_that_broken_pods_use_up_holds_back_a_pod_that_serves(self, bed: Bed) -> None:
        started(bed, clone_set(OLD, partition="100%"))
        names = [pod["metadata"]["name"] for pod in bed.pods()]
        bed.label(names[0], FIRST)
        for name in names[5:7]:
            bed.break_pod(name)
        bed.settle()
        bed.apply(clone_set(NEW, partition=9, priorityStrategy=BY_LABEL))
        bed.settle()
        assert images(bed) == {OLD: 10}

    def test_broken_pods_go_free_but_no_more_at_once_than_may_be_unavailable(
        self, bed: Bed
    ) -> None:
        started(bed, clone_set(OLD))
        for pod in bed.pods()[:5]:
            bed.break_pod(pod["metadata"]["name"])
        bed.settle()
        bed.never_ready(NEW)
        bed.apply(clone_set(NEW))
        bed.settle()
        assert images(bed) == {NEW: 2, OLD: 8}

    @pytest.mark.parametrize("make", [stateful_set, advanced_stateful_set])
    def test_ordinals_go_from_the_top_down_to_the_partition(self, bed: Bed, make: Make) -> None:
        rolling = {"partition": 2, "maxUnavailable": 1}
        started(bed, make(OLD, replicas=5, **rolling))
        bed.apply(make(NEW, replicas=5, **rolling))
        bed.settle()
        assert bed.order() == ["store-4", "store-3", "store-2"]
        assert images(bed) == {NEW: 3, OLD: 2}

    def test_reserved_ordinals_are_passed_over(self, bed: Bed) -> None:
        workload = advanced_stateful_set(OLD, replicas=4)
        workload["spec"]["reserveOrdinals"] = [1, "3-4"]
        started(bed, workload)
        assert [pod["metadata"]["name"] for pod in bed.pods()] == [
            "store-0",
            "store-2",
            "store-5",
            "store-6",
        ]

    @pytest.mark.parametrize(
        ("make", "new"), [(stateful_set, {OLD: 5}), (advanced_stateful_set, {NEW: 5})]
    )
    def test_broken_old_pods_stop_a_stateful_set_and_not_an_advanced_one(
        self, bed: Bed, make: Make, new: dict[str, int]
    ) -> None:
        """The same input, opposite outcome."""

        def parallel(image: str) -> dict[str, Any]:
            made = make(image, replicas=5, maxUnavailable=1)
            made["spec"]["podManagementPolicy"] = "Parallel"
            return made

        started(bed, parallel(OLD))
        bed.break_pod("store-4")
        bed.settle()
        bed.apply(parallel(NEW))
        bed.settle()
        assert images(bed) == new

    @pytest.mark.parametrize("make", [clone_set, advanced_stateful_set])
    def test_an_image_that_never_comes_up_takes_down_no_more_than_allowed(
        self, bed: Bed, make: Make
    ) -> None:
        started(bed, make(OLD))
        bed.never_ready(NEW)
        bed.apply(make(NEW))
        bed.settle()
        assert (bed.most_down(), images(bed)) == (2, {NEW: 2, OLD: 8})

    @pytest.mark.parametrize(
        ("replicas", "rolling", "down"),
        [
            (10, {"maxSurge": "25%", "maxUnavailable": "25%"}, 2),
            (3, {"maxSurge": "25%", "maxUnavailable": "25%"}, 0),
            (10, {"maxSurge": 0, "maxUnavailable": "35%"}, 3),
        ],
    )
    def test_a_deployment_rounds_surge_up_and_unavailable_down(
        self, bed: Bed, replicas: int, rolling: dict[str, Any], down: int
    ) -> None:
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
        started(bed, deployment(OLD, replicas, strategy=strategy))
        bed.apply(deployment(NEW, replicas, strategy=strategy))
        bed.settle()
        assert (images(bed), bed.most_down()) == ({NEW: replicas}, down)

    def test_recreate_takes_a_deployment_down_as_a_whole(self, bed: Bed) -> None:
        started(bed, deployment(OLD, 4, strategy={"type": "Recreate"}))
        bed.apply(deployment(NEW, 4, strategy={"type": "Recreate"}))
        bed.settle()
        assert (images(bed), bed.most_down()) == ({NEW: 4}, 4)

    def test_deletion_costs_name_the_pods_that_a_deployment_gives_up(self, bed: Bed) -> None:
        started(bed, deployment(OLD, 6))
        names = [pod["metadata"]["name"] for pod in bed.pods()]
        for name in names[2:4]:
            bed.annotate(name, {"controller.kubernetes.io/pod-deletion-cost": "-10"})
        bed.settle()
        bed.apply(deployment(OLD, 4))
        bed.settle()
        assert [pod["metadata"]["name"] for pod in bed.pods()] == [*names[:2], *names[4:]]

    def test_a_sidecar_changes_in_every_pod_without_a_new_one(self, bed: Bed) -> None:
        mesh = "registry.example.com/mesh:{}"
        started(bed, sidecar_set(mesh.format("1.0.0")), clone_set(OLD))
        before = uids(bed)
        bed.apply(sidecar_set(mesh.format("1.1.0")))
        bed.settle()
        assert images(bed, "mesh") == {mesh.format("1.1.0"): 10}
        assert (uids(bed), bed.most_down()) == (before, 2)

    def test_only_selected_pods_get_the_new_sidecar(self, bed: Bed) -> None:
        mesh = "registry.example.com/mesh:{}"
        started(bed, sidecar_set(mesh.format("1.0.0")), clone_set(OLD))
        name = bed.pods()[7]["metadata"]["name"]
        bed.label(name, FIRST)
        bed.settle()
        bed.watch()
        bed.apply(sidecar_set(mesh.format("1.1.0"), selector={"matchLabels": FIRST}))
        bed.settle()
        assert bed.order() == [name]

    def test_a_sidecar_that_differs_in_more_than_images_reaches_only_new_pods(
        self, bed: Bed
    ) -> None:
        mesh = "registry.example.com/mesh:{}"
        started(bed, sidecar_set(mesh.format("1.0.0")), clone_set(OLD, podUpdatePolicy="ReCreate"))
        changed = sidecar_set(mesh.format("1.1.0"))
        changed["metadata"]["annotations"]["kruise.io/sidecarset-hash-without-image"] = "other"
        changed["spec"]["containers"][0]["args"] = ["--other"]
        bed.apply(changed)
        bed.settle()
        assert images(bed, "mesh") == {mesh.format("1.0.0"): 10}
        bed.apply(clone_set(NEW, podUpdatePolicy="ReCreate", partition=6))
        bed.settle()
        assert images(bed, "mesh") == {mesh.format("1.0.0"): 6, mesh.format("1.1.0"): 4}

    def test_a_partition_of_a_sidecar_set_is_cut_from_what_waits(self, bed: Bed) -> None:
        mesh = "registry.example.com/mesh:{}"
        started(bed, sidecar_set(mesh.format("1.0.0")), clone_set(OLD))
        bed.apply(sidecar_set(mesh.format("1.1.0"), partition="70%"))
        bed.settle()
        assert images(bed, "mesh")[mesh.format("1.1.0")] == 3
