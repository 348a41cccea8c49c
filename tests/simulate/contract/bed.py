"""What a test of the controllers' rules needs of a cluster, whichever runs them."""

from collections.abc import Mapping
from typing import Any, Protocol

Object = Mapping[str, Any]


class Bed(Protocol):
    """A cluster in which objects are written and controllers answer."""

    def apply(self, document: Object) -> None:
        """Create a workload or SidecarSet, or write it anew."""
        ...

    def settle(self) -> None:
        """Wait until the controllers and the nodes have nothing left to do."""
        ...

    def pods(self) -> list[Object]:
        """The pods that are there and not leaving, by name."""
        ...

    def label(self, pod: str, labels: Mapping[str, str]) -> None:
        """Set labels of a pod."""
        ...

    def annotate(self, pod: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of a pod."""
        ...

    def break_pod(self, pod: str) -> None:
        """Make a pod not Ready until it gets another image or another takes its place."""
        ...

    def never_ready(self, image: str) -> None:
        """Containers with this image never become ready."""
        ...

    def watch(self) -> None:
        """Forget what was counted, and begin to count."""
        ...

    def most_down(self) -> int:
        """Most pods that were not serving at once since `watch`, of those that there were then."""
        ...

    def order(self) -> list[str]:
        """Names of the pods that were taken since `watch`, in order, each once."""
        ...
