"""The lines that a process prints, waited for no longer than a deadline."""

from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

from tests.controlplane.wait import DEADLINE_S


class Lines:
    """Reads a stream to its end beside whoever waits for its lines."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._read: SimpleQueue[str] = SimpleQueue()
        self.told: list[str] = []
        """Those that were given, for whoever has to say what came last."""
        self._thread = Thread(target=self._run)
        self._thread.start()

    def next(self, what: str, *, deadline_s: float = DEADLINE_S) -> str:
        """Give the next line without its end, `""` after the last one."""
        try:
            line = self._read.get(timeout=deadline_s)
        except Empty:
            message = f"{what}: not within {deadline_s:.0f} s, after {self.told[-20:]}"
            raise TimeoutError(message) from None
        self.told.append(line.strip())
        return self.told[-1]

    def close(self) -> None:
        """Wait for the end, once the process has ended."""
        self._thread.join()
        self._stream.close()

    def _run(self) -> None:
        for line in self._stream:
            self._read.put(line)
        self._read.put("")
