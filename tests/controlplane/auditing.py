"""Somebody who watches the clusters during a run: the auditor, a process that shares no code."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.controlplane.given import GivenCluster, Plane
from tests.controlplane.lines import Lines

Event = dict[str, Any]


def merged(
    path: Path, planes: Mapping[str, Plane], *, user: str = "admin", proxied: bool = False
) -> Path:
    """Write one kubeconfig with a context for each plane, of its name.

    Args:
        path: of the file.
        planes: by name.
        user: who speaks to them.
        proxied: by way of the proxy of those that are not ours, whose logins only kubectl knows.
    """
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    config |= {"clusters": [], "users": [], "contexts": []}
    for name, plane in planes.items():
        if proxied and isinstance(plane, GivenCluster):
            file = plane.proxied()
        else:
            file = plane.kubeconfig(user)
        own = json.loads(file.read_text())
        (cluster,), (identity,) = own["clusters"], own["users"]
        config["clusters"].append({**cluster, "name": name})
        config["users"].append({**identity, "name": name})
        config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    path.write_text(json.dumps(config))
    return path


class Auditor:
    """A process that watches the clusters while a plan is carried out.

    What becomes of pods of other namespaces is not its concern. What it finds fails the test at the
    end of a `with`, unless somebody asked for it and so has judged it.
    """

    def __init__(
        self, request: Path, planes: Mapping[str, Plane], namespaces: Sequence[str]
    ) -> None:
        kubeconfig = merged(request.with_name("audited"), planes, proxied=True)
        module = "tests.controlplane.auditor"
        command = [sys.executable, "-m", module, str(kubeconfig), str(request), *namespaces]
        self._found: Event | None = None
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self._lines = Lines(self._process.stdout)
        self._hear("watching")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._found is None:
                assert self.found()["violations"] == [], self._found
        finally:
            self._process.kill()
            self._process.wait()
            self._lines.close()
            if self._process.stdin:
                self._process.stdin.close()

    def theirs(self, **act: Any) -> None:  # noqa: ANN401 JSON
        """Say what somebody else is about to do to pods, as `Theirs.told` takes it.

        It has heard it when this is over, so whatever is done after is not taken for ours.
        """
        assert self._process.stdin
        self._process.stdin.write(json.dumps(act) + "\n")
        self._process.stdin.flush()
        self._hear("noted")

    def found(self) -> Event:
        """End it and give what it saw, each time the same."""
        if self._found is None:
            self._process.terminate()
            self._found = json.loads(self._line("what it found"))
        return self._found

    def _hear(self, word: str) -> None:
        assert self._line(word) == word

    def _line(self, what: str) -> str:
        try:
            line = self._lines.next(f"the auditor says {what}")
        except TimeoutError:
            # It says on its standard error what each of its threads is at.
            self._process.send_signal(signal.SIGABRT)
            self._process.wait()
            raise
        assert line, "the auditor sees nothing any more"
        return line
