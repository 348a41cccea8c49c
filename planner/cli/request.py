"""Reads the request that a command was given."""

import sys
from pathlib import Path

from planner.errors import UsageError
from planner.model.request import UpgradeRequest, load_request
from planner.observe.beside import manifests_beside


def read_request(path: str) -> UpgradeRequest:
    """Read a request from a file or, for `-`, from standard input.

    Raises:
        UsageError: the file cannot be read, or is not a request.
    """
    if path == "-":
        return load_request(
            sys.stdin.buffer.read(), "standard input", manifests_beside(Path("request"))
        )
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; give the file of an UpgradeRequest") from None
    return load_request(text, path, manifests_beside(Path(path)))
