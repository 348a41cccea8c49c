"""Runs `planner apply` as its users do, and looks at what it did to the clusters."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

import msgspec

from planner.model.progress import Progress
from planner.observe.kinds import KINDS
from tests.controlplane.auditing import Auditor, Event, merged
from tests.controlplane.given import Plane
from tests.controlplane.lines import Lines
from tests.controlplane.program import COMMAND, planner
from tests.controlplane.wait import until


class Operator:
    """Somebody with a log, a kubeconfig and a folder of their own.

    An auditor watches every run, of these namespaces; without any of all. What the planes are to be
    is what was planned last.
    """

    def __init__(
        self, folder: Path, planes: Mapping[str, Plane], namespaces: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.db = f"sqlite:///{folder / 'planner.db'}"
        self.kubeconfig = merged(folder / "kubeconfig", planes)
        self._clusters = [f"--cluster={name}={name}" for name in planes]
        self._planes, self._namespaces = planes, namespaces
        self._watching: Auditor | None = None

    @property
    def live(self) -> Sequence[str]:
        """Options of a command that works on the clusters."""
        return (*self._clusters, "--kubeconfig", str(self.kubeconfig), "--db", self.db)

    def observe(self) -> None:
        """Put what the clusters are into the log."""
        command = [*COMMAND, "observe", *self.live, "-v"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            lines = Lines(process.stderr)
            try:
                # A kind is watched once its list is received.
                seen: set[str] = set()
                while len(seen) < len(KINDS) * len(self._clusters):
                    line = lines.next("every kind is watched")
                    assert line, f"the observer ended: {lines.told[-20:]}"
                    about, _, text = line.partition(":")
                    if "watching from" in text or "not served" in text:
                        seen.add(about)
                process.send_signal(signal.SIGINT)
                until("the observer ends", lambda: process.poll() is not None)
            finally:
                process.kill()
                process.wait()
                lines.close()

    def plan(self, request: str) -> str:
        """Plan a request (YAML), and give the file of the plan."""
        path = self.folder / "request.yaml"
        path.write_text(request)
        out = self.folder / "plan.bin"
        self.say("plan", "-f", str(path), "-o", str(out), code=2)
        return str(out)

    def say(self, *arguments: str, code: int = 0) -> str:
        """Run a command that needs no cluster, and give what it prints."""
        done = planner(*arguments, "--db", self.db)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def apply(
        self,
        what: str,
        *options: str,
        command: str = "apply",
        wanted: str | None = None,
        unaudited: str = "",
    ) -> "Running":
        """Start to carry a plan or a run out, under an auditor, which fails the test at its end.

        Args:
            what: plan or run.
            options: of the command.
            command: `apply` or `rollback`.
            wanted: a request (YAML) by which it is judged instead of the one that was planned last:
                that of a way back.
            unaudited: why nobody watches this one.
        """
        assert wanted or unaudited or self._watching or command == "apply", (
            "a way back is judged by what it wants"
        )
        own = None if unaudited or self._watching else self._auditor(wanted)
        command_line = [*COMMAND, command, what, *self.live, *options]
        return Running(command_line, own or self._watching, is_its_own=own is not None)

    @contextmanager
    def audited(self, wanted: str | None = None) -> Iterator[Auditor]:
        """One auditor over all runs meanwhile: who is killed must do nothing twice either.

        Args:
            wanted: as in `apply`.
        """
        with self._auditor(wanted) as auditor:
            self._watching = auditor
            try:
                yield auditor
            finally:
                self._watching = None

    def _auditor(self, wanted: str | None) -> Auditor:
        path = self.folder / "request.yaml"
        if wanted:
            path = self.folder / "wanted.yaml"
            path.write_text(wanted)
        return Auditor(path, self._planes, self._namespaces)


class Running:
    """A `planner apply` that runs.

    Attributes:
        audit: what the auditor saw, once the run has ended; empty while one watches several runs.
    """

    def __init__(
        self, command: Sequence[str], auditor: Auditor | None, *, is_its_own: bool
    ) -> None:
        self.events: list[Event] = []
        self.errors = ""
        self.audit: Event = {}
        self._auditor = auditor
        self._is_its_own = is_its_own
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._threads = [Thread(target=self._read), Thread(target=self._hear)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        if self._auditor and self._is_its_own:
            self._auditor.__exit__(kind, error, trace)

    @property
    def auditor(self) -> Auditor:
        """Who watches it, and is told what somebody else is about to do."""
        assert self._auditor, "nobody watches it"
        return self._auditor

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
        if self._auditor and self._is_its_own:
            self.audit = self._auditor.found()
            assert self.audit["violations"] == [], f"{self.audit} {self.errors}"
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
