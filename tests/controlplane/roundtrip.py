"""Goes once round all processes of a plane: then none of them has stood still for so long."""

from typing import Final

from tests.controlplane import fleet
from tests.controlplane.api import Api
from tests.controlplane.seen import has_settled, wait_seen
from tests.controlplane.versions import as_served, served
from tests.controlplane.wait import until

NAME: Final = "round-trip"
"""Of what is made for it, and the label `app` of its pods."""


class RoundTrip:
    """Lets every controller, the scheduler and a kubelet do something, and waits until it is done.

    What they were told before that they have heard, too.
    """

    def __init__(self, api: Api, space: str) -> None:
        """Make one in a namespace, with which it goes."""
        self._api, self._space = api, space
        self._trips = 0
        self._has_kruise = served(api, "apps.kruise.io", "clonesets") is not None

    def go(self) -> None:
        """Go round once."""
        self._trips += 1
        path, deployment = fleet.workload(
            "Deployment", NAME, image=f"{fleet.REGISTRY}/cart:1.0.0", space=self._space
        )
        mark = {"annotations": {"tests/trip": str(self._trips)}}
        deployment["spec"]["template"]["metadata"] |= mark
        self._api.apply(path, deployment)
        if self._has_kruise:
            its, clone_set = as_served(self._api, *self._clone_set())
            self._api.apply(its, clone_set)
            wait_seen(self._api, its)
        until("another pod is ready", lambda: has_settled(self._api.get(path), 1))

    def _clone_set(self) -> tuple[str, fleet.Manifest]:
        """Of OpenKruise's controllers only one process has to do something."""
        spec = {
            "replicas": 0,
            "revisionHistoryLimit": self._trips,
            "selector": {"matchLabels": {"app": NAME}},
            "template": fleet.template(NAME, f"{fleet.REGISTRY}/cart:1.0.0"),
        }
        return fleet.custom("apps.kruise.io", "v1beta1", "clonesets", NAME, spec, space=self._space)
