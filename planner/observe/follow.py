"""Follows one kind of one cluster: finds it, lists it, watches it, for as long as it takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event
from typing import Final

from planner.errors import ClusterError
from planner.kube.cluster import Cluster
from planner.model.clock import Clock
from planner.observe.backoff import Random
from planner.observe.inbox import Inbox, Received
from planner.observe.kinds import Kind
from planner.observe.pace import Line, Pace, Tell
from planner.observe.state import (
    Finding,
    Listing,
    State,
    Watching,
    after_error,
    after_found,
    after_page,
    must_list_again,
)
from planner.observe.wire import read_page, read_version, serves, whole_lines

ROLE_REMEDY: Final = "apply the role that `planner observe --role` prints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What every follower shares.

    Attributes:
        inbox: takes what comes.
        pace: sizes and times.
        clock: stamps what comes.
        random: spreads waits.
        stop: set when it is time to end.
        tell: takes lines of progress.
    """

    inbox: Inbox
    pace: Pace
    clock: Clock
    random: Random
    stop: Event
    tell: Tell


class Follower:
    """Follows one kind of one cluster."""

    def __init__(
        self, name: str, cluster: Cluster, kind: Kind, outside: Outside, *, reached: str
    ) -> None:
        self._name = name
        self._cluster = cluster
        self._kind = kind
        self._outside = outside
        self._source = f"{name} {kind.name}"
        self._reached = reached
        self._failures = 0
        self._is_settled = False
        self._is_refused = False

    def run(self) -> None:
        """Follow until the observer stops.

        Raises:
            Closed: the inbox takes nothing any more.
        """
        state: State = Finding(reached=self._reached)
        while not self._outside.stop.is_set():
            try:
                state = self._step(state)
            except ClusterError as error:
                if self._outside.stop.is_set():
                    return
                if self._kind.may_be_refused and error.status == HTTPStatus.FORBIDDEN:
                    state = self._do_without(error)
                    continue
                self._wait(error)
                if isinstance(state, Watching):
                    # It has moved on before it broke.
                    state = Watching(path=state.path, reached=self._reached)
                state = after_error(state, error)

    def _step(self, state: State) -> State:
        if isinstance(state, Finding):
            return self._find(state)
        if isinstance(state, Listing):
            return self._list(state)
        return self._watch(state)

    def _find(self, state: Finding) -> State:
        path = self._path()
        if path is not None:
            return after_found(state, path)
        self._tell("not served by this cluster, skipped", sees=True)
        # What the log knows of it went with the kind, perhaps while nobody watched.
        self._put(self._kind.empty_list(), begins=True)
        while not self._outside.stop.wait(self._outside.pace.look_again_s):
            path = self._path()
            if path is not None:
                return Listing(path=path)
        return state

    def _do_without(self, refusal: ClusterError) -> State:
        """Go on as if there were none, and look again now and then."""
        if not self._is_refused:
            again = f"{ROLE_REMEDY}; until then plans do without it"
            self._outside.tell(
                Line(about=self._source, text=f"{refusal}; {again}", sees=True, warns=True)
            )
            self._put(self._kind.empty_list(), begins=True)
        self._is_refused, self._is_settled = True, False
        self._outside.stop.wait(self._outside.pace.look_again_s)
        return Finding()

    def _path(self) -> str | None:
        """The path of the first version that is served."""
        kind = self._kind
        for version in kind.versions:
            root = kind.root(version)
            if not kind.is_optional:
                return f"{root}/{kind.plural}"
            try:
                found = serves(self._cluster.get(root, {}), kind.plural)
            except ClusterError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                found = False
            if found:
                return f"{root}/{kind.plural}"
        return None

    def _list(self, state: Listing) -> State:
        query = {"limit": str(self._outside.pace.page_items)}
        if state.page:
            # The name of a page holds the version: one that is given beside it is an error.
            query["continue"] = state.page
        else:
            self._tell("listing", routine=not self._failures)
        body = self._cluster.get(state.path, query)
        version, page = read_page(body)
        self._is_refused = False
        self._put(body, begins=not state.page)
        if not page:
            self._reached = version
        return after_page(state, page=page, version=version)

    def _watch(self, state: Watching) -> State:
        pace = self._outside.pace
        lasting_s = int(pace.watch_s * (1.0 + self._outside.random()))
        query = {
            "watch": "true",
            "resourceVersion": state.reached,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(lasting_s),
        }
        self._reached = state.reached
        with self._cluster.stream(state.path, query, silence_s=pace.silence_s) as pieces:
            if not self._is_settled:
                # Every few minutes a watch ends and the next one begins: that is no news.
                text = f"watching from version {state.reached}"
                self._tell(text, routine=not self._failures, sees=True)
                self._is_settled = True
            self._receive(whole_lines(pieces))
        if self._reached == state.reached:
            raise ClusterError(0, "the watch ended before anything came")
        return Watching(path=state.path, reached=self._reached)

    def _receive(self, texts: Iterable[bytes]) -> None:
        for text in texts:
            good, reached, error = _until_error(text)
            if good:
                self._put(good)
                self._reached = reached or self._reached
                self._failures = 0
            if error is not None:
                raise error

    def _put(self, text: bytes, *, begins: bool = False) -> None:
        outside = self._outside
        outside.inbox.put(
            Received(
                cluster=self._name,
                source=self._source,
                text=text,
                time_ms=outside.clock.now_ms(),
                begins=begins,
            )
        )

    def _wait(self, error: ClusterError) -> None:
        self._failures += 1
        self._is_settled = False
        pace = self._outside.pace
        again = "listing again" if must_list_again(error) else "trying again"
        if must_list_again(error) and self._failures == 1:
            self._tell(f"{error}; {again}", sees=False)
            return
        wait_s = pace.backoff.wait_s(
            self._failures, self._outside.random, at_least_s=error.retry_after_s
        )
        refused = error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        remedy = f"; {ROLE_REMEDY}" if refused else ""
        self._tell(f"{error}{remedy}; {again} in {wait_s:.0f} s", sees=False)
        self._outside.stop.wait(wait_s)

    def _tell(self, text: str, *, routine: bool = False, sees: bool | None = None) -> None:
        self._outside.tell(Line(about=self._source, text=text, routine=routine, sees=sees))


def _until_error(text: bytes) -> tuple[bytes, str, ClusterError | None]:
    """Give the events before an ERROR, the version that they lead to, and the error."""
    reached = ""
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        try:
            reached = read_version(line)
        except ClusterError as error:
            return b"".join(lines[:index]), reached, error
    return text, reached, None


def follow_version(name: str, cluster: Cluster, outside: Outside) -> None:
    """Read `/version` now and then, and hand it over when it has changed.

    Raises:
        Closed: the inbox takes nothing any more.
    """
    source = f"{name} versions"
    known = b""
    failures = 0
    wait_s = 0.0
    while not outside.stop.wait(wait_s):
        try:
            body = cluster.get("/version", {})
        except ClusterError as error:
            failures += 1
            wait_s = outside.pace.backoff.wait_s(
                failures, outside.random, at_least_s=error.retry_after_s
            )
            continue
        failures = 0
        wait_s = outside.pace.look_again_s
        if body != known:
            known = body
            time_ms = outside.clock.now_ms()
            outside.inbox.put(Received(cluster=name, source=source, text=body, time_ms=time_ms))
