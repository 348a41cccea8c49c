"""One run at a time: the lease that an executor holds while it acts.

Kept in the log as everything is, in a stream of its own. Nobody writes to a cluster without having
asked whether it is still held, after reading what is to be written (`planner.apply.writer`).
"""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from planner.errors import ConflictError, LeaseLostError, UsageError
from planner.log import EventLog, NewCommit, Stream
from planner.model.clock import Clock

CODEC: Final = "lease/1"
STREAM: Final = Stream("run", "lease")
BEGINNING: Final = ""
"""Stands for a run while it is decided whether one may begin: who asks that meanwhile waits."""
LASTING_MS: Final = 30_000
RENEWED_AFTER_MS: Final = 10_000
AUTHOR: Final = "planner apply"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process: where it runs, its number there, and when it began, for numbers come again."""

    host: str
    pid: int
    began: str

    @classmethod
    def this(cls) -> "Holder":
        """Give this process."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, began_of(pid))

    def __str__(self) -> str:
        return f"{self.host} process {self.pid}"

    def is_gone(self) -> bool:
        """Whether it ran here and does not any more."""
        return self.host == socket.gethostname() and began_of(self.pid) != self.began


def began_of(pid: int) -> str:
    """When a process of this machine began, in the kernel's own count; empty when there is none."""
    try:
        # After the name, which may hold anything, the 20th field.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    dead = fields[0] in ("Z", "X")
    return "" if dead else fields[19]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The lease as the log keeps it: whoever appended last holds it until then."""

    run: str
    epoch: int
    holder: Holder
    until_ms: int


class Lease:
    """Takes, renews and gives back the lease. Threads may share it.

    Attributes:
        epoch: of the executor that has taken it; 0 before.
        seen_ms: when an executor of the run was last there, before this one or before it was away;
            0 when none ever was.
    """

    def __init__(self, log: EventLog, run: str, holder: Holder, clock: Clock) -> None:
        self._log = log
        self._run = run
        self._holder = holder
        self._clock = clock
        self._version = 0
        self._position = 0
        self._held: Held | None = None
        self._lock = Lock()
        self._was_away = False
        self.epoch = 0
        self.seen_ms = 0

    def take(self, wait: Callable[[float], object]) -> int:
        """Take the lease and give the epoch; `wait` lets seconds go by for one that is dying.

        Raises:
            UsageError: a living executor holds it.
        """
        while True:
            held = self._read()
            if held is not None and not self._is_free(held):
                self._check_may_wait(held)
                wait(1.0)
                continue
            epoch = (held.epoch if held else 0) + 1
            if self._append(epoch, self._clock.now_ms() + LASTING_MS):
                self.epoch = epoch
                return epoch

    def _check_may_wait(self, held: Held) -> None:
        """Check that it will be free soon.

        Raises:
            UsageError: a living executor holds it.
        """
        if held.run == BEGINNING:
            return
        if held.run != self._run:
            raise UsageError(
                f"run {held.run} is being carried out by {held.holder}; one run at a time: "
                f"wait for it, or `planner abort {held.run}`"
            )
        # One on another machine may be dead: only time tells.
        if held.holder.host == self._holder.host:
            raise UsageError(f"run {held.run} is being carried out by {held.holder} already")

    def renew(self) -> None:
        """Hold it for longer, when it is time to; nothing when it was never taken.

        Raises:
            LeaseLostError: another executor has taken it.
        """
        now = self._clock.now_ms()
        if self._held is None or not self.epoch:
            return
        if now < self._held.until_ms - LASTING_MS + RENEWED_AFTER_MS:
            return
        before = self._held
        if not self._append(self.epoch, now + LASTING_MS):
            raise self._lost()
        if now > before.until_ms and not self._was_away:
            # It ran out, and nobody wanted it: the process slept, or the machine did.
            self._was_away, self.seen_ms = True, before.until_ms - LASTING_MS

    def was_away(self) -> bool:
        """Whether its holder has let it run out since this was asked last."""
        away, self._was_away = self._was_away, False
        return away

    def check(self) -> None:
        """Ask the log whether it is still held; nothing when it was never taken.

        Raises:
            LeaseLostError: another executor has taken it.
        """
        if not self.epoch:
            return
        with self._lock:
            if self._log.version(STREAM) != self._version:
                raise self._lost()

    def give_back(self) -> None:
        """Let others take it at once; nothing when it was lost."""
        self._append(self.epoch, 0)

    def _lost(self) -> LeaseLostError:
        if self._run == BEGINNING:
            return LeaseLostError("another run was begun meanwhile; this one is not")
        return LeaseLostError(
            f"run {self._run}: another executor has taken the lease; this one ends"
        )

    def _is_free(self, held: Held) -> bool:
        return held.until_ms <= self._clock.now_ms() or held.holder.is_gone()

    def _read(self) -> Held | None:
        for commit in self._log.read(after=self._position, stream=STREAM):
            self._held = msgspec.json.decode(commit.payload, type=Held)
            if self._held.run == self._run:
                self.seen_ms = commit.time_ms
            self._version, self._position = commit.version, commit.position_last
        return self._held

    def _append(self, epoch: int, until_ms: int) -> bool:
        held = Held(run=self._run, epoch=epoch, holder=self._holder, until_ms=until_ms)
        commit = NewCommit(codec=CODEC, payload=msgspec.json.encode(held), events=1, author=AUTHOR)
        with self._lock:
            try:
                self._log.append(STREAM, [commit], expected_version=self._version)
            except ConflictError:
                return False
            self._version += 1
            self._held = held
            return True
