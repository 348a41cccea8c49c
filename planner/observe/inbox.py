"""What was received and is not in the log yet: bounded, so that a slow log slows the watches."""

from collections import deque
from dataclasses import dataclass
from threading import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Bytes of one answer, or of one piece of a watch.

    Attributes:
        cluster: whose.
        source: what errors call it.
        text: a page, whole watch events one a line, or the answer of `/version`.
        time_ms: when it came, milliseconds UTC.
        begins: it is the first page of a list.
    """

    cluster: str
    source: str
    text: bytes
    time_ms: int
    begins: bool = False


class Closed(Exception):  # noqa: N818 not an error: the observer is stopping
    """Nothing is taken any more."""


class Inbox:
    """Hands over from many watches to the one that appends.

    It holds at most `bytes_max`, what was taken and is not appended yet included; a larger piece
    is let in alone. A watch that has to wait does not read, so its server stops sending.
    """

    def __init__(self, *, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._changed = Condition()
        self._waiting: deque[Received] = deque()
        self._waiting_bytes = 0
        self._taken_bytes = 0
        self._closed = False
        self._failure: BaseException | None = None
        self.bytes_peak = 0
        """The most that was held at once."""

    def put(self, received: Received) -> None:
        """Add, as soon as there is room.

        Raises:
            Closed: nothing is taken any more.
        """
        size = len(received.text)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(size))
            if self._closed:
                raise Closed
            self._waiting.append(received)
            self._waiting_bytes += size
            self.bytes_peak = max(self.bytes_peak, self._waiting_bytes + self._taken_bytes)
            self._changed.notify_all()

    def take(self, *, bytes_wanted: int, wait_s: float, linger_s: float) -> list[Received]:
        """Take what came, in its order; what was taken before counts as appended.

        Args:
            bytes_wanted: enough for one append.
            wait_s: how long to wait for anything at all.
            linger_s: how long to wait for more when there is something.

        Raises:
            BaseException: whatever a watch failed with.
        """
        with self._changed:
            self._taken_bytes = 0
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._failure, timeout=wait_s)
            if self._waiting:
                enough = min(bytes_wanted, self._bytes_max // 2)
                self._changed.wait_for(
                    lambda: self._waiting_bytes >= enough or self._failure, timeout=linger_s
                )
            if self._failure:
                raise self._failure
            taken = []
            while self._waiting and self._taken_bytes < bytes_wanted:
                taken.append(self._waiting.popleft())
                self._taken_bytes += len(taken[-1].text)
            self._waiting_bytes -= self._taken_bytes
            return taken

    def fail(self, failure: BaseException) -> None:
        """Make whoever takes next raise this: a watch ended in a way that nobody foresaw."""
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        held = self._waiting_bytes + self._taken_bytes
        return held == 0 or held + size <= self._bytes_max
