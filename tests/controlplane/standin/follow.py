"""Lists a kind and watches it from there, and begins again after whatever happens."""

from dataclasses import dataclass
from http import HTTPStatus
from queue import SimpleQueue
from threading import Thread
from time import sleep
from typing import Any

from tests.controlplane.api import RefusedError
from tests.controlplane.standin.kinds import Kind
from tests.controlplane.standin.link import Link, Server, watch

AGAIN_S = 0.2
NOT_SERVED_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Everything of a kind at a version."""

    kind: Kind
    version: int
    items: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One object at a version; `gone` when it was deleted there."""

    kind: Kind
    thing: dict[str, Any]
    gone: bool


Inbox = SimpleQueue[Listed | Changed]


def follow(server: Server, kind: Kind, inbox: Inbox) -> None:
    """Follow a kind in a thread that ends with the program."""
    Thread(target=_follow, args=(server, kind, inbox), daemon=True).start()


def _follow(server: Server, kind: Kind, inbox: Inbox) -> None:
    link, version = Link(server), ""
    while True:
        try:
            version = version or _list(link, kind, inbox)
            for event in watch(server, kind.everywhere, version):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    gone = event["type"] == "DELETED"
                    inbox.put(Changed(kind=kind, thing=event["object"], gone=gone))
        except RefusedError as refused:
            version = ""
            if refused.status == HTTPStatus.NOT_FOUND:
                # The kind is not served (yet), so there is nothing of it.
                inbox.put(Listed(kind=kind, version=0, items=[]))
                sleep(NOT_SERVED_S)
            else:
                sleep(AGAIN_S)
        except (OSError, ValueError):
            # Cut, perhaps in the middle of a line; it goes on from the last whole one.
            sleep(AGAIN_S)


def _list(link: Link, kind: Kind, inbox: Inbox) -> str:
    found = link.get(kind.everywhere)
    version: str = found["metadata"]["resourceVersion"]
    for each in found["items"]:
        each |= {"kind": kind.name, "apiVersion": kind.api_version}
    inbox.put(Listed(kind=kind, version=int(version), items=found["items"]))
    return version
