"""The files of a tar archive, read as a stream: nothing is written anywhere.

tarfile takes a damaged header after the first file for the end of the archive. A list that
is silently missing would make every one of its objects disappear from the fleet, so the end
is checked here: only zeros may follow the last file, and at least one block of them.
"""

import io
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from planner.errors import InputError

_MAGIC: Final = b"ustar"
_MAGIC_AT: Final = 257
HEAD_BYTES: Final = tarfile.BLOCKSIZE
# What tarfile lets through when a header is nonsense, besides its own errors.
_ERRORS: Final = (tarfile.TarError, ValueError, OverflowError, EOFError, IndexError)


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with `head` is a tar archive of this century."""
    return head[_MAGIC_AT:].startswith(_MAGIC)


def archived(source: str, pieces: Iterator[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each file of the archive, in the order of the archive.

    Raises:
        InputError: the archive is cut off or damaged; offsets count in the unpacked archive.
    """
    stream = _Pieces(pieces)
    end = 0
    try:
        # tarfile asks for nothing but read(n) in stream mode.
        with tarfile.open(fileobj=cast("BinaryIO", stream), mode="r|") as archive:
            for member in archive:
                if member.isfile():
                    content = archive.extractfile(member)
                    assert content is not None  # it is a file
                    yield member.name, content.read()
                end = archive.offset
    except _ERRORS as error:
        raise InputError(source, end, f"the archive is damaged or cut off: {error}") from error
    stream.drain()
    if stream.position < end + tarfile.BLOCKSIZE or stream.content_end > end:
        raise InputError(source, end, "the archive is damaged or cut off: no file header here")


class _Pieces(io.RawIOBase):
    """A file made of pieces that remembers where its last byte other than zero ends."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._buffer = memoryview(b"")
        self.position = 0
        self.content_end = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read exactly `size` bytes, fewer at the end."""
        assert size >= 0  # nobody asks for all of it
        taken = io.BytesIO()
        while taken.tell() < size and (self._buffer or self._refill()):
            part = self._buffer[: size - taken.tell()]
            self._buffer = self._buffer[len(part) :]
            taken.write(part)
        return taken.getvalue()

    def drain(self) -> None:
        """Read what is left."""
        while self._refill():
            pass

    def _refill(self) -> bool:
        piece = next((piece for piece in self._pieces if piece), b"")
        content = len(piece.rstrip(b"\0"))
        if content:
            self.content_end = self.position + content
        self.position += len(piece)
        self._buffer = memoryview(piece)
        return bool(piece)
