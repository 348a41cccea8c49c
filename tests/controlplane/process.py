"""One process of a control plane, known by its id."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

STOP_S = 5.0
LOG_LINES = 30


class Process:
    """A program that runs until it is stopped; what it prints goes to a file."""

    def __init__(
        self, name: str, command: Sequence[str], *, folder: Path, place: Path | None = None
    ) -> None:
        self.name = name
        self._place = place
        self.log = folder / f"{name}.log"
        self._command = list(command)
        self._running: subprocess.Popen[bytes] | None = None
        self._ending = Lock()
        """Who stops it does not want it revived."""

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it."""
        assert self._running is None
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._place,
                env={**os.environ, **(environment or {})},
            )

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = STOP_S) -> int:
        """Send a signal and wait for the end; what does not end is killed. Gives its exit code."""
        with self._ending:
            running, self._running = self._running, None
        if running is None:
            return 0
        running.send_signal(number)
        try:
            return running.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            running.kill()
            return running.wait()

    def wait(self, timeout_s: float) -> int:
        """Wait until it ends by itself and give its exit code."""
        assert self._running is not None
        code = self._running.wait(timeout=timeout_s)
        self._running = None
        return code

    def revive(self) -> None:
        """Start it again when it has ended by itself, as a kubelet would."""
        with self._ending:
            running = self._running
            if running is not None and running.poll() is not None:
                self._running = None
                self.start()

    def check(self) -> None:
        """Fail, with what it printed last, when it has ended by itself."""
        if self._running is not None and self._running.poll() is not None:
            tail = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            raise RuntimeError("\n".join([f"{self.name} ended:", *tail]))
