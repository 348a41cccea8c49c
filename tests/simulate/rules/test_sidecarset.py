"""Which pods a SidecarSet is of."""

from typing import Any

import pytest

from planner.simulate.rules.sidecarset import matched

POD: dict[str, Any] = {
    "metadata": {
        "name": "cart-1",
        "namespace": "trade",
        "labels": {"app": "cart"},
        "annotations": {"kruise.io/sidecarset-injected-list": "mesh"},
    },
    "spec": {"containers": [{"name": "mesh", "image": "mesh:1"}]},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("place", "found"),
    [({}, [POD]), ({"namespace": ""}, [POD]), ({"namespace": "trade"}, [POD]),
     ({"namespace": "shop"}, [])],
)  # fmt: skip
def test_a_set_of_v1alpha1_may_be_of_one_namespace(place: dict[str, str], found: list[Any]) -> None:
    spec = {"selector": {"matchLabels": {"app": "cart"}}, "containers": [{"name": "mesh"}], **place}
    assert matched({"metadata": {"name": "mesh"}, "spec": spec}, [POD]) == found
