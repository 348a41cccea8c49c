"""Runs `planner apply` as its users do, and looks at what it did to the clusters."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, Self

import msgspec

from planner.model.progress import Progress
from tests.controlplane.given import GivenCluster, Plane
from tests.controlplane.program import COMMAND, planner
from tests.controlplane.wait import until

Event = dict[str, Any]


class Operator:
    """Somebody with a log, a kubeconfig and a folder of their own."""

    def __init__(self, folder: Path, planes: Mapping[str, Plane]) -> None:
        self.folder = folder
        self.db = f"sqlite:///{folder / 'planner.db'}"
        self.kubeconfig = merged(folder / "kubeconfig", planes)
        self._clusters = [f"--cluster={name}={name}" for name in planes]

    @property
    def live(self) -> Sequence[str]:
        """Options of a command that works on the clusters."""
        return (*self._clusters, "--kubeconfig", str(self.kubeconfig), "--db", self.db)

    def observe(self) -> None:
        """Put what the clusters are into the log."""
        command = [*COMMAND, "observe", *self.live, "-v"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            # A kind is watched once its list is received.
            seen: set[str] = set()
            kinds = 14 * len(self._clusters)
            while len(seen) < kinds and (line := process.stderr.readline()):
                about, _, text = line.partition(":")
                if "watching from" in text or "not served" in text:
                    seen.add(about)
            process.send_signal(signal.SIGINT)
            process.stderr.read()

    def plan(self, request: str) -> str:
        """Plan a request (YAML), and give the plan's id."""
        path = self.folder / "request.yaml"
        path.write_text(request)
        out = self.folder / "plan.bin"
        self.say("plan", "-f", str(path), "-o", str(out), code=2)
        header = json.loads(self.say("show", str(out), "-o", "json"))
        return str(header["id"])

    def say(self, *arguments: str, code: int = 0) -> str:
        """Run a command that needs no cluster, and give what it prints."""
        done = planner(*arguments, "--db", self.db)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def apply(self, what: str, *options: str, command: str = "apply") -> "Running":
        """Start to carry a plan or a run out."""
        return Running([*COMMAND, command, what, *self.live, *options])


class Running:
    """A `planner apply` that runs."""

    def __init__(self, command: Sequence[str]) -> None:
        self.events: list[Event] = []
        self.errors = ""
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._threads = [Thread(target=self._read), Thread(target=self._hear)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def _hear(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.errors += line

    def said(self, what: str) -> list[Event]:
        """Events of a kind so far."""
        return [each for each in self.events if each["event"] == what]

    def wait_for(self, what: str, count: int = 1) -> Event:
        """Wait until it said something so often."""

        def found() -> Event | None:
            events = self.said(what)
            if len(events) < count and self.process.poll() is not None:
                raise AssertionError(f"it ended before {what}: {self.errors}{self.events[-3:]}")
            return events[-1] if len(events) >= count else None

        return until(f"{count} x {what}", found, deadline_s=600)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it; nothing when it has ended."""
        self.process.send_signal(number)
        self._end()

    def end(self) -> int:
        """Wait for its end and give the exit code."""
        until("the run ends", lambda: self.process.poll() is not None, deadline_s=900)
        self._end()
        return int(self.process.returncode)

    def _end(self) -> None:
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for each in self.events:
            known: Progress = msgspec.convert(each, Progress)
            assert json.loads(msgspec.json.encode(known)) == each, (
                "as `planner schema progress` says"
            )
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


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

    What becomes of pods of other namespaces is not its concern.
    """

    def __init__(
        self, request: Path, planes: Mapping[str, Plane], namespaces: Sequence[str]
    ) -> None:
        kubeconfig = merged(request.with_name("audited"), planes, proxied=True)
        module = "tests.controlplane.auditor"
        command = [sys.executable, "-m", module, str(kubeconfig), str(request), *namespaces]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self._stdout = self._process.stdout
        assert self._stdout.readline().strip() == "watching"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._stdout.close()

    def found(self) -> Event:
        """End it and give what it saw."""
        self._process.terminate()
        found: Event = json.loads(self._stdout.readline())
        return found
