"""Shows what the rates of a request cost a plan."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planner.show.table import plural


def rate_lines(header: Mapping[str, Any], duration: Callable[[float], str]) -> Iterator[str]:
    """Say of each rate that makes the plan longer by how much; `duration` writes seconds."""
    for rate in header.get("rates", ()):
        if rate["adds_s"]:
            writes = plural(rate["writes_per_second"], "write")
            yield (
                f"{duration(rate['adds_s'])} of it because {rate['cluster']} takes"
                f" {writes} a second ({rate['name']})"
            )
