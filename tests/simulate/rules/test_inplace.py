"""What can be changed in place, and when such a change is complete."""

import json
from typing import Any

import pytest

from planner.simulate.rules.inplace import images_in_place, is_complete

OLD, NEW = "cart:1", "cart:2"


def template(*images: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    return {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": containers, **spec}}


def pod(image: str, status: str, image_id: str, **state: Any) -> dict[str, Any]:  # noqa: ANN401
    state = {"lastContainerStatuses": {"main": {"imageID": "sha256:old"}}, **state}
    annotations = {"apps.kruise.io/inplace-update-state": json.dumps(state)}
    return {
        "metadata": {"name": "cart-1", "annotations": annotations},
        "spec": {"containers": [{"name": "main", "image": image}]},
        "status": {"containerStatuses": [{"name": "main", "image": status, "imageID": image_id}]},
    }


@pytest.mark.parametrize(
    ("old", "new", "images"),
    [
        (template(OLD), template(NEW), {"c0": NEW}),
        (template(OLD, "mesh:1"), template(NEW, "mesh:2"), {"c0": NEW, "c1": "mesh:2"}),
        (template(OLD), {**template(NEW), "metadata": {"labels": {"app": "x"}}}, {"c0": NEW}),
        (template(OLD), template(OLD, hostNetwork=True), None),
        (template(OLD), template(OLD, "mesh:1"), None),
        (template(OLD, initContainers=[{"image": "a"}]), template(OLD, initContainers=[]), None),
        (template(OLD), template(OLD, hostNetwork=None), {}),
        (None, template(NEW), None),
    ],
)
def test_only_images_by_index_and_metadata_go_in_place(
    old: Any,  # noqa: ANN401
    new: Any,  # noqa: ANN401
    images: dict[str, str] | None,
) -> None:
    assert images_in_place(old, new) == images


@pytest.mark.parametrize(
    ("changed", "complete"),
    [
        (pod(NEW, OLD, "sha256:old"), False),
        (pod(NEW, NEW, "sha256:new"), True),
        (pod(NEW, "elsewhere:2", "sha256:new"), True),
        (pod(NEW, NEW, "sha256:old"), True),
        (pod("cart", "cart:latest", "sha256:old"), True),
        (pod(NEW, NEW, "sha256:new", nextContainerImages={"side": "x"}), False),
        (pod(NEW, NEW, "sha256:new", nextContainerRefMetadata={"side": {}}), False),
        (pod(NEW, NEW, "sha256:new", nextContainerResources={"side": {}}), False),
    ],
)
def test_an_update_is_complete_when_the_image_moved_or_its_name_arrived(
    changed: dict[str, Any], *, complete: bool
) -> None:
    assert is_complete(changed) is complete


def test_within_its_grace_period_the_label_lies() -> None:
    waiting = pod(OLD, OLD, "sha256:old")
    waiting["metadata"]["annotations"]["apps.kruise.io/inplace-update-grace"] = "{}"
    assert not is_complete(waiting)
