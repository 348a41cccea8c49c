"""What will happen, in order of time; the only clock of a simulation."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timeline:
    """Events that are due, those of one moment in the order in which they were planned."""

    now_ms: int
    _due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def after(self, wait_ms: int, event: Callable[[], None]) -> None:
        """Plan an event."""
        self._count += 1
        heapq.heappush(self._due, (self.now_ms + max(0, wait_ms), self._count, event))

    def next_ms(self) -> int | None:
        """When the next event is due; None when nothing is left."""
        return self._due[0][0] if self._due else None

    def step(self) -> bool:
        """Go to the next moment and let everything of that moment happen; False at the end."""
        if not self._due:
            return False
        self.now_ms = self._due[0][0]
        while self._due and self._due[0][0] == self.now_ms:
            heapq.heappop(self._due)[2]()
        return True
