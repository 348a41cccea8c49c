"""Unpack gzip, xz and Zstandard in bounded steps, by content and not by name.

An error says at which byte of the packed file it is. The decoders do not tell, so the
packed file is read once more, byte by byte from the last good step on.
"""

import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

import zstandard

from planner.errors import InputError

# A step of 4 KiB unpacks to at most about 128 MiB (Zstandard, one repeated byte), so
# the limit on the unpacked size is noticed in time.
STEP: Final = 4096
# What xz and Zstandard may ask for to unpack: enough for every preset of both tools.
MEMORY_MAX: Final = 1 << 30
READ_STEP: Final = 1 << 20


class _Decoder(Protocol):
    """What zlib, lzma and zstandard have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """A way to pack a file: how people call it, how it begins, how it is named."""

    name: str
    magic: re.Pattern[bytes]
    suffixes: tuple[str, ...]
    # None: recognised, so that the message can name it, but not read.
    decoder: Callable[[], _Decoder] | None


def _gzip() -> _Decoder:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


def _xz() -> _Decoder:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_MAX)


def _zstd() -> _Decoder:
    return zstandard.ZstdDecompressor(max_window_size=MEMORY_MAX).decompressobj()


# The second is a frame to skip; some writers put a table of contents there.
_ZSTD_MAGIC: Final = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")

CODECS: Final = (
    Codec(name="gzip", magic=re.compile(rb"\x1f\x8b"), suffixes=(".gz", ".tgz"), decoder=_gzip),
    Codec(name="xz", magic=re.compile(rb"\xfd7zXZ\x00"), suffixes=(".xz", ".txz"), decoder=_xz),
    Codec(name="zstd", magic=_ZSTD_MAGIC, suffixes=(".zst", ".tzst"), decoder=_zstd),
    Codec(name="bzip2", magic=re.compile(rb"BZh"), suffixes=(".bz2", ".tbz2"), decoder=None),
    Codec(name="zip", magic=re.compile(rb"PK\x03\x04"), suffixes=(".zip",), decoder=None),
    Codec(name="7z", magic=re.compile(rb"7z\xbc\xaf\x27\x1c"), suffixes=(".7z",), decoder=None),
    Codec(name="lz4", magic=re.compile(rb"\x04\x22\x4d\x18"), suffixes=(".lz4",), decoder=None),
)
_ZEROS: Final = re.compile(rb"\0*")
_ERRORS: Final = (zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError, MemoryError)


def codec_of(source: str, packed: bytes) -> Codec | None:
    """Return the codec that the content begins with, None for plain content.

    Raises:
        InputError: the name promises another codec, or the codec is one we do not read.
    """
    found = next((codec for codec in CODECS if codec.magic.match(packed)), None)
    promised = next((codec for codec in CODECS if source.lower().endswith(codec.suffixes)), None)
    if promised is not None and found is not promised:
        holds = "something else" if found is None else f"{found.name} data"
        raise InputError(
            source,
            0,
            f"is named like {promised.name} but holds {holds}; give it the name of what it is",
        )
    if found is not None and found.decoder is None:
        raise InputError(source, 0, f"is {found.name} data; unpack it, or use gz, xz or zst")
    return found


def unpack(source: str, packed: bytes, *, bytes_max: int) -> Iterator[bytes]:
    """Yield the content of `packed` in pieces, as it is when it is not packed at all.

    Raises:
        InputError: cut off, damaged, packed in a way we do not read, or more than `bytes_max`
            bytes when unpacked.
    """
    codec = codec_of(source, packed)
    if codec is None or codec.decoder is None:
        yield packed
        return
    total = 0
    for offset, piece in _pieces(source, packed, codec, codec.decoder):
        total += len(piece)
        if total > bytes_max:
            raise InputError(
                source, offset, f"unpacks to more than {bytes_max} bytes; split it into files"
            )
        yield piece


def _pieces(
    source: str, packed: bytes, codec: Codec, make: Callable[[], _Decoder]
) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in the packed file, unpacked piece) of every stream in the file."""
    start = 0  # of the stream that is being read
    while start < len(packed):
        if not codec.magic.match(packed, start):
            raise InputError(source, start, f"something else follows the {codec.name} data")
        decoder = make()
        position = start
        while not decoder.eof:
            step = packed[position : position + STEP]
            if not step:
                raise InputError(source, position, f"the {codec.name} data is cut off here")
            try:
                piece = decoder.decompress(step)
            except _ERRORS as error:
                offset = _first_refused(packed, start, position, make)
                raise InputError(source, offset, f"damaged {codec.name} data: {error}") from error
            yield position, piece
            position += len(step)
        start = _skip_padding(packed, position - len(decoder.unused_data))


def _first_refused(packed: bytes, start: int, position: int, make: Callable[[], _Decoder]) -> int:
    """Return the offset of the byte at which a stream stops making sense.

    `start` is that of the stream, `position` that of the step in which it happens.
    """
    decoder = make()
    for offset in range(start, position, STEP):
        decoder.decompress(packed[offset : offset + STEP])
    for offset in range(position, len(packed)):
        try:
            decoder.decompress(packed[offset : offset + 1])
        except _ERRORS:
            return offset
    return position


def _skip_padding(packed: bytes, position: int) -> int:
    """Return where the next stream begins: tapes and block devices pad with zeros."""
    match = _ZEROS.match(packed, position)
    assert match is not None  # zero bytes are a match too
    return match.end()


def read_bounded(source: str, stream: BinaryIO, *, bytes_max: int) -> bytes:
    """Read a stream to its end.

    Raises:
        InputError: it holds more than `bytes_max` bytes, or cannot be read.
    """
    try:
        steps = iter(lambda: stream.read(READ_STEP), b"")
        return joined(source, steps, bytes_max=bytes_max)
    except OSError as error:
        raise InputError(source, None, f"cannot be read: {error.strerror or error}") from error


def joined(source: str, pieces: Iterable[bytes], *, bytes_max: int) -> bytes:
    """Join pieces, at most `bytes_max` bytes of them.

    Raises:
        InputError: there are more bytes than that.
    """
    text = io.BytesIO()
    for piece in pieces:
        if text.tell() + len(piece) > bytes_max:
            raise InputError(source, None, f"is larger than {bytes_max} bytes; split it into files")
        text.write(piece)
    # getvalue shares the buffer, so the peak is one copy of the content.
    return text.getvalue()
