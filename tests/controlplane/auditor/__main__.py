"""`python -m tests.controlplane.auditor KUBECONFIG REQUEST [NAMESPACE...]`: audit until SIGTERM.

Prints `watching` when it has seen everything, and at its end one line of JSON: the violations, how
many pods were disrupted by us and by others, and how many changes of pods were seen. With
namespaces it judges what becomes of the pods there and no others. A line of JSON on its standard
input is what somebody else is about to do (`Theirs.told`); it answers `noted`.
"""

import base64
import faulthandler
import http.client
import json
import os
import signal
import ssl
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.controlplane.auditor.judge import Judge
from tests.controlplane.auditor.limits import Cluster
from tests.controlplane.auditor.reached import Reached

LISTS = {
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/pods",
    "replicasets": "/apis/apps/v1/replicasets",
    "deployments": "/apis/apps/v1/deployments",
    "statefulsets": "/apis/apps/v1/statefulsets",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "clonesets": "/apis/apps.kruise.io/v1beta1/clonesets",
    "advancedstatefulsets": "/apis/apps.kruise.io/v1beta1/statefulsets",
    "advanceddaemonsets": "/apis/apps.kruise.io/v1beta1/daemonsets",
    "sidecarsets": "/apis/apps.kruise.io/v1beta1/sidecarsets",
    "poddisruptionbudgets": "/apis/policy/v1/poddisruptionbudgets",
    "podunavailablebudgets": "/apis/policy.kruise.io/v1beta1/podunavailablebudgets",
}
LOOK_S = 0.1
PATIENCE_S = 60.0
OPTIONAL = tuple(kind for kind, path in LISTS.items() if "kruise.io" in path)


class Server:
    """One API server, over the standard library."""

    def __init__(self, cluster: dict[str, Any], user: dict[str, Any]) -> None:
        self._address = urlsplit(cluster["server"])
        self._headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        if self._address.scheme == "http":
            return
        certificate = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._context = ssl.create_default_context(cadata=certificate)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as both:
                for part in ("client-certificate-data", "client-key-data"):
                    both.write(base64.b64decode(user[part]) + b"\n")
                both.flush()
                self._context.load_cert_chain(both.name)

    def ask(self, path: str) -> http.client.HTTPResponse:
        """Send a request and give the answer, whatever it is."""
        host, port = self._address.hostname or "", self._address.port
        connection = (
            http.client.HTTPConnection(host, port, timeout=60)
            if self._address.scheme == "http"
            else http.client.HTTPSConnection(host, port, context=self._context, timeout=60)
        )
        connection.request("GET", path, headers=self._headers)
        return connection.getresponse()

    def list(self, kind: str) -> tuple[list[Any], str]:
        """Give the objects of a kind, and the version of the list."""
        answer = self.ask(LISTS[kind])
        if answer.status == http.HTTPStatus.NOT_FOUND and kind in OPTIONAL:
            answer = self.ask(LISTS[kind].replace("v1beta1", "v1alpha1"))
        if answer.status == http.HTTPStatus.NOT_FOUND and kind in OPTIONAL:
            return [], ""
        if answer.status != http.HTTPStatus.OK:
            raise ConnectionError(f"{kind}: {answer.status}")
        document = json.loads(answer.read())
        return document["items"], document["metadata"]["resourceVersion"]

    def watch(self, version: str) -> Iterator[tuple[str, Any]]:
        """Give what happens to pods after a version.

        Raises:
            ForgottenError: the server does not know any more what happened after it.
        """
        answer = self.ask(f"{LISTS['pods']}?watch=true&resourceVersion={version}")
        if answer.status == http.HTTPStatus.GONE:
            raise ForgottenError
        if answer.status != http.HTTPStatus.OK:
            raise ConnectionError(f"watch: {answer.status}")
        for line in answer:
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise ForgottenError(event["object"].get("message"))
            yield event["type"], event["object"]


class ForgottenError(ConnectionError):
    """What happened after a version has to be listed."""


@dataclass
class Bench:
    """Where what the threads hear comes together, to be judged in the order in which it came.

    Whoever hears does nothing else: of two clusters the one that has much to tell would be judged
    later than the other.

    Attributes:
        at_s: when that came which is judged now.
    """

    heard: SimpleQueue[tuple[float, Callable[[Judge], None]]] = field(default_factory=SimpleQueue)
    stop: Event = field(default_factory=Event)
    at_s: float = 0.0
    changes: int = 0
    reached: dict[str, Reached] = field(default_factory=lambda: defaultdict(Reached))

    def hear(self, judged: Callable[[Judge], None]) -> None:
        """Take something that is to be judged."""
        self.heard.put((_now(), judged))

    def listed(self, cluster: str, pods: list[Any], version: str) -> None:
        """Take all pods of a cluster as they are now."""

        def judged(judge: Judge) -> None:
            self.reached[cluster].listed(pods, version)
            judge.see_all(cluster, pods)

        self.hear(judged)

    def see(self, cluster: str, pod: Any, *, gone: bool) -> None:  # noqa: ANN401 JSON
        """Take a pod as it is now."""

        def judged(judge: Judge) -> None:
            self.changes += 1
            self.reached[cluster].see(pod, gone=gone)
            judge.see(cluster, pod, gone=gone)

        self.hear(judged)

    def go_on(self, judge: Judge) -> None:
        """Judge the next thing, if one comes soon."""
        with suppress(Empty):
            self.at_s, judged = self.heard.get(timeout=LOOK_S)
            judged(judge)


def main() -> None:
    """Audit every cluster of the kubeconfig."""
    faulthandler.enable()
    config = yaml.safe_load(Path(sys.argv[1]).read_text())
    request = yaml.safe_load(Path(sys.argv[2]).read_text())
    clusters = {each["name"]: each["cluster"] for each in config["clusters"]}
    users = {each["name"]: each["user"] for each in config["users"]}
    servers, known, versions = {}, {}, {}
    bench = Bench(at_s=_now())
    for context in config["contexts"]:
        name, its = context["name"], context["context"]
        servers[name] = Server(clusters[its["cluster"]], users[its["user"]])
        found = {kind: servers[name].list(kind) for kind in LISTS}
        known[name] = Cluster(name, {kind: items for kind, (items, _) in found.items()})
        pods, versions[name] = found["pods"]
        bench.reached[name].listed(pods, versions[name])
    threading.excepthook = _end
    judge = Judge(request, known, clock=lambda: bench.at_s, namespaces=sys.argv[3:])
    for name, server in servers.items():
        arguments = (name, server, versions[name], bench)
        Thread(target=_follow, args=arguments, daemon=True).start()
    Thread(target=_listen, args=(bench,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: bench.stop.set())
    print("watching", flush=True)  # noqa: T201
    while not bench.stop.is_set():
        bench.go_on(judge)
    _catch_up(bench, judge, servers)
    found_out = {
        "violations": judge.violations,
        "disrupted": len(judge.disrupted),
        "theirs": judge.theirs.taken,
        "changes": bench.changes,
    }
    print(json.dumps(found_out), flush=True)  # noqa: T201


def _catch_up(bench: Bench, judge: Judge, servers: Mapping[str, Server]) -> None:
    """Judge everything that has happened until now.

    What no watch tells of in a minute is listed, as after a watch that the server has forgotten.
    """
    for name, server in servers.items():
        pods, version = server.list("pods")
        patient_until = time.monotonic() + PATIENCE_S
        while lacks := bench.reached[name].lacks(pods, version):
            bench.go_on(judge)
            if time.monotonic() > patient_until:
                print(f"{name}: no watch tells of {lacks[:5]}", file=sys.stderr)  # noqa: T201
                pods, version = server.list("pods")
                bench.listed(name, pods, version)
                patient_until += PATIENCE_S


def _now() -> float:
    # The clock by which pods of the test beds become Ready, too.
    return time.time()  # noqa: TID251 as above


def _listen(bench: Bench) -> None:
    """Hear what somebody else is about to do."""
    for line in sys.stdin:
        what = json.loads(line)
        bench.hear(partial(_told, what))
        print("noted", flush=True)  # noqa: T201


def _told(what: Any, judge: Judge) -> None:  # noqa: ANN401 JSON
    judge.told(what)


def _end(error: threading.ExceptHookArgs) -> None:
    """An auditor that does not see any more must not say that nothing was wrong."""
    threading.__excepthook__(error)
    os._exit(1)


def _follow(name: str, server: Server, version: str, bench: Bench) -> None:
    """Take every change of the pods of a cluster; what the server has forgotten is listed again."""
    while True:
        try:
            if not version:
                pods, version = server.list("pods")
                bench.listed(name, pods, version)
            for kind, pod in server.watch(version):
                version = pod["metadata"]["resourceVersion"]
                if kind != "BOOKMARK":
                    bench.see(name, pod, gone=kind == "DELETED")
        except ForgottenError:
            version = ""
        except (OSError, ValueError, http.client.HTTPException):
            # Cut, perhaps in the middle of a line: it goes on from the last whole one.
            time.sleep(LOOK_S)


if __name__ == "__main__":
    main()
