"""What the planner asks of a live cluster: bytes as the API server sends them."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        method: of HTTP.
        path: such as `/api/v1/pods`.
        query: parameters, not yet encoded.
        body: a JSON value; None for none.
        content_type: of the body; says which kind of patch it is.
    """

    method: Method
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer, and what the server warned of."""

    body: bytes
    warnings: tuple[str, ...] = ()


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

    def send(self, call: Call) -> Answer:
        """Send a request and give its successful answer.

        A timed out write may have happened all the same.
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
