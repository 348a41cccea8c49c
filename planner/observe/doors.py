"""The door to each live cluster that a kubeconfig names."""

from collections.abc import Mapping
from pathlib import Path

from planner.kube.cluster import Cluster
from planner.observe.live import CONNECTIONS


def doors_of(contexts: Mapping[str, str], kubeconfig: Path | None) -> Mapping[str, Cluster]:
    """Make the door to each cluster; nothing is sent yet.

    Raises:
        UsageError: the kubeconfig cannot be read, or has no such context.
    """
    from planner.kube.live import connect  # noqa: PLC0415 the client takes a second to import

    return {
        name: connect(context, kubeconfig=kubeconfig, connections=CONNECTIONS)
        for name, context in contexts.items()
    }
