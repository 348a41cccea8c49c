"""A cluster that a kubeconfig names, over the transport of the official client.

Of that client we use the kubeconfig with its ways to authenticate, and the connections. Its models
would make objects of what Rust reads faster, and would lose fields that they do not know.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

import msgspec
import urllib3
import yaml
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import load_kube_config

from planner.errors import ClusterError, UsageError
from planner.kube.cluster import Answer, Call

CONNECT_S: Final = 10.0
# The server bounds a list by 60 s; between two pieces of one answer there is less.
READ_S: Final = 60.0
# The server bounds a write by 34 s.
WRITE_S: Final = 40.0
PIECE_BYTES: Final = 1 << 16
SUCCESS: Final = range(200, 300)
# What the client raises at a kubeconfig that is not one.
_UNREADABLE: Final = (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError)


class _Details(msgspec.Struct, frozen=True, rename="camel"):
    retry_after_seconds: float = 0.0


class Status(msgspec.Struct, frozen=True):
    """What an API server says instead of an object."""

    kind: str = ""
    status: Any = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    details: _Details | None = None

    def error(self) -> ClusterError:
        """Give it as an exception."""
        wait_s = self.details.retry_after_seconds if self.details else 0.0
        return ClusterError(
            self.code, self.message or self.reason, reason=self.reason, retry_after_s=wait_s
        )


class LiveCluster:
    """An API server behind a configured client."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._lock = Lock()
        self._open: set[urllib3.BaseHTTPResponse] = set()
        self._interrupted = False

    def get(self, path: str, query: Mapping[str, str]) -> bytes:
        """Give the body of a successful answer."""
        call = Call(method="GET", path=path, query=query)
        with self._answer(call, READ_S, {"Accept-Encoding": "gzip"}) as response:
            return response.read(decode_content=True)

    def send(self, call: Call) -> Answer:
        """Send a request and give its successful answer."""
        with self._answer(call, WRITE_S, {"Content-Type": call.content_type}) as response:
            warnings = response.headers.getlist("Warning")
            body = response.read(decode_content=True)
        # An eviction that is refused may come as a success whose body says otherwise.
        if (status := _read_status(body)) and status.status == "Failure":
            raise status.error()
        return Answer(body=body, warnings=tuple(map(_warned, warnings)))

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, str], *, silence_s: float
    ) -> Iterator[Iterator[bytes]]:
        """Open a watch and give its bytes as they come."""
        call = Call(method="GET", path=path, query=query)
        with self._answer(call, silence_s, {}) as response:
            yield response.stream(PIECE_BYTES, decode_content=True)

    def interrupt(self) -> None:
        """End every request that is under way, and refuse new ones."""
        with self._lock:
            self._interrupted = True
            responses = list(self._open)
        for response in responses:
            # One that has just ended has no connection to shut down.
            with suppress(ValueError, OSError, RuntimeError):
                response.shutdown()

    @contextmanager
    def _answer(
        self, call: Call, read_s: float, headers: Mapping[str, str]
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        with _translated():
            response = self._request(call, read_s, headers)
            try:
                self._register(response)
                if response.status not in SUCCESS:
                    raise _refusal(response)
                yield response
            finally:
                with self._lock:
                    self._open.discard(response)
                # A connection whose answer was not read to its end is of no further use.
                response.close()

    def _request(
        self, call: Call, read_s: float, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        method, url, sent, body, *_ = self._client.param_serialize(
            call.method,
            call.path,
            query_params=list(call.query.items()),
            header_params={"Accept": "application/json", **headers},
            body=call.body,
            auth_settings=["BearerToken"],
        )
        answer: Any = self._client.call_api(
            method, url, sent, body=body, _request_timeout=(CONNECT_S, read_s)
        )
        response: urllib3.BaseHTTPResponse = answer.response
        return response

    def _register(self, response: urllib3.BaseHTTPResponse) -> None:
        with self._lock:
            if self._interrupted:
                raise ClusterError(0, "interrupted")
            self._open.add(response)


def connect(context: str, *, kubeconfig: Path | None, connections: int) -> LiveCluster:
    """Make the door to the cluster of a context; nothing is sent yet.

    Args:
        context: of the kubeconfig.
        kubeconfig: None for KUBECONFIG or ~/.kube/config.
        connections: how many requests will be under way at once.

    Raises:
        UsageError: the kubeconfig cannot be read, or has no such context.
    """
    configuration = Configuration()
    # Whoever asks knows better when to ask again.
    configuration.retries = False
    configuration.connection_pool_maxsize = connections
    # A peer that is gone without a word is noticed by the kernel.
    configuration.keep_alive = True
    place = str(kubeconfig) if kubeconfig else None
    try:
        load_kube_config(  # type: ignore[no-untyped-call]
            config_file=place,
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    except (yaml.YAMLError, *_UNREADABLE) as error:
        message = " ".join(str(error).split())
        raise UsageError(
            f"context {context} of {place or 'the kubeconfig'}: {message}; "
            "`kubectl config get-contexts` lists what there is"
        ) from error
    return LiveCluster(ApiClient(configuration))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the client raises into errors of the planner."""
    try:
        yield
    except ApiException as error:
        raise ClusterError(int(error.status or 0), str(error.reason)) from error
    except urllib3.exceptions.HTTPError as error:
        raise ClusterError(0, _reason(error)) from error
    except (OSError, ConfigException) as error:
        raise ClusterError(0, " ".join(str(error).split())) from error


def _refusal(response: urllib3.BaseHTTPResponse) -> ClusterError:
    body = response.read(decode_content=True)
    try:
        status = msgspec.json.decode(body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = " ".join(body[:200].decode(errors="replace").split())
        status = Status(message=text)
    error = status.error()
    told = response.headers.get("Retry-After", "")
    wait_s = float(told) if told.isdecimal() else error.retry_after_s
    message = error.message or f"{response.reason}"
    return ClusterError(response.status, message, reason=error.reason, retry_after_s=wait_s)


def _read_status(body: bytes) -> Status | None:
    try:
        status = msgspec.json.decode(body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return status if status.kind == "Status" else None


def _warned(header: str) -> str:
    """The text of a header `299 - "text"`."""
    return header.partition('"')[2].removesuffix('"') or header


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    """Say what happened without the object that the library names first."""
    cause: BaseException = getattr(error, "reason", None) or error
    text = " ".join(str(cause if isinstance(cause, BaseException) else error).split())
    return text.rpartition(">: ")[2] or type(error).__name__
