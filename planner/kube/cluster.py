"""What the planner asks of a live cluster: bytes as the API server sends them."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol


class Cluster(Protocol):
    """One API server as one identity. Threads may share it.

    Every method raises ClusterError when the server cannot be reached, refuses, or falls silent.
    """

    def get(self, path: str, query: Mapping[str, str]) -> bytes:
        """Give the body of a successful answer.

        Args:
            path: such as `/api/v1/pods`.
            query: parameters, not yet encoded.
        """
        ...

    def stream(
        self, path: str, query: Mapping[str, str], *, silence_s: float
    ) -> AbstractContextManager[Iterator[bytes]]:
        """Open a watch and give its bytes as they come, in pieces of any size.

        Args:
            path: such as `/api/v1/pods`.
            query: parameters, not yet encoded.
            silence_s: a connection that brings nothing for so long is given up.
        """
        ...

    def interrupt(self) -> None:
        """End every request that is under way, and refuse new ones."""
        ...
