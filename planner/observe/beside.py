"""The files that a request names, found beside it."""

from collections.abc import Iterator
from pathlib import Path

from planner.errors import RequestError
from planner.model.manifests import ReadManifest


def manifests_beside(request: Path) -> ReadManifest:
    """Return what reads the files that match a pattern, relative to the request's directory.

    Files come in the order of their names. What it returns raises RequestError when a
    pattern is absolute or a file cannot be read.
    """

    def read(pattern: str) -> Iterator[tuple[str, bytes]]:
        try:
            found = sorted(path for path in request.parent.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError) as error:
            message = f"{pattern!r} is no pattern relative to the request; write desired/*.yaml"
            raise RequestError(str(request), "spec.target.manifests", message) from error
        for path in found:
            try:
                yield str(path), path.read_bytes()
            except OSError as error:
                message = f"cannot be read: {error.strerror or error}"
                raise RequestError(str(path), "", message) from error

    return read
