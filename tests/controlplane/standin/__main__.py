"""Controllers of OpenKruise for tests: `python -m tests.controlplane.standin --kubeconfig FILE`.

OpenKruise itself cannot be installed on the control planes of the tests. This program does on a
real API server what the rules in `planner/simulate/rules/` say, the same that the simulated cluster
follows: CloneSets, Advanced StatefulSets, Advanced DaemonSets, SidecarSets and
PodUnavailableBudgets, their ControllerRevisions and their status. All that it knows is in the API,
so that it can be killed and started again at any time. As it starts it looks which version of each
kind is defined, and speaks v1beta1 where that is served, else v1alpha1.

What it leaves out: every validation and defaulting by webhooks, so also the protection that a
PodUnavailableBudget gives against deletion and eviction, and sidecars in pods of native workloads
(only pods that it makes itself are injected); `namespaceSelector`, `injectionStrategy.revision`,
hot upgrades and revisions of SidecarSets; volume claims; launch priorities; node affinity and
taints of Advanced DaemonSets.
"""

import argparse
import signal
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from threading import Event

from tests.controlplane.api import RefusedError
from tests.controlplane.standin.controllers import Controllers
from tests.controlplane.standin.follow import Inbox, follow
from tests.controlplane.standin.kinds import KINDS, SIDECAR_SET, Key, as_served
from tests.controlplane.standin.link import Link, Server
from tests.controlplane.standin.store import Store

ROUND_S = 0.05
AGAIN_S = 0.3
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def main() -> None:
    """Run until a signal."""
    parser = argparse.ArgumentParser(
        prog="standin", description="OpenKruise's controllers for tests"
    )
    parser.add_argument("--kubeconfig", type=Path, required=True)
    server = Server.of(parser.parse_args().kubeconfig)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    inbox: Inbox = SimpleQueue()
    link = Link(server)
    for kind in KINDS:
        follow(server, as_served(kind, lambda name: defined(link, name)), inbox)
    store = Store()
    controllers = Controllers(
        store,
        link,
        random=Random(),
        clock=time.time,  # noqa: TID251 the API server's own clock
    )
    run(store, controllers, inbox, stopping)


def defined(link: Link, name: str) -> list[str]:
    """The versions in which a definition is served, none when there is none.

    The definition says so at once; discovery learns of its versions one after the other.
    """
    while True:
        try:
            definition = link.get(f"{DEFINITIONS}/{name}")
        except RefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return []
            raise
        except OSError:
            # The server is on its way up.
            time.sleep(AGAIN_S)
        else:
            return [each["name"] for each in definition["spec"]["versions"] if each["served"]]


def run(store: Store, controllers: Controllers, inbox: Inbox, stopping: Event) -> None:
    """Take in what is new and look at what it concerns, round after round."""
    later: dict[Key, float] = {}
    while not stopping.is_set():
        with suppress(Empty):
            store.absorb(inbox.get(timeout=AGAIN_S))
        take_in(store, inbox)
        now = time.monotonic()
        for key in [key for key, due in later.items() if due <= now]:
            store.dirty[key] = None
            del later[key]
        for key in list(store.dirty) if store.is_complete else ():
            take_in(store, inbox)
            # SidecarSets first: real controllers run beside each other, and a pod that a CloneSet
            # has taken does not serve again before its sidecar, however long this process stands.
            sets = [it for it in store.dirty if it.kind == SIDECAR_SET]
            if not all(looked_at(controllers, store, it) for it in sets):
                break
            if key.kind != SIDECAR_SET and not looked_at(controllers, store, key):
                later[key] = now + AGAIN_S
        stopping.wait(ROUND_S)


def take_in(store: Store, inbox: Inbox) -> None:
    """Take in what has come."""
    with suppress(Empty):
        while True:
            store.absorb(inbox.get_nowait())


def looked_at(controllers: Controllers, store: Store, key: Key) -> bool:
    """Look at an object, and say whether that is all; not when it has to be done again soon."""
    store.dirty.pop(key, None)
    try:
        return not controllers.look(key)
    except (RefusedError, OSError) as error:
        # A conflict is no news: somebody else wrote, and what is now is looked at next.
        if getattr(error, "status", None) != HTTPStatus.CONFLICT:
            print(f"{key.path}: {error!r}", file=sys.stderr, flush=True)  # noqa: T201
        if key.kind == SIDECAR_SET:
            store.dirty[key] = None
        return False


if __name__ == "__main__":
    main()
