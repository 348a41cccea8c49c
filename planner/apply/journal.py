"""The stream of one run: what its executor and the people around it append, in one order.

An executor decides on what it has read. When somebody else appended meanwhile the append is
refused, and it reads and decides again; when another executor has taken the run over it ends.
"""

import hashlib
from collections.abc import Sequence

from planner.apply.events import CODEC, AnyEvent, Leased, from_payload, to_payload
from planner.apply.state import Run, fold
from planner.errors import ConflictError, LeaseLostError
from planner.log import EventLog, NewCommit, Stream

AUTHOR = "planner apply"


class Journal:
    """Reads and appends the events of a run.

    Attributes:
        run: where it is, as far as it was read.
        time_ms: when the last event was appended.
        version: how many events were read.
    """

    def __init__(self, log: EventLog, run_id: str) -> None:
        self.run_id = run_id
        self.run = Run()
        self.time_ms = 0
        self._log = log
        self._stream = Stream("run", run_id)
        self.version = 0
        self._position = 0
        self._epoch = 0

    def read(self) -> Sequence[AnyEvent]:
        """Read what was appended since, and give it.

        Raises:
            LeaseLostError: another executor has taken the run over.
        """
        found: list[AnyEvent] = []
        if self._log.version(self._stream) == self.version:
            return found
        for commit in self._log.read(after=self._position, stream=self._stream):
            events = from_payload(commit.payload)
            self.run = fold(self.run, events, commit.time_ms)
            self.time_ms = commit.time_ms
            self.version, self._position = commit.version, commit.position_last
            found.extend(events)
        if self._epoch and self.run.epoch != self._epoch:
            raise LeaseLostError(
                f"run {self.run_id} was taken over by {self.run.holder}; this executor ends"
            )
        return found

    def take(self, epoch: int, holder: str, seen_ms: int = 0) -> None:
        """Take the run over: from here on nobody with a smaller epoch appends.

        `seen_ms` is when an executor of the run was last there.
        """
        while not self._try([Leased(epoch=epoch, holder=holder, seen_ms=seen_ms)]):
            self.read()
        self._epoch = epoch

    def append(self, *events: AnyEvent) -> bool:
        """Append events that were decided on what was read last.

        Gives False when somebody appended meanwhile: read, and decide again.
        """
        return self._try(events)

    def tell(self, event: AnyEvent) -> None:
        """Append what a person says, whatever is appended meanwhile."""
        while not self._try([event]):
            self.read()

    def _try(self, events: Sequence[AnyEvent]) -> bool:
        payload = to_payload(events)
        # Two executors may say the same thing: only one of them is heard.
        place = f"{self.run_id}/{self._epoch}/{self.version}/".encode()
        commit = NewCommit(
            codec=CODEC,
            payload=payload,
            events=len(events),
            author=AUTHOR,
            commit_id=hashlib.sha256(place + payload).digest(),
        )
        try:
            self._log.append(self._stream, [commit], expected_version=self.version)
        except ConflictError:
            return False
        self.read()
        return True
