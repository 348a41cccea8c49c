"""Snapshots of the folded fleet: a cache beside the log that may be deleted at any time.

A snapshot is named after the log, the position and the chain digest there, so that one that does
not belong to this history is never used.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from planner.core import Fleet
from planner.errors import CodecError

KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """Snapshots of one log in one folder."""

    folder: Path

    def load(self, position: int, digest: bytes) -> Fleet | None:
        """Read the snapshot of a position; a damaged one counts as missing."""
        try:
            return Fleet.from_bytes(self._path(position, digest).read_bytes())
        except (OSError, CodecError):
            return None

    def positions(self, until: int) -> list[int]:
        """Positions of which there are snapshots, newest first."""
        names = (path.name for path in self._files())
        positions = {int(name.split("-", 1)[0]) for name in names}
        return sorted((each for each in positions if each <= until), reverse=True)

    def store(self, fleet: Fleet, digest: bytes) -> None:
        """Write a snapshot and forget the oldest; a cache that cannot be written is no error."""
        path = self._path(fleet.position, digest)
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_bytes(fleet.to_bytes())
            partial.replace(path)
            for old in self._files()[KEPT:]:
                old.unlink()

    def _files(self) -> list[Path]:
        with contextlib.suppress(OSError):
            found = [path for path in self.folder.iterdir() if path.suffix == ".fleet"]
            return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return []

    def _path(self, position: int, digest: bytes) -> Path:
        return self.folder / f"{position}-{digest.hex()[:16]}.fleet"
