"""Speaks to an API server over the standard library: shares no code with the planner."""

import http.client
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class RefusedError(RuntimeError):
    """The server said no.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, body[:500])
        self.status = status


def is_refused(status: int, ask: Callable[[], object]) -> bool:
    """Ask, and say whether the server refuses with this status; what else it refuses is raised."""
    try:
        ask()
    except RefusedError as refused:
        if refused.status != status:
            raise
        return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An API server as one identity, one connection a request.

    Without a certificate it is a proxy that speaks plainly and knows who asks.
    """

    port: int
    token: str
    certificate: Path | None

    def get(self, path: str) -> Any:  # noqa: ANN401 JSON
        """Read JSON."""
        return json.loads(self.request("GET", path))

    def raw(self, path: str) -> bytes:
        """Read bytes."""
        return self.request("GET", path)

    def apply(self, path: str, manifest: dict[str, Any]) -> None:
        """Create an object or make it so."""
        query = "fieldManager=tests&force=true"
        self.request("PATCH", f"{path}?{query}", manifest, content_type=APPLY)

    def patch(self, path: str, change: dict[str, Any]) -> None:
        """Merge a change into an object."""
        self.request("PATCH", path, change, content_type=MERGE)

    def merge(self, path: str, change: dict[str, Any]) -> None:
        """Merge a change into a built-in object, lists by the key of their items."""
        self.request("PATCH", path, change, content_type=STRATEGIC)

    def delete(self, path: str) -> None:
        """Delete an object."""
        self.request("DELETE", path)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
    ) -> bytes:
        """Send one request.

        Raises:
            RefusedError: the answer is no success.
            OSError: there is no answer.
        """
        headers = {"Content-Type": content_type}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = self._connection()
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers=headers,
            )
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"the answer is cut off: {error!r}") from error
        finally:
            connection.close()
        if not http.HTTPStatus.OK <= answer.status < http.HTTPStatus.MULTIPLE_CHOICES:
            raise RefusedError(answer.status, text)
        return text

    def _connection(self) -> http.client.HTTPConnection:
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        context = ssl.create_default_context(cafile=str(self.certificate))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=60)
