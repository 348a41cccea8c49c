"""A connection to an API server that is kept open, for a program that speaks to it all the time."""

import base64
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.controlplane.api import RefusedError

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
TIMEOUT_S = 60.0
WATCH_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An API server, and who speaks to it.

    Without an authority it is a proxy that speaks plainly and knows who asks.
    """

    host: str
    port: int
    token: str
    authority: str

    @classmethod
    def of(cls, kubeconfig: Path) -> "Server":
        """Read the current context of a kubeconfig, with a token or of a proxy."""
        config = yaml.safe_load(kubeconfig.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        address = urlsplit(cluster["server"])
        authority = cluster.get("certificate-authority-data", "")
        return cls(
            host=address.hostname or "",
            port=address.port or 443,
            token=_named(config["users"], context["user"])["user"].get("token", ""),
            authority=base64.b64decode(authority).decode(),
        )

    def connect(self, timeout_s: float) -> http.client.HTTPConnection:
        """Open a connection at its first request."""
        if not self.authority:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        context = ssl.create_default_context(cadata=self.authority)
        return http.client.HTTPSConnection(self.host, self.port, context=context, timeout=timeout_s)

    @property
    def headers(self) -> dict[str, str]:
        """What every request says."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Link:
    """Sends one request after the other over one connection, which is made anew when it breaks."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> Any:  # noqa: ANN401 JSON
        """Read an object or a list."""
        return self.send("GET", path)

    def send(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Any:  # noqa: ANN401 JSON
        """Send a request and give what comes back.

        Raises:
            RefusedError: the answer is no success.
            OSError: there is no answer.
        """
        if self._connection is None:
            self._connection = self._server.connect(TIMEOUT_S)
        headers = {**self._server.headers, "Content-Type": content_type}
        text = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, body=text, headers=headers)
            answer = self._connection.getresponse()
            read = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._connection = None
            raise ConnectionError(f"{method} {path}: {error!r}") from error
        return json.loads(_successful(answer, read))

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def watch(server: Server, path: str, version: str) -> Iterator[Any]:
    """Give the events of a collection after a version, until the server ends it.

    Raises:
        RefusedError: the version is too old, for example.
        OSError: the connection is cut.
    """
    connection = server.connect(WATCH_S + TIMEOUT_S)
    query = f"watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={WATCH_S}"
    try:
        connection.request("GET", f"{path}?{query}", headers=server.headers)
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            _successful(answer, answer.read())
        while line := answer.readline():
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise RefusedError(event["object"].get("code", 0), line)
            yield event
    except http.client.HTTPException as error:
        raise ConnectionError(f"watch {path}: {error!r}") from error
    finally:
        connection.close()


def _successful(answer: http.client.HTTPResponse, text: bytes) -> bytes:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise RefusedError(answer.status, text)
    return text


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in entries if each["name"] == name)
