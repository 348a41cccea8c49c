"""Loopback ports that the system picks."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Give ports that are free now, all of them different."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
