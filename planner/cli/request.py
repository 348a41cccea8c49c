"""Reads the request that a command was given."""

import sys
from pathlib import Path

from planner.api import load_request
from planner.model.request import UpgradeRequest
from planner.model.request import load_request as load_request_text
from planner.observe.beside import manifests_beside


def read_request(path: str) -> UpgradeRequest:
    """Read a request from a file or, for `-`, from standard input.

    Raises:
        UsageError: the file cannot be read, or is not a request.
    """
    if path != "-":
        return load_request(path)
    # Manifests that it names are looked for in the working directory.
    beside = manifests_beside(Path("request.yaml"))
    return load_request_text(sys.stdin.buffer.read(), "standard input", beside)
