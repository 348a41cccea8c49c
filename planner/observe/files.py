"""Find the recorded input that `planner import` is given, and unpack it.

Everything is read in a fixed order, so that the same paths always give the same log.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from planner.errors import InputError
from planner.observe.archive import HEAD_BYTES, archived, is_archive
from planner.observe.form import sources_in
from planner.observe.source import Source
from planner.observe.unpack import CODECS, codec_of, joined, read_bounded, unpack

# The pods of the largest cluster that Kubernetes supports are about 1 GiB of JSON.
UNPACKED_BYTES_MAX: Final = 8 << 30
_STDIN: Final = Path("-")
_TEXTS: Final = (".json", ".jsonl", ".ndjson", ".yaml", ".yml")
_ARCHIVES: Final = (".tar", ".tgz", ".txz", ".tzst")
_PACKED: Final = tuple(suffix for codec in CODECS for suffix in codec.suffixes)


def find_sources(
    paths: Sequence[Path], stdin: BinaryIO, *, bytes_max: int = UNPACKED_BYTES_MAX
) -> Iterator[Source]:
    """Yield what the paths hold, in the order of the paths and, in directories, of the names.

    A directory is searched with its subdirectories; names that begin with a dot, and names that
    do not end like JSON, YAML or an archive of them, are passed over. `-` is `stdin`.

    Args:
        paths: files, directories, archives or `-`.
        stdin: where `-` is read from.
        bytes_max: how large each file may be, packed and unpacked.

    Raises:
        InputError: something cannot be read, unpacked or understood, or a directory has nothing.
    """
    for path in paths:
        if path == _STDIN:
            name = "standard input"
            yield from _sources(name, read_bounded(name, stdin, bytes_max=bytes_max), bytes_max)
        elif path.is_dir():
            yield from _directory_sources(path, bytes_max)
        else:
            yield from _sources(str(path), _read(path, bytes_max), bytes_max)


def _directory_sources(directory: Path, bytes_max: int) -> Iterator[Source]:
    empty = True
    for path in _files_under(directory):
        empty = False
        yield from _sources(str(path), _read(path, bytes_max), bytes_max)
    if empty:
        wanted = ", ".join(_TEXTS)
        raise InputError(
            str(directory), None, f"has no file that ends in {wanted}, .tar (or packed: .xz ...)"
        )


def _files_under(directory: Path) -> Iterator[Path]:
    """Yield usable files by name; links to directories are passed over, they may be circles."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(directory, error) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _files_under(path)
        elif entry.is_file() and _is_usable(entry.name):
            yield path


def _is_usable(name: str) -> bool:
    lower = name.lower()
    packed = next((suffix for suffix in _PACKED if lower.endswith(suffix)), "")
    return lower.endswith(_ARCHIVES) or lower.removesuffix(packed).endswith((*_TEXTS, ".tar"))


def _read(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return read_bounded(str(path), stream, bytes_max=bytes_max)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(str(path), None, "there is no such file or directory")
    if isinstance(error, PermissionError):
        return InputError(str(path), None, "may not be read; check its permissions")
    reason = error.strerror if isinstance(error, OSError) else None
    return InputError(str(path), None, f"cannot be read: {reason or error}")


def _sources(name: str, packed: bytes, bytes_max: int) -> Iterator[Source]:
    """Yield what a file or an archive holds."""
    if not packed:
        raise InputError(name, 0, "is empty")
    head, pieces = _peek(unpack(name, packed, bytes_max=bytes_max))
    if not is_archive(head):
        yield from _file_sources(name, packed, pieces, bytes_max)
        return
    empty = True
    for member, content in archived(name, pieces):
        base = member.rsplit("/", 1)[-1]
        if base.startswith(".") or not _is_usable(base):
            continue
        empty = False
        inner = f"{name}:{member}"
        inner_pieces = unpack(inner, content, bytes_max=bytes_max)
        yield from _file_sources(inner, content, inner_pieces, bytes_max)
    if empty:
        raise InputError(name, None, "is an archive without a JSON or YAML file")


def _file_sources(
    name: str, packed: bytes, pieces: Iterator[bytes], bytes_max: int
) -> Iterator[Source]:
    plain = codec_of(name, packed) is None
    # Plain content is not joined, because that would copy it.
    text = packed if plain else joined(name, pieces, bytes_max=bytes_max)
    yield from sources_in(name, text)


def _peek(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the head of a file, and all its pieces again."""
    seen: list[bytes] = []
    size = 0
    for piece in pieces:
        seen.append(piece)
        size += len(piece)
        if size >= HEAD_BYTES:
            break

    def again() -> Iterator[bytes]:
        yield from seen
        yield from pieces

    return b"".join(each[:HEAD_BYTES] for each in seen)[:HEAD_BYTES], again()
